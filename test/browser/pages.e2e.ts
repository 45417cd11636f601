/** What every page has to be: usable by everybody, in both themes and on a phone, and quick to load. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import {
  atEnd,
  cancelRuns,
  createRoutine,
  type GatedBed,
  gatedBed,
  runNow,
  sendEvent,
  untilEnded,
} from "./support/bed.ts";
import { instanceViews } from "./support/instance-views.ts";
import { walkThrough } from "./support/keyboard.ts";
import { sessionViews, type View } from "./support/session-views.ts";
import { openSession, transcript, untilConnection, untilRunStatus } from "./support/transcript.ts";
import { visit } from "./support/visitor.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FIRST_LOAD_BYTES = 200_000;
const PHONE = { width: 360, height: 780 };
const DESKTOP = { width: 1280, height: 800 };

/** Of every type, with all that a row can say; none of them comes while the pages are looked at. */
const EVERY_TRIGGER = [
  { type: "api" },
  { type: "schedule", cron: "0 10 29 2 *", timezone: "America/Argentina/ComodRivadavia", jitter: "5m" },
  { type: "github", event: "pull_request", actions: ["opened"], allow_public: true, allow_self: true },
  {
    type: "webhook",
    source: "standard-webhooks",
    filters: [{ field: "data.currency", operator: "is_one_of", value: ["eur", "usd"] }],
    coalesce: { key: "data.customer.id.that.is.long", window: "60s" },
  },
  { type: "routine", routine: "A routine whose name goes on and on", on: ["succeeded", "timed_out"], result: ["done"] },
  { type: "event", name: `a.name.${"that.does.not.end.".repeat(8)}` },
];

