/** Pure: what a session's page can show, and how an address names it. */

export const sessionViews = ["transcript", "changes", "events"] as const;
export type SessionViewName = (typeof sessionViews)[number];

export const VIEW_TITLES: Record<SessionViewName, string> = {
  transcript: "Transcript",
  changes: "Changes",
  events: "Events",
};

/** @param value what the address has as `view`; the transcript needs no mention. */
export function parseSessionView(value: unknown): { view?: SessionViewName } {
  const view = sessionViews.find((each) => each === value);
  return view === undefined || view === "transcript" ? {} : { view };
}
