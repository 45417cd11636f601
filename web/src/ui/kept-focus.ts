/**
 * Where what has the focus leaves the page, or can't have it any more, the focus would fall to nothing, and whoever uses
 * the keyboard alone would begin at the top: it goes to the closest of what was around that, and Tab goes on from there.
 */

/** What puts the focus somewhere itself, as a dialog that closes does, has done so by then. */
const SETTLED_MS = 60;
const CHANGES = { childList: true, subtree: true, attributes: true, attributeFilter: ["disabled", "hidden", "inert"] };

const OFF = ":disabled, [hidden], [hidden] *, [inert], [inert] *";

/** From what has the focus outwards. */
let around: readonly Element[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

/** Once. */
export function keepFocus(): void {
  const note = (target: EventTarget | null) => {
    around = target instanceof Element && target !== document.body ? outwards(target) : [];
  };
  note(document.activeElement);
  document.addEventListener("focusin", ({ target }) => note(target));
  // A press on what takes no focus lets it go on purpose.
  document.addEventListener("pointerdown", () => note(null), { capture: true });
  new MutationObserver(look).observe(document.body, CHANGES);
}

function look(): void {
  // Asked with every change: nothing that would have the browser work out styles.
  if (around[0] === undefined || (around[0].isConnected && !around[0].matches(OFF))) return;
  clearTimeout(timer);
  timer = setTimeout(() => {
    const [lost, ...outer] = around;
    if (lost === undefined || canHave(lost)) return;
    const { activeElement } = document;
    if (activeElement !== null && activeElement !== document.body && activeElement !== lost) return;
    const place = outer.find((element) => element.id !== "root" && canHave(element));
    // Where all of the page is another one, as after a sign-in, it begins with its content.
    const kept = place === document.body || place === undefined ? document.getElementById("content") : place;
    if (kept instanceof HTMLElement) take(kept);
  }, SETTLED_MS);
}

function canHave(element: Element | undefined): boolean {
  return element?.isConnected === true && !element.matches(OFF) && element.checkVisibility();
}

/** Also by what is no stop of Tab. */
function take(place: HTMLElement): void {
  if (place.tabIndex < 0 && !place.hasAttribute("tabindex")) {
    place.tabIndex = -1;
    place.addEventListener("blur", () => place.removeAttribute("tabindex"), { once: true });
  }
  place.focus({ preventScroll: true });
}

function outwards(element: Element): Element[] {
  const all = [];
  for (let each: Element | null = element; each !== null; each = each.parentElement) all.push(each);
  return all;
}
