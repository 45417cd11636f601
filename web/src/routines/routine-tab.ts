/** Pure: the tabs of a routine's page, and how an address names one. */

export const routineTabs = ["runs", "occurrences", "definition"] as const;
export type RoutineTab = (typeof routineTabs)[number];

/** @param value what the address has as `tab`; the first tab needs no mention. */
export function parseRoutineTab(value: unknown): { tab?: RoutineTab } {
  const tab = routineTabs.find((each) => each === value);
  return tab === undefined || tab === "runs" ? {} : { tab };
}
