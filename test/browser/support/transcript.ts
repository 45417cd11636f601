/** A session's page: its transcript as a reader meets it. */
import assert from "node:assert/strict";
import type { BrowserContext, Locator, Page } from "playwright-core";

export function transcript(page: Page): Locator {
  return page.getByRole("log", { name: "Transcript" });
}

/** Opens a session's page and waits for its transcript. */
export async function openSession(page: Page, sessionId: string): Promise<void> {
  await page.goto(`/sessions/${sessionId}`);
  await transcript(page).waitFor();
}

export async function untilConnection(page: Page, state: "live" | "connecting" | "offline" | "ended"): Promise<void> {
  await page.locator(`[data-connection="${state}"]`).waitFor();
}

export async function untilRunStatus(page: Page, status: string): Promise<void> {
  await page.locator(`[data-run-status="${status}"]`).first().waitFor();
}

/** What is in the document at this moment: for each item, the events that it shows. */
export async function shownSeqs(page: Page): Promise<number[][]> {
  return await page.evaluate(() =>
    [...document.querySelectorAll("[role=log] [data-seqs]")].map((item) =>
      (item.getAttribute("data-seqs") ?? "").split(" ").filter(Boolean).map(Number),
    ),
  );
}

/** Scrolls to a place of the transcript, given as a share of its height, and waits until the page has drawn it. */
export async function scrollTo(page: Page, share: number): Promise<void> {
  await page.evaluate(async (wanted) => {
    const scroller = window.reveilleScroller();
    scroller.scrollTop = wanted * (scroller.scrollHeight - scroller.clientHeight);
    await window.twoFrames();
  }, share);
}

/** Scrolls on by most of what is in view. @returns whether that was the end. */
async function scrollOn(page: Page): Promise<boolean> {
  return await page.evaluate(async () => {
    const scroller = window.reveilleScroller();
    const isAtEnd = () => scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 2;
    scroller.scrollTop += scroller.clientHeight * 0.6;
    await window.twoFrames();
    return isAtEnd();
  });
}

export async function isAtEnd(page: Page): Promise<boolean> {
  return await page.evaluate(async () => {
    await window.twoFrames();
    const scroller = window.reveilleScroller();
    return scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 2;
  });
}

/** Scrolls up until the first event is there. */
export async function scrollToStart(page: Page): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await shownSeqs(page)).flat().includes(1)) {
    assert.ok(Date.now() < deadline, `the start was not reached: ${JSON.stringify((await shownSeqs(page))[0])}`);
    await scrollTo(page, 0);
  }
}

/**
 * Reads the transcript from its start to its end. @returns the events in the order in which their items were met.
 * @throws when an event is in two items, or in none that is in order.
 */
export async function readThrough(page: Page): Promise<number[]> {
  await scrollToStart(page);
  const itemOf = new Map<number, string>();
  const met: number[] = [];
  for (let wasEnd = false, isEnd = false; !wasEnd; wasEnd = isEnd, isEnd = await scrollOn(page)) {
    const items = await shownSeqs(page);
    const firsts = items.map(([first = 0]) => first).filter((first) => first > 0);
    assert.deepEqual(
      firsts,
      firsts.toSorted((one, other) => one - other),
      "items are in order",
    );
    for (const item of items) {
      for (const seq of item) {
        const before = itemOf.get(seq);
        if (before === undefined) met.push(seq);
        assert.equal(item.join(" "), before ?? item.join(" "), `event ${seq} is in one item`);
        itemOf.set(seq, item.join(" "));
      }
    }
    assert.equal(new Set(items.flat()).size, items.flat().length, "no event is shown twice");
  }
  return met.sort((one, other) => one - other);
}

declare global {
  interface Window {
    /** The element that scrolls the transcript. */
    reveilleScroller(): Element;
    twoFrames(): Promise<void>;
  }
}

/** Gives every page the two functions above. */
export async function addScrolling(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    window.reveilleScroller = () => {
      const log = document.querySelector("[role=log]");
      if (log === null) throw new Error("there is no transcript");
      const around: Element[] = [];
      for (let element = log.parentElement; element !== null; element = element.parentElement) around.push(element);
      const scrolls = (element: Element) =>
        /auto|scroll/.test(getComputedStyle(element).overflowY) && element.scrollHeight > element.clientHeight;
      const found = [log, ...log.querySelectorAll("div"), ...around].find(scrolls);
      return found ?? document.scrollingElement ?? document.documentElement;
    };
    window.twoFrames = () =>
      new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())));
  });
}
