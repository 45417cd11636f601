/** What is loaded with the first act of the pointer or the focus: nobody needs it before, and whoever acts may soon. */

const ACTS = ["pointermove", "pointerdown", "keydown", "focusin"] as const;

/**
 * @param load of what is loaded once; may be called again by a later act where it fails.
 * @returns at once.
 */
export function withFirstAct(load: () => Promise<unknown>): void {
  const begin = () => {
    for (const type of ACTS) document.removeEventListener(type, begin, { capture: true });
    load().catch(() => withFirstAct(load));
  };
  for (const type of ACTS) document.addEventListener(type, begin, { capture: true });
}

/** Once, at the start: what shows times, and what keeps the focus. */
export function watchActs(): void {
  withFirstAct(async () => (await import("./time-tip.ts")).watchTimes());
  withFirstAct(async () => (await import("./kept-focus.ts")).keepFocus());
}
