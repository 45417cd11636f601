/** A person at a browser, and a record of everything that no page of ours may do. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { after, type TestContext } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { launchChromium } from "#scripts/browser/chromium.ts";
import type { Bed } from "./bed.ts";
import { addWalking } from "./keyboard.ts";
import { addScrolling } from "./transcript.ts";

/** Where the pictures of failures go. */
const FAILURES = path.resolve(import.meta.dirname, "../../../.reveille/browser");
const ACTION_DEADLINE_MS = 20_000;

export interface Visitor {
  page: Page;
  context: BrowserContext;
  /** What the pages did that they must not: grows as it happens. */
  faults: string[];
}

interface VisitOptions {
  theme?: "light" | "dark";
  viewport?: { width: number; height: number };
  isSignedIn?: boolean;
  /** Origins of servers of the test's, to which a page may send the browser. */
  mayReach?: readonly string[];
  /** Whoever uses no pointer: one that is pressed is a fault of the story. */
  isByKeys?: boolean;
}

let browser: Promise<Browser> | null = null;
after(async () => (await browser)?.close());

/** Does something as a new visitor, then checks that the pages kept to themselves. A failure leaves a picture. */
export async function visit(
  t: TestContext,
  bed: Bed,
  {
    theme = "light",
    viewport = { width: 1280, height: 800 },
    isSignedIn = true,
    isByKeys = false,
    mayReach = [],
  }: VisitOptions,
  act: (visitor: Visitor) => Promise<void>,
): Promise<void> {
  browser ??= launch();
  const context = await (await browser).newContext({ baseURL: bed.url, colorScheme: theme, viewport });
  context.setDefaultTimeout(ACTION_DEADLINE_MS);
  const faults: string[] = [];
  await watch(context, bed.url, mayReach, faults);
  await addScrolling(context);
  await context.addInitScript(addWalking);
  if (isByKeys) await context.addInitScript(forbidPointer);
  if (isSignedIn) await signIn(context, bed);
  const page = await context.newPage();
  try {
    await act({ page, context, faults });
    assert.deepEqual(faults, []);
  } catch (error) {
    mkdirSync(FAILURES, { recursive: true });
    const picture = path.join(FAILURES, `${t.name.replace(/[^a-z0-9]+/gi, "-").slice(0, 80)}.png`);
    await page.screenshot({ path: picture }).catch(() => undefined);
    t.diagnostic(`picture: ${picture}; address: ${page.url()}; faults: ${JSON.stringify(faults)}`);
    throw error;
  } finally {
    await context.close();
  }
}

async function launch(): Promise<Browser> {
  const launched = await launchChromium();
  if (!launched.ok) throw new Error(launched.message);
  return launched.value;
}

/** Signs in as the sign-in view does, without showing it. */
async function signIn(context: BrowserContext, { url, ownerToken }: Bed): Promise<void> {
  const answer = await context.request.post(`${url}/api/v1/sign-in`, {
    data: { token: ownerToken },
    headers: { origin: url },
  });
  assert.equal(answer.status(), 204, await answer.text());
}

function forbidPointer(): void {
  addEventListener("pointerdown", () => console.error("a pointer was pressed"), { capture: true });
}

/** Records requests to elsewhere, violations of the pages' policy, errors that nobody caught, dialogs and new windows. */
async function watch(
  context: BrowserContext,
  url: string,
  mayReach: readonly string[],
  faults: string[],
): Promise<void> {
  const known = [url, ...mayReach];
  const isForeign = (address: URL) => !["data:", "blob:"].includes(address.protocol) && !known.includes(address.origin);
  await context.route(isForeign, (route) => {
    faults.push(`request to ${route.request().url()}`);
    return route.abort();
  });
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile }) => {
      console.error(`policy violation: ${violatedDirective} ${blockedURI} ${sourceFile}`);
    });
  });
  context.on("console", (message) => {
    if (/policy violation|Content Security Policy|a pointer was pressed/i.test(message.text()))
      faults.push(message.text());
  });
  context.on("weberror", (error) => faults.push(`uncaught: ${error.error().stack ?? error.error().message}`));
  context.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  context.on("page", (page) => {
    page.on("websocket", (socket) => {
      if (new URL(socket.url()).host !== new URL(url).host) faults.push(`WebSocket to ${socket.url()}`);
    });
    page.on("popup", (popup) => faults.push(`window: ${popup.url()}`));
    page.on("download", (download) => faults.push(`download: ${download.url()}`));
  });
}
