/**
 * The exact time of what is told from now, shown at the pointer's hover and at the focus: one element for all times, in
 * the top layer. In a row that is one link, the link's focus shows the row's times, for they are no stops of their own.
 * It stays while the pointer is on it, and goes with Escape (WCAG 1.4.13). Its words are in the times for those who hear them.
 */
import { rowClass, rowLinkClass } from "./card.tsx";
import { exactTime } from "./exact-time.ts";
import { onTimeGone } from "./time-stop.ts";
import styles from "./time-tip.module.css";

/** Long enough that a pointer on its way over a list shows nothing. */
const HOVER_MS = 250;

type Times = readonly HTMLTimeElement[];
const NONE: Times = [];

let tip: HTMLElement | undefined;
let shown = NONE;
let hovered = NONE;
let focused = NONE;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Once. What has the focus already is shown, too. */
export function watchTimes(): void {
  onTimeGone((time) => {
    if (shown.includes(time)) show(NONE);
  });
  document.addEventListener("pointermove", onPointer, { passive: true });
  document.documentElement.addEventListener("pointerleave", () => hover(NONE));
  document.addEventListener("focusin", ({ target }) => focus(timesOf(target)));
  document.addEventListener("focusout", () => focus(NONE));
  // Before whatever else Escape does: to close this must not interrupt a turn, or close a dialog.
  window.addEventListener("keydown", onKey, { capture: true });
  focus(timesOf(document.activeElement));
}

function onPointer({ target, clientX, clientY, pointerType }: PointerEvent): void {
  if (pointerType === "touch" || !(target instanceof Element) || tip?.contains(target)) return;
  // The link of a row lies over its times.
  const under = isRowLink(target) ? timesOf(target) : timesUp(target);
  hover(under.filter((time) => isIn(time.getBoundingClientRect(), clientX, clientY)));
}

function onKey(event: KeyboardEvent): void {
  if (event.key !== "Escape" || shown.length === 0) return;
  event.stopImmediatePropagation();
  event.preventDefault();
  // Closed is closed: the pointer's going does not bring back what the focus had shown.
  focused = NONE;
  show(NONE);
}

function hover(times: Times): void {
  if (isSame(times, hovered)) return;
  hovered = times;
  clearTimeout(timer);
  if (times.length === 0) show(focused);
  else timer = setTimeout(() => show(times), HOVER_MS);
}

function focus(times: Times): void {
  focused = times;
  clearTimeout(timer);
  show(times);
}

function show(times: Times): void {
  const [source] = times;
  shown = NONE;
  tip?.hidePopover();
  if (source === undefined || !source.isConnected) return;
  tip ??= made();
  tip.replaceChildren(lines(times));
  tip.showPopover({ source });
  shown = times;
}

function made(): HTMLElement {
  const element = document.createElement("div");
  element.popover = "manual";
  element.role = "tooltip";
  element.className = styles["tip"] ?? "";
  return document.body.appendChild(element);
}

function lines(times: Times): HTMLElement {
  const box = document.createElement("div");
  box.className = styles["box"] ?? "";
  for (const text of new Set(times.map(({ dateTime }) => exactTime(dateTime)))) {
    box.appendChild(document.createElement("div")).textContent = text;
  }
  return box;
}

/** What the focus on an element shows; of a link or button only where the focus is seen, so not after a press of the pointer. */
function timesOf(target: EventTarget | null): Times {
  if (!(target instanceof HTMLElement)) return NONE;
  if (target instanceof HTMLTimeElement) return [target];
  if (!target.matches("a:focus-visible, button:focus-visible")) return NONE;
  return timesIn(isRowLink(target) ? target.closest(`.${rowClass}`) : target);
}

function timesUp(target: Element): Times {
  const time = target.closest("time");
  return time === null ? NONE : [time];
}

function timesIn(element: Element | null): Times {
  // A narrow window leaves some out.
  return [...(element?.querySelectorAll("time") ?? [])].filter((time) => time.checkVisibility());
}

function isRowLink(element: Element): boolean {
  return element.classList.contains(rowLinkClass);
}

function isIn({ left, right, top, bottom }: DOMRect, x: number, y: number): boolean {
  return x >= left && x <= right && y >= top && y <= bottom;
}

function isSame(some: Times, others: Times): boolean {
  return some.length === others.length && some.every((time, place) => time === others[place]);
}
