/** How a long list scrolls, beside a bare virtual list of as many rows in the same run, on the same machine. */
import assert from "node:assert/strict";
import path from "node:path";
import type { TestContext } from "node:test";
import type { BrowserContext, CDPSession, Page } from "playwright-core";
import { build } from "vite";

/** What the engine puts off, as its garbage, makes long tasks too: the fewest of some rounds are the list's own. */
const MOST_ROUNDS = 8;
/**
 * A task is long that takes as much processor time as so many frames of the bare list: a twentieth of a second, where that takes
 * four milliseconds for one. So neither a slow machine nor other work on it makes a list's tasks long.
 */
const LONG_IN_FRAMES = 12;
const FRAMES = 120;
const STEP_PX = 120;

interface Scrolled {
  /** Of each task of the page's own thread, in milliseconds of processor time, shortest first. */
  tasks: number[];
  /** From each frame to the next, as a person sees them, shortest first. */
  frames: number[];
}

/**
 * Scrolls the list that is open in a page like a wheel that is turned fast, and the bare one, by turns.
 * @throws when the list has more long tasks than the bare one in its best round.
 */
export async function assertScrollsAsBare(
  t: TestContext,
  context: BrowserContext,
  list: { page: Page; name: string; rows: number },
): Promise<void> {
  const bare = await openBareList(context, list.rows);
  let fewest = Number.POSITIVE_INFINITY;
  let fewestBare = Number.POSITIVE_INFINITY;
  for (let round = 1; round <= MOST_ROUNDS && (round === 1 || fewest > fewestBare); round += 1) {
    await bare.bringToFront();
    const beside = await scrolled(bare);
    await list.page.bringToFront();
    const ours = await scrolled(list.page);
    const longMs = (LONG_IN_FRAMES * workOf(beside)) / FRAMES;
    const countLong = ({ tasks }: Scrolled) => tasks.filter((ms) => ms > longMs).length;
    fewest = Math.min(fewest, countLong(ours));
    fewestBare = Math.min(fewestBare, countLong(beside));
    t.diagnostic(`${list.name}: ${told(ours)}; a bare list: ${told(beside)}; long: ${Math.round(longMs)} ms`);
  }
  await bare.close();
  assert.ok(fewest <= fewestBare, `${list.name}: ${fewest} long tasks, ${fewestBare} of a bare list`);
}

/** @returns in milliseconds of processor time. */
function workOf({ tasks }: Scrolled): number {
  return tasks.reduce((sum, ms) => sum + ms, 0);
}

async function scrolled(page: Page): Promise<Scrolled> {
  await jumpIntoList(page);
  const devtools = await page.context().newCDPSession(page);
  const ended = await traced(devtools);
  const frames = await scrollFrames(page);
  const tasks = tasksOf(await ended());
  assert.ok(tasks.length >= FRAMES, "the engine tells what each task took");
  await devtools.detach();
  return { tasks, frames };
}

interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  /** Microseconds of the thread's own processor time. */
  tdur?: number;
  args?: { name?: string };
}

/** @returns what ends the trace, and gives its events. */
async function traced(devtools: CDPSession): Promise<() => Promise<TraceEvent[]>> {
  const events: TraceEvent[] = [];
  devtools.on("Tracing.dataCollected", ({ value }) => void events.push(...(value as unknown as TraceEvent[])));
  const complete = new Promise((resolve) => devtools.once("Tracing.tracingComplete", resolve));
  const traceConfig = { includedCategories: ["disabled-by-default-devtools.timeline"] };
  await devtools.send("Tracing.start", { transferMode: "ReportEvents", traceConfig });
  return async () => {
    await devtools.send("Tracing.end");
    await complete;
    return events;
  };
}

/** What the threads that run pages did: that of the list's page alone has anything to do. */
function tasksOf(events: readonly TraceEvent[]): number[] {
  const threadOf = ({ pid, tid }: TraceEvent) => `${pid}/${tid}`;
  const isPages = ({ name, args }: TraceEvent) => name === "thread_name" && args?.name === "CrRendererMain";
  const pages = new Set(events.filter(isPages).map(threadOf));
  const tasks = events.filter((event) => event.name === "RunTask" && pages.has(threadOf(event)));
  return tasks.flatMap(({ tdur }) => (tdur === undefined ? [] : [tdur / 1_000])).toSorted((one, other) => one - other);
}

/** Jumps to where it is to be scrolled: all rows there are new, which is not what scrolling is like. */
async function jumpIntoList(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const found = [...document.querySelectorAll("*")].find(
      (element) => /auto|scroll/.test(getComputedStyle(element).overflowY) && element.scrollHeight > 50_000,
    );
    const scroller = found ?? document.scrollingElement;
    if (scroller === null || scroller.scrollHeight < 50_000) throw new Error("there is no long list");
    scroller.scrollTop = scroller.scrollHeight / 4;
    for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
  });
}

/** Scrolls by a step in each frame. @returns from each to the next, in milliseconds, shortest first. */
async function scrollFrames(page: Page): Promise<number[]> {
  return await page.evaluate(
    async ([frames, step]) => {
      const found = [...document.querySelectorAll("*")].find(
        (element) => /auto|scroll/.test(getComputedStyle(element).overflowY) && element.scrollHeight > 50_000,
      );
      const scroller = found ?? document.scrollingElement;
      if (scroller === null) throw new Error("there is no long list");
      const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
      const begun = scroller.scrollTop;
      const times: number[] = [];
      for (let last = await frame(); times.length < frames; ) {
        scroller.scrollTop += step;
        const now = await frame();
        times.push(now - last);
        last = now;
      }
      if (scroller.scrollTop - begun < (frames * step) / 2) throw new Error("the list has not scrolled");
      return times.toSorted((one, other) => one - other);
    },
    [FRAMES, STEP_PX] as const,
  );
}

let script: Promise<string> | null = null;

async function openBareList(context: BrowserContext, rows: number): Promise<Page> {
  script ??= bundle();
  const body = `<!doctype html><html data-rows="${rows}"><body style="margin:0"><div id="root"></div><script type="module">${await script}</script></body></html>`;
  const page = await context.newPage();
  await page.route("**/bare-list", (route) => route.fulfill({ contentType: "text/html", body }));
  await page.goto("/bare-list");
  await page.getByText("Row 0 of a bare list.").waitFor();
  return page;
}

async function bundle(): Promise<string> {
  const root = path.resolve(import.meta.dirname, "../bare-list");
  const built = await build({
    root,
    configFile: false,
    logLevel: "error",
    build: { write: false, rolldownOptions: { input: path.join(root, "main.ts"), output: { codeSplitting: false } } },
  });
  assert.ok("output" in built);
  return built.output[0].code.replaceAll("</script", "<\\/script");
}

function told(seen: Scrolled): string {
  const { tasks, frames } = seen;
  const at = (share: number) => Math.round(frames[Math.floor(share * (frames.length - 1))] ?? 0);
  const longest = tasks.slice(-3).map(Math.round).join(", ");
  return `${Math.round(workOf(seen))} ms of work, longest tasks ${longest} ms, frames p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, longest ${at(1)} ms`;
}
