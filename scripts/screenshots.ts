/**
 * `npm run screenshots`: pictures of every page in both themes, for a desktop and a phone, in `.reveille/screenshots/`. The
 * three that README shows are copied to `docs/images/`. With names (`npm run screenshots -- home session`), only pictures
 * that begin with one of them are taken anew.
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
import type { Shot } from "./screenshots/shot.ts";
import { clearInstance, EMPTY_SHOTS, fillInstance } from "./screenshots/shots.ts";
import { replyTo } from "./screenshots/stories.ts";
import { complain, say } from "./terminal.ts";

const THEMES = ["light", "dark"] as const;
const SIZES = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true },
};
const FOR_README = {
  "session-running-dark-desktop.png": "session.png",
  "home-light-desktop.png": "home.png",
  "editor-triggers-light-desktop.png": "editor.png",
};
const DEADLINE_MS = 30_000;

process.exit(await main(path.dirname(import.meta.dirname)));

async function main(root: string): Promise<number> {
  const launched = await launchChromium();
  if (!launched.ok) {
    complain(launched.message);
    return 1;
  }
  const begin = Promise.withResolvers<void>();
  const rest = Promise.withResolvers<void>();
  const gates = { begin: begin.promise, rest: rest.promise };
  const model = await createMessagesServer({ reply: (request) => replyTo(request, gates) });
  const stateFolder = await mkdtemp(path.join(tmpdir(), "reveille-screenshots-"));
  const settings = {
    port: await drawFreePort(),
    stateFolder,
    workerVariables: { ANTHROPIC_API_KEY: "key-of-nobody", ANTHROPIC_BASE_URL: model.url },
    runnerVariables: {},
    containers: null,
    hasModelKey: true,
  };
  const folder = path.join(root, ".reveille", "screenshots");
  try {
    return await withInstance({ root, settings, hasPages: true, say }, async (instance, signal) => {
      const wanted = process.argv.slice(2);
      const isWanted = (name: string) => wanted.length === 0 || wanted.some((each) => name.startsWith(each));
      if (wanted.length === 0) await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
      const upstream = await clearInstance(instance, signal);
      await takeAll(
        launched.value,
        instance,
        EMPTY_SHOTS.filter(({ name }) => isWanted(name)),
        folder,
      );
      const shots = await fillInstance({ instance, upstream, begin: begin.resolve, signal });
      const isShotWanted = ({ name, next }: Shot) => isWanted(name) || (next !== undefined && isWanted(next.name));
      await takeAll(launched.value, instance, shots.filter(isShotWanted), folder);
      for (const [from, to] of Object.entries(FOR_README).filter(([from]) => isWanted(from))) {
        await copyFile(path.join(folder, from), path.join(root, "docs", "images", to));
      }
      say(`The pictures are in ${path.relative(root, folder)}, those of README in docs/images.`);
      return 0;
    });
  } catch (error) {
    complain(messageOf(error));
    return 1;
  } finally {
    rest.resolve();
    await Promise.all([launched.value.close(), model.close()]);
    await rm(stateFolder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Each shot in each theme and size, side by side. */
async function takeAll(browser: Browser, instance: Instance, shots: Shot[], folder: string): Promise<void> {
  const views = THEMES.flatMap((theme) => Object.entries(SIZES).map(([size, device]) => ({ theme, size, device })));
  const contexts = await Promise.all(
    views.map(async ({ theme, size, device }) => {
      const { url, owner_token: token } = instance.local;
      const context = await browser.newContext({
        baseURL: url,
        colorScheme: theme,
        reducedMotion: "reduce",
        ...device,
      });
      context.setDefaultTimeout(DEADLINE_MS);
      const signIn = () => context.request.post("/api/v1/sign-in", { data: { token }, headers: { origin: url } });
      return { context, signIn, suffix: `${theme}-${size}.png` };
    }),
  );
  for (const { name, isSignedIn, open, meanwhile, next } of shots) {
    const pages = await Promise.all(
      contexts.map(async ({ context, signIn, suffix }) => {
        if (isSignedIn) await signIn();
        else await context.clearCookies();
        const page = await context.newPage();
        await open(page);
        return { page, suffix };
      }),
    );
    meanwhile?.begin();
    for (const { page, suffix } of pages) {
      const take = (what: string) =>
        page.screenshot({ path: path.join(folder, `${what}-${suffix}`), animations: "disabled" });
      await meanwhile?.ready(page);
      await take(name);
      await next?.open(page);
      if (next !== undefined) await take(next.name);
      await page.close();
    }
  }
  for (const { context } of contexts) await context.close();
}