/** Every page in the states that differ in what they are made of. */
async function makeViews(t: TestContext, bed: GatedBed): Promise<View[]> {
  const conversation = bed.model.lead();
  const routine = await createRoutine(bed, {
    name: "A routine with much in its definition",
    prompt: `# Task\n\n${conversation.task}\n\n- one\n- two`,
    limits: { timeout: "30m", turns: 20 },
    tags: { team: "docs" },
    // Without a repository to clone, nothing of GitHub's can come.
    triggers: EVERY_TRIGGER.filter(({ type }) => type !== "github"),
  });
  const failing = await createRoutine(bed, {
    name: "A routine that fails",
    prompt: "Fail.",
    repositories: [{ url: "https://nothing.invalid/acme/app" }],
    retry: { max: 0, backoff: "1s" },
    triggers: [
      {
        type: "event",
        name: "invoice.paid",
        filters: [
          { field: "currency", operator: "is_one_of", value: ["eur", "usd"] },
          { field: "live", operator: "equals", value: true },
        ],
      },
    ],
  });
  const failed = await runNow(bed, failing.id);
  const delivery = await sendEvent(bed, { name: "invoice.paid", payload: { currency: "chf", live: true } });
  await untilEnded(bed, failed.run_id);
  const empty = await createRoutine(bed, { name: "A routine that never ran", prompt: "Wait." });
  const active = await runNow(bed, routine.id);
  atEnd(() => cancelRuns(bed, routine.id));
  conversation.run("I look **around** first.", "ls -la");
  conversation.run("That is [not there](https://docs.example/a).", "cat missing-file");

  const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name }).waitFor();
  const tab = (name: string) => async (page: Page) => {
    await page.goto(`/routines/${routine.id}`);
    await page.getByRole("tab", { name }).click();
    await page.getByRole("tabpanel", { name }).waitFor();
  };
  return [
    {
      name: "sign-in",
      isSignedIn: false,
      open: async (page) => {
        await page.goto("/");
        await page.getByRole("heading", { name: "Sign in" }).waitFor();
      },
    },
    {
      name: "home",
      open: async (page) => {
        await page.goto("/");
        await heading(page, "Home");
        await page.getByRole("region", { name: "Running now" }).getByRole("link").first().waitFor();
        await page.getByRole("region", { name: "Needs you" }).getByText("A routine that fails").waitFor();
      },
    },
    {
      name: "routines",
      open: async (page) => {
        await page.goto("/routines");
        await heading(page, "Routines");
        await page.getByRole("link", { name: routine.name }).first().waitFor();
      },
    },
    { name: "a routine's runs", open: tab("Runs") },
    {
      name: "runs",
      open: async (page) => {
        await page.goto("/runs?state=failed");
        await page.getByRole("list", { name: "runs" }).getByRole("link").first().waitFor();
      },
    },
    {
      name: "deliveries",
      open: async (page) => {
        await page.goto("/deliveries");
        await page.getByRole("link", { name: "Event invoice.paid" }).first().waitFor();
      },
    },
    {
      name: "a delivery",
      open: async (page) => {
        await page.goto(`/deliveries/${delivery.id}`);
        await page.getByRole("list", { name: "Filters" }).waitFor();
      },
    },
    {
      name: "the palette",
      isDialog: true,
      open: async (page) => {
        await page.goto("/routines");
        await heading(page, "Routines");
        await page.keyboard.press("Control+k");
        await page.getByRole("option", { name: empty.name }).waitFor();
      },
    },
    {
      name: "the keys",
      isDialog: true,
      open: async (page) => {
        await page.goto("/routines");
        await heading(page, "Routines");
        await page.keyboard.press("?");
        await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
      },
    },
    { name: "a routine's activity", open: tab("Activity") },
    { name: "a routine's definition", open: tab("Definition") },
    {
      name: "a routine that never ran",
      open: async (page) => {
        await page.goto(`/routines/${empty.id}`);
        await heading(page, empty.name);
      },
    },
    {
      name: "a new routine's beginning",
      open: async (page) => {
        await page.goto("/routines/new");
        await heading(page, "New routine");
      },
    },
    {
      name: "a new routine from a template",
      open: async (page) => {
        await page.goto("/routines/new?template=pr-review");
        await page.getByRole("checkbox", { name: "ready for review" }).waitFor();
      },
    },
    {
      name: "a routine that is changed",
      open: async (page) => {
        await page.goto(`/routines/${routine.id}/edit`);
        await page.getByRole("table", { name: "Next times" }).waitFor();
      },
    },
    {
      name: "run with text",
      isDialog: true,
      open: async (page) => {
        await page.goto(`/routines/${routine.id}`);
        await page.getByRole("button", { name: "Run with text…" }).click();
        await page.getByRole("dialog").getByLabel("Text for the agent").waitFor();
      },
    },
    {
      name: "a session that runs",
      open: async (page) => {
        await openSession(page, active.session_id);
        await transcript(page).getByText("not there").first().waitFor();
        await untilConnection(page, "live");
      },
    },
    {
      name: "cancel run",
      isDialog: true,
      open: async (page) => {
        await openSession(page, active.session_id);
        await untilRunStatus(page, "running");
        await page.getByRole("button", { name: "Cancel run" }).click();
        await page.getByRole("button", { name: "Keep running" }).waitFor();
      },
    },
    ...(await sessionViews(t, bed)),
    {
      name: "an instance with nothing on it",
      open: async (page) => {
        await page.route(/\/api\/v1\/(routines|runs)\?/, (route) =>
          route.fulfill({ json: { data: [], next_cursor: null } }),
        );
        await page.goto("/");
        await page.getByText("No routines yet").waitFor();
      },
    },
    ...(await instanceViews(bed)),
    {
      name: "no such routine",
      open: async (page) => {
        await page.goto("/routines/rtn_00000000000000000000000000");
        await page.getByRole("heading").first().waitFor();
      },
    },
    {
      name: "no such session",
      open: async (page) => {
        await page.goto("/sessions/nothing");
        await page.getByRole("heading").first().waitFor();
      },
    },
  ];
}

const LOOKS = (["light", "dark"] as const).flatMap((theme) =>
  [DESKTOP, PHONE].map((viewport) => ({ theme, viewport })),
);

let made: Promise<View[]> | null = null;

async function viewsOf(t: TestContext, bed: GatedBed): Promise<View[]> {
  made ??= makeViews(t, bed);
  return await made;
}

/** In two halves, each within the time that a test has on a slow machine. */
for (const half of [0, 1]) {
  test(`each page loads little, can be gone through by Tab, and is good for axe in each theme and width: half ${half + 1}`, async (t) => {
    const bed = await gatedBed();
    const faults: string[] = [];
    const views = (await viewsOf(t, bed)).filter((_view, place) => place % 2 === half);
    for (const isSignedIn of [false, true]) {
      await visit(t, bed, { viewport: DESKTOP, isSignedIn }, async ({ context }) => {
        await context.addInitScript(() => {
          const note = ({ timeStamp }: Event) => {
            window.firstActAt ??= timeStamp;
          };
          for (const type of ["pointermove", "pointerdown", "keydown"]) addEventListener(type, note, { capture: true });
        });
        for (const view of views.filter((each) => (each.isSignedIn ?? true) === isSignedIn)) {
          const page = await context.newPage();
          await page.setViewportSize(DESKTOP);
          await view.open(page);
          const bytes = view.isDialog ? 0 : await scriptBytes(page);
          if (!view.isDialog) t.diagnostic(`${view.name}: ${(bytes / 1_000).toFixed(1)} kB`);
          if (bytes > FIRST_LOAD_BYTES) faults.push(`${view.name}: ${bytes} bytes of script`);
          for (const { theme, viewport } of LOOKS) {
            await page.setViewportSize(viewport);
            await page.emulateMedia({ colorScheme: theme });
            const found = [...(await findings(page)), ...(await stickingOut(page))];
            faults.push(...found.map((one) => `${view.name}, ${theme}, ${viewport.width} pixels wide: ${one}`));
          }
          await page.setViewportSize(DESKTOP);
          // What a session shows changes while it is gone through; it has stories of its own.
          const walked = /session|cancel run/.test(view.name) ? [] : await walkThrough(page);
          faults.push(...walked.map((one) => `${view.name}: ${one}`));
          await page.close();
        }
      });
    }
    assert.deepEqual(faults, []);
  });
}

