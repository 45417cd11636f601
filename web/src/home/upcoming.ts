/** Pure: which routines wake next by a schedule, the soonest first. */
import type { ListedRoutine } from "#protocol/routine.ts";

export interface Upcoming {
  id: string;
  name: string;
  at: string;
}

const SHOWN = 6;

export function upcomingOf(routines: readonly ListedRoutine[]): Upcoming[] {
  return routines
    .flatMap(({ id, name, next_fire_at: at }) => (at === null ? [] : [{ id, name, at }]))
    .sort((one, other) => Date.parse(one.at) - Date.parse(other.at))
    .slice(0, SHOWN);
}
