/** Times as stops for Tab. What shows them at the focus and under the pointer is loaded with the first act of either. */
import { rowClass, rowLinkClass } from "./card.tsx";

const ACTS = ["pointermove", "pointerdown", "keydown", "focusin"] as const;

let whenGone: (time: HTMLTimeElement) => void = () => undefined;

/** As the `ref` of a time: a stop for Tab, unless a control or a row's link shows it. */
export function reachable(time: HTMLTimeElement): () => void {
  const isShownByAnother = time.closest("a, button") !== null || linkOfRow(time) !== null;
  if (!isShownByAnother) time.tabIndex = 0;
  return () => whenGone(time);
}

/** @param listener is told of each time that leaves the page. */
export function onTimeGone(listener: (time: HTMLTimeElement) => void): void {
  whenGone = listener;
}

/** Once, at the start. */
export function watchTimesLater(): void {
  const begin = () => {
    for (const type of ACTS) document.removeEventListener(type, begin, { capture: true });
    // What could not be loaded is asked for again by the next act.
    import("./time-tip.ts").then(({ watchTimes }) => watchTimes(), watchTimesLater);
  };
  for (const type of ACTS) document.addEventListener(type, begin, { capture: true });
}

function linkOfRow(time: Element): Element | null {
  return time.closest(`.${rowClass}`)?.querySelector(`.${rowLinkClass}`) ?? null;
}
