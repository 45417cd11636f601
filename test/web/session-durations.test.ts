/** Where a run's time went. */
import { expect, it } from "vitest";
import type { Run } from "#protocol/run.ts";
import { runStretches, wholeDurationMs } from "#web/src/session/run-durations.ts";

const at = (second: number) => new Date(Date.parse("2026-11-21T09:00:00.000Z") + second * 1_000).toISOString();
const now = Date.parse(at(100));

function runWith(seconds: (number | null)[]): Run {
  const [queued_at, starting_at, running_at, first_event_at, finished_at] = seconds.map((second) =>
    second === null ? null : at(second),
  );
  return { timings: { queued_at, starting_at, running_at, first_event_at, finished_at } } as Run;
}

it.each<[string, (number | null)[], string[], number]>([
  ["that waits", [0, null, null, null, null], ["In the queue 100 on"], 100],
  ["that gets ready", [0, 5, null, null, null], ["In the queue 5", "Getting ready 95 on"], 100],
  ["that is on", [0, 5, 8, null, null], ["In the queue 5", "Getting ready 3", "First words 92 on"], 100],
  ["that has ended", [0, 5, 8, 9, 30], ["In the queue 5", "Getting ready 3", "First words 1", "At work 21"], 30],
  ["that was canceled while it waited", [0, null, null, null, 7], ["In the queue 7"], 7],
  ["that failed before it was ready", [0, 5, null, null, 7], ["In the queue 5", "Getting ready 2"], 7],
  ["that ended without a word", [0, 5, 8, null, 9], ["In the queue 5", "Getting ready 3", "First words 1"], 9],
])("of a run %s", (_name, seconds, stretches, whole) => {
  const run = runWith(seconds);
  const shown = runStretches(run, now).map(({ name, ms, isOn }) => `${name} ${ms / 1_000}${isOn ? " on" : ""}`);
  expect(shown).toEqual(stretches);
  expect(wholeDurationMs(run, now)).toBe(whole * 1_000);
});
