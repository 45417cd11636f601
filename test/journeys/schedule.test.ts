/** The clock: the sweep finds what is due, the routine's object claims it once, and every time leaves a record. */
import { createExecutionContext, createScheduledController, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { Routine } from "#protocol/routine.ts";
import type { Occurrence } from "#protocol/trigger-event.ts";
import { buildRoutine, call } from "#test/support/api.ts";
import worker from "#worker/index.ts";

const START_MS = Date.parse("2026-11-23T08:59:30.000Z");

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: START_MS });
});
afterEach(() => {
  vi.useRealTimers();
});

async function sweepAt(time: string): Promise<void> {
  vi.setSystemTime(Date.parse(time));
  const context = createExecutionContext();
  await worker.scheduled(createScheduledController({ scheduledTime: new Date(time), cron: "* * * * *" }), env);
  await waitOnExecutionContext(context);
}

async function occurrences(id: string): Promise<Occurrence[]> {
  const { body } = await call<Page<Occurrence>>("GET", `/api/v1/routines/${id}/occurrences`);
  return body.data;
}

describe("a schedule", () => {
  it("shows its next three times, fires once at each, and whatever the sweep does, not twice", async () => {
    const routine = await buildRoutine({
      triggers: [{ type: "schedule", cron: "0 10 * * *", timezone: "Europe/Paris" }],
    });
    const { body } = await call<Routine>("GET", `/api/v1/routines/${routine.id}`);
    expect(body.triggers[0]?.next_fire_times).toEqual([
      "2026-11-23T09:00:00.000Z",
      "2026-11-24T09:00:00.000Z",
      "2026-11-25T09:00:00.000Z",
    ]);
    await sweepAt("2026-11-23T09:00:00.000Z");
    await sweepAt("2026-11-23T09:00:00.000Z");
    await vi.waitFor(async () => expect(await occurrences(routine.id)).toHaveLength(1), 5_000);
    await sweepAt("2026-11-23T09:05:00.000Z");
    const all = await occurrences(routine.id);
    expect(all.map(({ outcome, reason, trigger }) => [outcome, reason, trigger.type])).toEqual([
      ["started", "admitted", "schedule"],
    ]);
  });
});