const sizes = new Map<string, number>();

/** What the scripts come to that a page had loaded before anything was done in it, as they are sent: cached or not. */
async function scriptBytes(page: Page): Promise<number> {
  const addresses = await page.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .filter(({ startTime }) => startTime < (window.firstActAt ?? Number.POSITIVE_INFINITY))
      .flatMap(({ name }) => (new URL(name).pathname.endsWith(".js") ? [name] : [])),
  );
  assert.ok(addresses.length > 0);
  for (const address of addresses) {
    if (sizes.has(address)) continue;
    const response = await fetch(address);
    sizes.set(address, gzipSync(Buffer.from(await response.arrayBuffer())).length);
  }
  return [...new Set(addresses)].reduce((sum, address) => sum + (sizes.get(address) ?? 0), 0);
}

test("a routine tells what wakes it, when, and where a source is to send to", async (t) => {
  const bed = await gatedBed();
  const routine = await createRoutine(bed, {
    name: "Of every trigger",
    prompt: "Wait.",
    repositories: [{ url: "https://github.com/acme/app" }],
    triggers: EVERY_TRIGGER,
  });
  await visit(t, bed, {}, async ({ page }) => {
    await page.goto(`/routines/${routine.id}?tab=definition`);
    const rows = page.getByRole("list", { name: "Triggers" }).locator("> li");
    await rows.first().waitFor();
    assert.equal(await rows.count(), EVERY_TRIGGER.length);
    await rows.nth(1).getByText("0 10 29 2 *, America/Argentina/ComodRivadavia", { exact: true }).waitFor();
    await rows
      .nth(1)
      .getByText(/^Next .*2028/)
      .waitFor();
    const webhook = rows.nth(3);
    const endpoint = routine.triggers[3]?.endpoint?.url ?? "";
    assert.ok(endpoint.startsWith(`${bed.url}/webhooks/standard-webhooks/trg_`), endpoint);
    await webhook.getByText("data.currency is one of eur, usd", { exact: true }).waitFor();
    await webhook.getByText(endpoint, { exact: true }).waitFor();
    await webhook.getByText("No secret").waitFor();
    await webhook.getByRole("button", { name: "Copy endpoint" }).waitFor();
  });
});

/** What axe calls serious or critical, with the elements. */
async function findings(page: Page): Promise<string[]> {
  // Evaluated, not added as a script: the pages' policy would refuse that.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  return await page.evaluate(async () => {
    // What is on its way in has no colours of its own yet; what goes on for ever is no such thing.
    const arriving = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity);
    await Promise.all(arriving.map(({ finished }) => finished.catch(() => undefined)));
    const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`);
  });
}

/** What reaches beyond the window's sides, and can't be scrolled to within something of its own. */
function stickingOut(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const isReachable = (element: Element | null): boolean =>
      element !== null &&
      (/auto|scroll/.test(getComputedStyle(element).overflowX) || isReachable(element.parentElement));
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth) return [`wider than the window: ${scrollWidth} pixels`];
    return [...document.querySelectorAll("main *, dialog *, [role=dialog] *, [role=alertdialog] *")]
      .filter((element) => {
        const { left, right, width, height } = element.getBoundingClientRect();
        const isSeen = width > 1 && height > 1 && getComputedStyle(element).visibility === "visible";
        return isSeen && (left < -1 || right > window.innerWidth + 1) && !isReachable(element.parentElement);
      })
      .map(({ outerHTML }) => `sticks out: ${outerHTML.slice(0, 200)}`);
  });
}

declare global {
  interface Window {
    axe: typeof import("axe-core");
    firstActAt?: number;
  }
}
