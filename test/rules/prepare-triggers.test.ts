/** A routine's triggers as they are written: which keep their id, and what is refused by name. */
import { describe, expect, it } from "vitest";
import { type Trigger, type TriggerInput, triggerInputSchema } from "#protocol/triggers.ts";
import { prepareTriggers } from "#rules/triggers/prepare-triggers.ts";

const NOW_MS = Date.parse("2026-11-23T09:00:00.000Z");
const input = (trigger: object): TriggerInput => triggerInputSchema.parse(trigger);
const idOf = (number: number) => `trg_${String(number).padStart(26, "0")}`;

let drawn = 0;

function prepare(inputs: readonly object[], before: readonly Trigger[] = []) {
  const prepared = prepareTriggers(
    inputs.map(input),
    before,
    () => {
      drawn += 1;
      return idOf(drawn);
    },
    NOW_MS,
  );
  if (!prepared.ok) throw new Error(prepared.refusal.message);
  return prepared.value;
}

const DAILY = { type: "schedule", cron: "0 9 * * *", timezone: "Europe/Paris" };
const NIGHTLY = { type: "schedule", cron: "0 1 * * *" };
const SENTRY = { type: "webhook", source: "sentry" };

describe("triggers", () => {
  it("that are shown and sent back are the same", () => {
    const first = prepare([DAILY, NIGHTLY, SENTRY, { type: "api" }]);
    const shown = first.map((trigger) => ({ ...trigger, status: "active", next_fire_times: [], endpoint: null }));
    expect(prepare(shown, first)).toEqual(first);
  });

  it("keep their ids by what they are, whatever the order", () => {
    const [daily, nightly] = prepare([DAILY, NIGHTLY]);
    expect(
      prepare(
        [NIGHTLY, DAILY],
        [daily, nightly].filter((one) => one !== undefined),
      ),
    ).toEqual([nightly, daily]);
  });

  it("that change keep the id of their kind, and a new one gets a new id", () => {
    const [sentry] = prepare([SENTRY]);
    const filters = [{ field: "action", operator: "equals", value: "created" }];
    const changed = prepare(
      [
        { ...SENTRY, filters },
        { type: "webhook", source: "linear" },
      ],
      sentry ? [sentry] : [],
    );
    expect(changed.map(({ id }) => id)).toEqual([sentry?.id, idOf(drawn)]);
  });

  it("that name an id keep it though another looks the same", () => {
    const before = prepare([DAILY, DAILY]);
    const [, second] = before;
    expect(prepare([{ ...DAILY, id: second?.id }], before).map(({ id }) => id)).toEqual([second?.id]);
  });

  it("count a delay from when it was written, and keep a time as it was written", () => {
    const [relative, absolute] = prepare([
      { type: "schedule", at: "in 2 weeks", timezone: "Europe/Paris" },
      { type: "schedule", at: "2026-12-05T09:00", timezone: "Asia/Tokyo" },
    ]);
    expect(relative).toMatchObject({ at: "2026-12-07T09:00:00.000Z" });
    expect(absolute).toMatchObject({ at: "2026-12-05T09:00" });
  });

  it("written again as the same delay keep the time that it became", () => {
    const delayed = { type: "schedule", at: "in 2 weeks", timezone: "Europe/Paris" };
    const before = prepare([delayed]);
    const later = prepareTriggers([input(delayed)], before, () => idOf(0), NOW_MS + 30 * 86_400_000);
    expect(later).toEqual({ ok: true, value: before });
    const changed = prepareTriggers([input({ ...delayed, catch_up: "none" })], before, () => idOf(0), NOW_MS + 1);
    expect(changed).toMatchObject({ ok: true, value: [{ at: "2026-12-07T09:00:00.000Z", catch_up: "none" }] });
  });

  it("that have fired can still be changed, but not be given another time that has passed", () => {
    const before = prepare([{ type: "schedule", at: "2026-11-24T09:00" }]);
    const at = (time: string) => [input({ type: "schedule", at: time, id: before[0]?.id, jitter: "5m" })];
    const later = NOW_MS + 30 * 86_400_000;
    expect(prepareTriggers(at("2026-11-24T09:00"), before, () => idOf(0), later)).toMatchObject({ ok: true });
    expect(prepareTriggers(at("2026-11-25T09:00"), before, () => idOf(0), later)).toMatchObject({ ok: false });
  });

  it("of another source are others, also under the id of the one before", () => {
    const [sentry] = prepare([SENTRY]);
    const [linear] = prepare([{ type: "webhook", source: "linear", id: sentry?.id }], sentry ? [sentry] : []);
    expect(linear?.id).not.toBe(sentry?.id);
  });

  it("whose time has passed are refused, but not one that is kept as it was", () => {
    const past = { type: "schedule", at: "2026-11-01T09:00" };
    expect(() => prepare([past])).toThrow(/^triggers\[0\]\.at: .*has passed/);
    const kept: Trigger = { at: past.at, type: "schedule", id: idOf(1), timezone: "UTC", catch_up: "latest" };
    expect(prepare([past], [kept])).toEqual([kept]);
  });

  it.each([
    [{ type: "schedule", cron: "61 * * * *" }, /^triggers\[0\]\.cron: /],
    [{ type: "schedule", cron: "0 0 30 2 *" }, /^triggers\[0\]\.cron: .*never/],
    [
      { type: "event", name: "e", filters: [{ field: "a", operator: "matches_regex", value: "(" }] },
      /^triggers\[0\]\.filters\[0\]\.value: /,
    ],
  ])("such as %j are refused, and the field is named", (trigger, message) => {
    expect(() => prepare([trigger])).toThrow(message);
  });
});
