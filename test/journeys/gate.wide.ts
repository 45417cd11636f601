/** A routine's gate while it can't be asked for long, is changed, or its object is not reached. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { ToGate } from "#durable-objects/routine/receivers/to-gate.ts";
import type { Delivery } from "#protocol/delivery.ts";
import type { SourceEvent } from "#protocol/source-event.ts";
import { call, fire } from "#test/support/api.ts";
import { countsOf, occurrencesOf, passTo, tick } from "#test/support/clock.ts";
import {
  alarmAt,
  bed,
  CLOSED,
  DOWN,
  GATE,
  gated,
  NINE,
  OPEN,
  patch,
  read,
  runsOf,
  send,
  untilCounted,
  untilFailed,
  useGates,
} from "#test/support/gated.ts";
import { fail, routine as object, resetAt } from "#test/support/hang.ts";
import { asking, ownerOf } from "#test/support/objects.ts";

const EVENT: Omit<SourceEvent, "name" | "event_id" | "dedupe_key"> = {
  ...{ source: "event", delivery_id: null, trigger_id: null, action: null, summary: "Event", context: "" },
  ...{ content_key: "body:same", payload: null, fields: {}, github: null, caused_by: null },
};
useGates();

describe("what waits for a gate", () => {
  it("is no repeat of what has the same body and waits already for longer than such a body counts", async () => {
    const routine = await gated();
    bed.answer = DOWN;
    const told = async (id: string, seconds: number) => {
      passTo(new Date(NINE + seconds * 1_000).toISOString());
      await asking(routine.id).takeEvents([{ ...EVENT, name: routine.event, event_id: id, dedupe_key: id }]);
    };
    await told("one", 0);
    await untilFailed(routine.id, 1);
    await told("two", 240);
    await told("three", 360);
    await untilCounted(routine.id, { "duplicate same_event": 1 });
    expect((await read(routine.id)).gate_state?.waiting).toBe(2);
    bed.answer = OPEN;
    await alarmAt(routine.id, 480);
    await untilCounted(routine.id, { "duplicate same_event": 1, "started admitted": 1, "queued at_max_concurrent": 1 });
    // What it counts from is when it came, not when the gate has answered.
    await told("four", 600);
    await told("five", 720);
    const more = { "duplicate same_event": 2, "started admitted": 1, "queued at_max_concurrent": 2 };
    await untilCounted(routine.id, more);
  });

  it("is told with the delivery that brought it once it is decided, each time that this is handled", async () => {
    const routine = await gated({ overlap: "queue" });
    bed.answer = CLOSED;
    const { id } = await send(routine.event, "one");
    const path = `/api/v1/deliveries/${id}`;
    const toldOf = async () => (await call<Delivery>("GET", path)).body.outcomes;
    // An object that does not answer in time is left out, as on a busy machine.
    const untilTold = (outcome: object) =>
      vi.waitFor(async () => expect(await toldOf()).toMatchObject([outcome]), 20_000);
    await untilCounted(routine.id, { "skipped gate_closed": 1 });
    const [closed] = await occurrencesOf(routine.id);
    const verdict = { matched: true, outcome: "skipped", reason: "gate_closed", occurrence_id: closed?.id };
    await untilTold({ ...verdict, run_id: null, why: closed?.detail });
    // Handled again it waits again: what came of it the first time is not the answer.
    bed.answer = DOWN;
    expect((await call("POST", `${path}/replay`)).status).toBe(200);
    await untilFailed(routine.id, 1);
    expect(await toldOf()).toMatchObject([{ matched: true, outcome: null, occurrence_id: null }]);
    bed.answer = OPEN;
    await alarmAt(routine.id, 10);
    await untilCounted(routine.id, { "skipped gate_closed": 1, "started admitted": 1 });
    const [run] = await runsOf(routine.id);
    await untilTold({ matched: true, outcome: "started", reason: "admitted", run_id: run?.id });
    // It is read without those of an object that does not answer.
    vi.spyOn(console, "error").mockImplementation(() => {});
    using _failing = fail(object("decidedOf"));
    expect(await toldOf()).toMatchObject([{ matched: true, outcome: null, occurrence_id: null }]);
  });

  it("goes before what comes later, also where the gate is taken away meanwhile", async () => {
    const routine = await gated({ overlap: "queue" });
    const held = Promise.withResolvers<void>();
    bed.answer = async () => {
      await held.promise;
      return OPEN();
    };
    await send(routine.event, "one");
    await vi.waitFor(() => expect(bed.asks).toBe(1), 20_000);
    await patch(routine.id, { gate: null });
    const { outcomes } = await send(routine.event, "two");
    expect(outcomes).toMatchObject([{ matched: true, outcome: null }]);
    held.resolve();
    await untilCounted(routine.id, { "started admitted": 1, "queued overlap_queue": 1 });
    const keys = (await occurrencesOf(routine.id)).map(({ trigger }) => trigger.delivery_id ?? "");
    expect(keys).toEqual(keys.toSorted());
    expect((await send(routine.event, "three")).outcomes).toMatchObject([{ outcome: "queued" }]);
  });

  it("takes in of a watch no more than may wait, also where the gate is taken away meanwhile", async () => {
    const watch = { type: "watch", connector: "linear", tool: "watched", items: "issues" };
    const routine = await gated({ overlap: "skip", triggers: [watch, { type: "event", name: "gate.room" }] });
    await alarmAt(routine.id, 1);
    await vi.waitFor(async () => expect((await read(routine.id)).triggers[0]?.look?.looked_at).not.toBeNull(), 20_000);
    const held = Promise.withResolvers<void>();
    bed.answer = async () => {
      await held.promise;
      return OPEN();
    };
    passTo(new Date(NINE + 300_000).toISOString());
    await send("gate.room", "one");
    await vi.waitFor(() => expect(bed.asks).toBe(1), 20_000);
    await patch(routine.id, { gate: null });
    bed.watched = Array.from({ length: 1_100 }, (_one, number) => ({ id: `I-${number}` }));
    await alarmAt(routine.id, 302);
    await vi.waitFor(async () => expect((await read(routine.id)).triggers[0]?.look?.items).toBeGreaterThan(0), 20_000);
    held.resolve();
    await untilCounted(routine.id, { "started admitted": 1, "skipped overlap_skip": 999 });
  });

  it("is seen to by the sweep where the object's alarm is lost while the gate can't be asked", async () => {
    const routine = await gated();
    bed.answer = DOWN;
    await send(routine.event, "one");
    await untilFailed(routine.id, 1);
    const dueAt = async () =>
      (await env.DB.prepare("SELECT due_at FROM due_routines WHERE routine_id = ?").bind(routine.id).first())?.[
        "due_at"
      ];
    await vi.waitFor(async () => expect(await dueAt()).toBeGreaterThan(NINE), 20_000);
    await runInDurableObject(ownerOf(routine.id), (_object, { storage }) => storage.deleteAlarm());
    bed.answer = OPEN;
    await tick("2031-11-23T09:10:00.000Z");
    await runDurableObjectAlarm(ownerOf(routine.id));
    await untilCounted(routine.id, { "started admitted": 1 });
    // Nothing waits any more: the sweep need not come.
    await tick("2031-11-23T09:30:00.000Z");
    expect(await dueAt()).toBeUndefined();
  });

  it("has all its tries with a gate that is changed, and none is used up by another change", async () => {
    const routine = await gated();
    bed.answer = DOWN;
    await send(routine.event, "one");
    await untilFailed(routine.id, 1);
    for (let number = 0; number < 3; number += 1) await patch(routine.id, { prompt: `Another ${number}` });
    await runDurableObjectAlarm(ownerOf(routine.id));
    expect([bed.asks, (await read(routine.id)).gate_state?.failures]).toEqual([1, 1]);
    await patch(routine.id, { gate: { ...GATE, when: "count > 5" } });
    await vi.waitFor(() => expect(bed.asks).toBe(2), 20_000);
    await untilFailed(routine.id, 1);
  });
});

it("a fire waits for no gate that was changed before it was asked", async () => {
  const routine = await gated();
  const asked = vi.spyOn(ToGate.prototype, "askForFire");
  const held = Promise.withResolvers<void>();
  bed.answer = async () => {
    await held.promise;
    return OPEN();
  };
  const first = fire(routine);
  await vi.waitFor(() => expect(bed.asks).toBe(1), 20_000);
  const second = fire(routine);
  await vi.waitFor(() => expect(asked).toHaveBeenCalledTimes(2), 20_000);
  await patch(routine.id, { gate: { ...GATE, when: "count > 5" } });
  const third = fire(routine);
  await vi.waitFor(() => expect(asked).toHaveBeenCalledTimes(3), 20_000);
  held.resolve();
  const answers = await Promise.all([first, second, third]);
  expect(answers.map(({ status }) => status)).toEqual([503, 503, 409]);
  expect(bed.asks).toBe(2);
});

it("a fire hears why the gate can't be asked also where its first answer was lost", async () => {
  const routine = await gated();
  bed.answer = DOWN;
  vi.spyOn(console, "error").mockImplementation(() => {});
  using _reset = resetAt("fire", "after");
  const { body } = await fire(routine);
  expect(body).toMatchObject({
    error: { details: { code: "gate_failed", reason: expect.stringContaining("rate") } },
  });
  expect(await countsOf(routine.id)).toEqual({ "refused gate_failed": 1 });
});
