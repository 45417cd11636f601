/** Pure: the tabs of a routine's page, and how an address names one. */

export const routineTabs = ["runs", "activity", "notes", "definition"] as const;
export type RoutineTab = (typeof routineTabs)[number];

/** What a tab was called before; addresses that were sent on still say so. */
const FORMER: Record<string, RoutineTab> = { occurrences: "activity" };

/** @param value what the address has as `tab`; the first tab needs no mention. */
export function parseRoutineTab(value: unknown): { tab?: RoutineTab } {
  const tab = routineTabs.find((each) => each === value) ?? (typeof value === "string" ? FORMER[value] : undefined);
  return tab === undefined || tab === "runs" ? {} : { tab };
}
