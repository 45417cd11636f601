/** How a routine is doing, from the ends of its runs and the times of its schedules. */
import { describe, expect, it } from "vitest";
import type { SettledStatus } from "#protocol/run-states.ts";
import { afterRun, newHealth, watchedAnew } from "#rules/routine/health.ts";
import { QUIET_GRACE_MS, quietAt } from "#rules/schedules/quiet-at.ts";

const HOUR_MS = 3_600_000;

/** What is told of each end, and how many failures in a row there are after it. */
function told(...ends: (SettledStatus | "quiet" | "resumed")[]): string[] {
  let health = newHealth(0);
  return ends.map((end, at) => {
    if (end === "quiet") health = { ...health, quietSince: at };
    else if (end === "resumed") health = watchedAnew(health, at);
    else {
      const step = afterRun(health, end, at);
      health = step.health;
      return `${step.change ?? "-"} ${health.failures}`;
    }
    return `${end} ${health.failures}`;
  });
}

describe("a routine", () => {
  it.each<[string, Parameters<typeof told>, string[]]>([
    ["that succeeds tells nothing", ["succeeded", "succeeded"], ["- 0", "- 0"]],
    ["is failing from its first failure on", ["failed", "timed_out"], ["failing 1", "- 2"]],
    [
      "recovers with its first success, once",
      ["failed", "succeeded", "succeeded"],
      ["failing 1", "recovered 0", "- 0"],
    ],
    ["fails anew after a success", ["failed", "succeeded", "failed"], ["failing 1", "recovered 0", "failing 1"]],
    ["is told nothing by what was canceled", ["failed", "canceled", "failed"], ["failing 1", "- 1", "- 2"]],
    [
      "that is resumed while it is quiet recovers with its first success",
      ["quiet", "resumed", "succeeded"],
      ["quiet 0", "resumed 0", "recovered 0"],
    ],
    ["recovers from silence", ["quiet", "succeeded"], ["quiet 0", "recovered 0"]],
    [
      "that is resumed has its failures counted anew, and is failing still",
      ["failed", "failed", "resumed", "failed", "succeeded"],
      ["failing 1", "- 2", "resumed 0", "- 1", "recovered 0"],
    ],
  ])("%s", (_, ends, changes) => {
    expect(told(...ends)).toEqual(changes);
  });
});

describe("silence", () => {
  const daily = { id: "trg_1", every: "daily", time: "09:00", timezone: "UTC" } as const;
  const at = (text: string) => Date.parse(`2026-03-${text}:00Z`);
  const from = (triggers: Parameters<typeof quietAt>[0], since: string) => quietAt(triggers, at(since), HOUR_MS);

  it.each<[string, Parameters<typeof quietAt>[0], string, string | null]>([
    ["counts when the next time has brought no success", [daily], "01T09:10", "02T09:00"],
    ["counts from a success that came before its time", [daily], "02T08:59", "02T09:00"],
    ["of a month is no silence of a day", [{ ...daily, every: "monthly", day: 7 }], "01T09:10", "07T09:00"],
    [
      "is judged by the schedule that comes first",
      [daily, { ...daily, id: "trg_2", every: "hourly" }],
      "01T09:10",
      "01T10:00",
    ],
    [
      "counts for a time that comes once",
      [{ id: "trg_1", at: "2026-03-03T12:00:00Z", timezone: "UTC" }],
      "01T00:00",
      "03T12:00",
    ],
    ["is nothing after that", [{ id: "trg_1", at: "2026-03-03T12:00:00Z", timezone: "UTC" }], "03T13:00", null],
    ["is nothing without a schedule", [], "01T00:00", null],
  ])("%s", (_, triggers, since, slot) => {
    expect(from(triggers, since)).toBe(slot === null ? null : at(slot) + HOUR_MS + QUIET_GRACE_MS);
  });

  it("waits for jitter, too", () => {
    const late = from([{ ...daily, jitter: "1h" }], "01T09:10") ?? 0;
    expect(late).toBeGreaterThan(from([daily], "01T09:10") ?? 0);
    expect(late).toBeLessThan((from([daily], "01T09:10") ?? 0) + HOUR_MS);
  });
});
