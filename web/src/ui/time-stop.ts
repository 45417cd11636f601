/** Times as stops for Tab. */
import { rowClass, rowLinkClass } from "./card.tsx";

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

function linkOfRow(time: Element): Element | null {
  return time.closest(`.${rowClass}`)?.querySelector(`.${rowLinkClass}`) ?? null;
}
