/** How a long list scrolls, beside a bare virtual list of as many rows in the same run, on the same machine. */
import assert from "node:assert/strict";
import path from "node:path";
import type { TestContext } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { build } from "vite";

/** Other work on the machine makes long tasks too: the fewest of some rounds are the list's own. */
const MOST_ROUNDS = 15;
const FRAMES = 120;
const STEP_PX = 120;

interface Scrolled {
  longTasks: number;
  frames: number[];
}

/**
 * Scrolls the list that is open in a page like a wheel that is turned fast, and the bare one, by turns.
 * @throws when the list has more long tasks (over 50 ms) than the bare one in its best round.
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
    fewest = Math.min(fewest, ours.longTasks);
    fewestBare = Math.min(fewestBare, beside.longTasks);
    t.diagnostic(`${list.name}: ${told(ours)}; a bare list: ${told(beside)}`);
  }
  await bare.close();
  assert.ok(fewest <= fewestBare, `${list.name}: ${fewest} long tasks, ${fewestBare} of a bare list`);
}

/** Scrolls by a step in each frame. */
async function scrolled(page: Page): Promise<Scrolled> {
  return await page.evaluate(
    async ([frames, step]) => {
      const found = [...document.querySelectorAll("*")].find(
        (element) => /auto|scroll/.test(getComputedStyle(element).overflowY) && element.scrollHeight > 50_000,
      );
      const scroller = found ?? document.scrollingElement;
      if (scroller === null || scroller.scrollHeight < 50_000) throw new Error("there is no long list");
      scroller.scrollTop = scroller.scrollHeight / 4;
      const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
      await frame();
      await frame();
      const begun = scroller.scrollTop;
      let longTasks = 0;
      const count = (entries: PerformanceEntryList) => {
        longTasks += entries.length;
      };
      const observer = new PerformanceObserver((list) => count(list.getEntries()));
      observer.observe({ type: "longtask" });
      const times: number[] = [];
      for (let last = await frame(); times.length < frames; ) {
        scroller.scrollTop += step;
        const now = await frame();
        times.push(now - last);
        last = now;
      }
      // The last task is told of once it is over.
      await new Promise((resolve) => setTimeout(resolve));
      count(observer.takeRecords());
      observer.disconnect();
      if (scroller.scrollTop - begun < (frames * step) / 2) throw new Error("the list has not scrolled");
      return { longTasks, frames: times.toSorted((one, other) => one - other) };
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

function told({ longTasks, frames }: Scrolled): string {
  const at = (share: number) => Math.round(frames[Math.floor(share * (frames.length - 1))] ?? 0);
  return `${longTasks} long tasks, frames p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, longest ${at(1)} ms`;
}
