/** What somebody does who can't point. */
import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";

const MOST_CHOICES = 12;
const MOST_STOPS = 120;
/** Within that time a page has put the focus somewhere, where what had it is gone. */
const KEPT_MS = 2_000;

/** Presses Tab until the element has the focus; the focus has to be seen, and not to have been lost before. */
export async function tabTo(page: Page, wanted: Locator): Promise<void> {
  await wanted.waitFor();
  await page
    .waitForFunction(() => window.lostFocus() === null, null, { timeout: KEPT_MS })
    .catch(async () => {
      const lost = await page.evaluate(() => window.lostFocus());
      if (lost !== null) assert.fail(`the focus has fallen to nothing, from ${lost}`);
    });
  for (let stops = 0; stops < MOST_STOPS; stops += 1) {
    // In one look: a moment later it may be another element, such as the last of a list that grows.
    const isSeen = await wanted.evaluate((element) =>
      element === document.activeElement ? window.isFocusSeen(element) : null,
    );
    if (isSeen !== null) {
      assert.ok(isSeen, `the focus is seen on ${wanted}`);
      return;
    }
    await page.keyboard.press("Tab");
  }
  assert.fail(`Tab does not lead to ${wanted}`);
}

/** Goes to a button or link, and presses it. */
export async function pressOn(page: Page, wanted: Locator): Promise<void> {
  await tabTo(page, wanted);
  await page.keyboard.press("Enter");
}

/** Goes to a field, and writes in place of what it has. */
export async function writeIn(page: Page, wanted: Locator, text: string): Promise<void> {
  await tabTo(page, wanted);
  await page.keyboard.press("Control+a");
  await page.keyboard.type(text);
}

/** Goes to a box, and ticks it or takes its tick away. */
export async function tick(page: Page, wanted: Locator): Promise<void> {
  await tabTo(page, wanted);
  await page.keyboard.press("Space");
}

/** Goes to the group of a choice, and by the arrow keys to the one that is wanted. */
export async function choose(page: Page, wanted: Locator): Promise<void> {
  await wanted.waitFor();
  const group = await wanted.getAttribute("name");
  await tabTo(page, page.locator(`input[type=radio][name="${group}"]:checked`));
  for (let steps = 0; steps < MOST_CHOICES && !(await wanted.isChecked()); steps += 1) {
    await page.keyboard.press("ArrowDown");
  }
  assert.ok(await wanted.isChecked(), `the arrow keys lead to ${wanted}`);
}

/** Goes to a list that opens, and chooses by the first letters. */
export async function select(page: Page, wanted: Locator, words: string): Promise<void> {
  await tabTo(page, wanted);
  await page.keyboard.type(words);
  assert.equal(await wanted.locator("option:checked").textContent(), words);
}

/** Goes to the tabs, and by the arrow keys to the one that is wanted. */
export async function openTab(page: Page, wanted: Locator): Promise<void> {
  await tabTo(page, page.locator("[role=tab][aria-selected=true]"));
  for (let steps = 0; steps < MOST_CHOICES; steps += 1) {
    if ((await wanted.getAttribute("aria-selected")) === "true") return;
    await page.keyboard.press("ArrowRight");
  }
  assert.fail(`the arrow keys do not lead to ${wanted}`);
}

/** Within a menu that has opened, by the arrow keys. */
export async function moveTo(page: Page, wanted: Locator): Promise<void> {
  await wanted.waitFor();
  await page.waitForFunction(() => document.activeElement?.closest("[role=menu]"));
  for (let steps = 0; steps < MOST_CHOICES; steps += 1) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("ArrowDown");
  }
  assert.fail(`the arrow keys do not lead to ${wanted}`);
}

/**
 * Goes through everything that Tab stops at in a page.
 * @returns what is wrong: a stop without a mark, one out of order, a control that Tab passes over.
 */
export async function walkThrough(page: Page): Promise<string[]> {
  const count = await page.evaluate(() => window.beginWalk());
  // Some more than there are: at the end the focus is the browser's own, or a dialog's that leads it back.
  for (let stop = 0; stop < count + 3; stop += 1) await page.keyboard.press("Tab");
  return await page.evaluate(() => window.endWalk());
}

/** Before a page's own scripts: what the functions above ask of it. */
export function addWalking(): void {
  let stops: Element[] = [];
  let faults: string[] = [];
  const named = (element: Element) => element.outerHTML.slice(0, 160);
  window.isFocusSeen = (element) =>
    // The mark may be on the element, in front of it, or on the row that it stands for.
    [element, element.parentElement ?? element, element.parentElement?.parentElement ?? element].some((marked) =>
      [null, "::before", "::after"].some((part) => {
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(marked, part);
        return (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none";
      }),
    );
  const isGuard = (element: Element) => element.closest("[data-base-ui-focus-guard], [aria-hidden=true]") !== null;
  // While a dialog is open, nothing else is gone through.
  const place = () => document.querySelector("[role=dialog], [role=alertdialog]") ?? document.body;
  const controls = () =>
    [...place().querySelectorAll<HTMLElement>("a[href], button, input, select, textarea, summary, [tabindex]")].filter(
      (element) => {
        const isOther = element instanceof HTMLInputElement && element.type === "radio" && !element.checked;
        const isOff = element.matches(":disabled, [inert] *") || !element.checkVisibility();
        return element.tabIndex >= 0 && !isOff && !isOther && !isGuard(element);
      },
    );
  const note = ({ target }: FocusEvent) => {
    if (!(target instanceof Element) || isGuard(target) || stops.includes(target)) return;
    stops.push(target);
    if (!window.isFocusSeen(target)) faults.push(`no mark of the focus: ${named(target)}`);
  };
  let last: Element | null = null;
  document.addEventListener("focusin", ({ target }) => {
    last = target instanceof Element ? target : null;
  });
  window.lostFocus = () => {
    const isNowhere = document.activeElement === null || document.activeElement === document.body;
    return isNowhere && last !== null ? named(last) : null;
  };
  window.beginWalk = () => {
    stops = [];
    faults = [];
    document.addEventListener("focusin", note);
    return controls().length;
  };
  window.endWalk = () => {
    document.removeEventListener("focusin", note);
    const back = stops.filter((stop, number) => {
      const last = stops[number - 1];
      return last !== undefined && (last.compareDocumentPosition(stop) & Node.DOCUMENT_POSITION_FOLLOWING) === 0;
    });
    // It begins where the focus was, and goes back once: from the end to the beginning.
    const wrong = back.length > 1 ? back.map((stop) => `out of order: ${named(stop)}`) : [];
    const missed = controls().filter((element) => !stops.includes(element));
    return [...faults, ...wrong, ...missed.map((element) => `Tab passes over: ${named(element)}`)];
  };
}

declare global {
  interface Window {
    isFocusSeen(element: Element): boolean;
    lostFocus(): string | null;
    beginWalk(): number;
    endWalk(): string[];
  }
}
