/**
 * `npm run screenshots`: pictures of every page in both themes, for a desktop and a phone, in `.reveille/screenshots/`. The
 * two that README shows are copied to `docs/images/`.
 */
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Browser } from "playwright-core";
import { launchChromium } from "./browser/chromium.ts";
import { createMessagesServer } from "./demo-model/messages-api.ts";
import { drawFreePort } from "./instance/ports.ts";
import type { Instance } from "./instance/start-instance.ts";
import { withInstance } from "./instance/with-instance.ts";
import { messageOf } from "./outcome.ts";
import { clearInstance, EMPTY_SHOTS, fillInstance, type Shot } from "./screenshots/shots.ts";
import { replyTo } from "./screenshots/stories.ts";

const THEMES = ["light", "dark"] as const;
const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };
const FOR_README = { "routines-light-desktop.png": "routines.png", "session-running-dark-desktop.png": "session.png" };
const DEADLINE_MS = 30_000;

process.exit(await main(path.dirname(import.meta.dirname)));

async function main(root: string): Promise<number> {
  const launched = await launchChromium();
  if (!launched.ok) {
    console.error(launched.message);
    return 1;
  }
  const held = Promise.withResolvers<void>();
  const model = await createMessagesServer({ reply: (request) => replyTo(request, () => held.promise) });
  const stateFolder = await mkdtemp(path.join(tmpdir(), "reveille-screenshots-"));
  const settings = {
    port: await drawFreePort(),
    stateFolder,
    workerVariables: { ANTHROPIC_API_KEY: "key-of-nobody", ANTHROPIC_BASE_URL: model.url },
    runnerVariables: {},
    hasModelKey: true,
  };
  const folder = path.join(root, ".reveille", "screenshots");
  try {
    return await withInstance({ root, settings, hasPages: true, say: console.log }, async (instance, signal) => {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
      const upstream = await clearInstance(instance, signal);
      await takeAll(launched.value, instance, EMPTY_SHOTS, folder);
      await takeAll(launched.value, instance, await fillInstance(instance, upstream, signal), folder);
      for (const [from, to] of Object.entries(FOR_README)) {
        await copyFile(path.join(folder, from), path.join(root, "docs", "images", to));
      }
      console.log(`The pictures are in ${path.relative(root, folder)}, those of README in docs/images.`);
      return 0;
    });
  } catch (error) {
    console.error(messageOf(error));
    return 1;
  } finally {
    held.resolve();
    await Promise.all([launched.value.close(), model.close()]);
    await rm(stateFolder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function takeAll(browser: Browser, instance: Instance, shots: Shot[], folder: string): Promise<void> {
  const url = instance.local.url;
  for (const colorScheme of THEMES) {
    for (const [size, viewport] of Object.entries(SIZES)) {
      const context = await browser.newContext({ baseURL: url, colorScheme, viewport, reducedMotion: "reduce" });
      context.setDefaultTimeout(DEADLINE_MS);
      for (const { name, isSignedIn, open } of shots) {
        if (isSignedIn) {
          const data = { token: instance.local.owner_token };
          await context.request.post(`${url}/api/v1/sign-in`, { data, headers: { origin: url } });
        } else await context.clearCookies();
        const page = await context.newPage();
        await open(page);
        await page.screenshot({
          path: path.join(folder, `${name}-${colorScheme}-${size}.png`),
          animations: "disabled",
        });
        await page.close();
      }
      await context.close();
    }
  }
}
