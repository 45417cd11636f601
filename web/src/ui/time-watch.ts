/** Loads what shows times at the focus and under the pointer with the first act of either. */

const ACTS = ["pointermove", "pointerdown", "keydown", "focusin"] as const;

/** Once, at the start. */
export function watchTimesLater(): void {
  const begin = () => {
    for (const type of ACTS) document.removeEventListener(type, begin, { capture: true });
    // What could not be loaded is asked for again by the next act.
    import("./time-tip.ts").then(({ watchTimes }) => watchTimes(), watchTimesLater);
  };
  for (const type of ACTS) document.addEventListener(type, begin, { capture: true });
}
