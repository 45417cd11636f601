/** Pure: which routines wake next by a schedule, the soonest first. */
import type { ListedRoutine } from "#protocol/routine.ts";

export interface Upcoming {
  id: string;
  name: string;
  at: string;
  /** Of the schedule that wakes it then. */
  timezone: string | null;
}

const SHOWN = 6;

export function upcomingOf(routines: readonly ListedRoutine[]): Upcoming[] {
  return routines
    .flatMap(({ id, name, next_fire_at: at, triggers }) =>
      at === null ? [] : [{ id, name, at, timezone: zoneOf(triggers, at) }],
    )
    .sort((one, other) => Date.parse(one.at) - Date.parse(other.at))
    .slice(0, SHOWN);
}

function zoneOf(triggers: ListedRoutine["triggers"], at: string): string | null {
  const waking = triggers.find(({ next_fire_times: [next] }) => next === at);
  return waking?.type === "schedule" ? waking.timezone : null;
}
