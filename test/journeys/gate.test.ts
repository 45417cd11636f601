/** A routine's gate: a connector is asked before the routine wakes, and nothing that comes is lost or run without it. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { DeadLetter } from "#protocol/dead-letter.ts";
import type { ErrorBody } from "#protocol/errors.ts";
import type { Notification } from "#protocol/notification.ts";
import { call, fire, fired } from "#test/support/api.ts";
import { countsOf, occurrencesOf, tick } from "#test/support/clock.ts";
import {
  alarmAt,
  bed,
  CLOSED,
  DOWN,
  GATE,
  gated,
  OPEN,
  patch,
  read,
  restart,
  runsOf,
  send,
  untilCounted,
  untilFailed,
  useGates,
} from "#test/support/gated.ts";
import { ownerOf } from "#test/support/objects.ts";

useGates();

describe("what comes by itself", () => {
  it("starts a run where the gate is open, and none where it is closed, with the figures", async () => {
    const routine = await gated();
    const delivery = await send(routine.event, "one");
    expect(delivery.outcomes).toMatchObject([{ matched: true, outcome: null, why: expect.stringContaining("gate") }]);
    await untilCounted(routine.id, { "started admitted": 1 });
    expect(bed.server.messages.find(({ method }) => method === "tools/call")?.params).toMatchObject({
      name: "list_issues",
      arguments: { state: "triage" },
    });
    bed.answer = CLOSED;
    await send(routine.event, "two");
    await untilCounted(routine.id, { "started admitted": 1, "skipped gate_closed": 1 });
    expect((await occurrencesOf(routine.id)).at(-1)).toMatchObject({
      run_id: null,
      detail: "The gate is closed: count > 0 is false (count is 0).",
      trigger: { delivery_id: expect.any(String) },
    });
    const before = bed.asks;
    // What has come before is known without the gate, whatever that said.
    await send(routine.event, "one");
    await send(routine.event, "two");
    await untilCounted(routine.id, { "started admitted": 1, "skipped gate_closed": 1, "duplicate same_delivery": 2 });
    expect([bed.asks, (await runsOf(routine.id)).length]).toEqual([before, 1]);
    expect((await read(routine.id)).gate_state).toEqual({ waiting: 0, failures: 0, fault: null, next_ask_at: null });
  });

  it("is asked for once where much comes, decided in order, and known while it waits, over a reset of the object", async () => {
    const routine = await gated({ overlap: "queue" });
    const held = Promise.withResolvers<void>();
    let isHeld = true;
    bed.answer = async () => {
      if (isHeld) await held.promise;
      return OPEN();
    };
    await send(routine.event, "0");
    await vi.waitFor(() => expect(bed.asks).toBe(1), 20_000);
    for (let number = 1; number < 60; number += 1) await send(routine.event, String(number));
    await send(routine.event, "7");
    expect((await read(routine.id)).gate_state).toMatchObject({ waiting: 60, failures: 0 });
    await untilCounted(routine.id, { "duplicate same_delivery": 1 });
    await restart(routine.id);
    isHeld = false;
    await runDurableObjectAlarm(ownerOf(routine.id));
    const all = { "duplicate same_delivery": 1, "started admitted": 1, "queued overlap_queue": 59 };
    await untilCounted(routine.id, all);
    // What the first one brings, late, decides nothing any more.
    held.resolve();
    await runDurableObjectAlarm(ownerOf(routine.id));
    expect(await countsOf(routine.id)).toEqual(all);
    expect(bed.asks).toBeLessThan(5);
    const texts = await runsOf(routine.id);
    expect(texts.map(({ trigger }) => trigger.occurrence_id).toReversed()).toEqual(
      (await occurrencesOf(routine.id)).flatMap(({ id, run_id }) => (run_id === null ? [] : [id])),
    );
  });

  it("waits while the gate can't be asked, goes on when it can, and is told when that is given up", async () => {
    const notify = [{ on: ["missed"], webhook: "https://hooks.acme.dev/gate" }];
    const routine = await gated({ notify });
    bed.answer = DOWN;
    await send(routine.event, "one");
    await untilFailed(routine.id, 1);
    expect((await read(routine.id)).gate_state).toMatchObject({
      waiting: 1,
      fault: "The tool answers with an error: rate limited",
      next_ask_at: expect.stringMatching(/^2031-11-23T09:00:0/),
    });
    // What comes meanwhile waits with it: a server that is down is not asked for each.
    await send(routine.event, "two");
    expect([bed.asks, (await read(routine.id)).gate_state?.waiting]).toEqual([1, 2]);
    bed.answer = CLOSED;
    await alarmAt(routine.id, 10);
    await untilCounted(routine.id, { "skipped gate_closed": 2 });

    bed.server.instead = () => new Response(null, { status: 401 });
    await send(routine.event, "three");
    await untilFailed(routine.id, 1);
    for (let failures = 2; failures < 8; failures += 1) {
      await alarmAt(routine.id, failures * 1_000);
      await untilFailed(routine.id, failures);
    }
    await alarmAt(routine.id, 8_000);
    await untilCounted(routine.id, { "skipped gate_closed": 2, "refused gate_failed": 1 });
    const [given] = (await occurrencesOf(routine.id)).toReversed();
    expect(given).toMatchObject({
      run_id: null,
      detail: expect.stringMatching(/could not be asked: The server wants a credential/),
    });
    await vi.waitFor(async () => {
      const { body } = await call<Page<Notification>>("GET", `/api/v1/notifications?routine=${routine.id}`);
      expect(body.data.map(({ kind }) => kind)).toEqual(["missed"]);
    }, 20_000);
    const letters = await vi.waitFor(async () => {
      const { body } = await call<Page<DeadLetter>>("GET", `/api/v1/dead-letters?routine=${routine.id}`);
      expect(body.data.map(({ reason }) => reason)).toEqual(["gate_failed"]);
      return body.data;
    }, 20_000);
    // By hand no gate is asked.
    expect((await call("POST", `/api/v1/dead-letters/${letters[0]?.id}/fire`)).status).toBe(200);
    expect((await call("POST", `/api/v1/routines/${routine.id}/run`)).status).toBe(200);
    expect(await runsOf(routine.id)).toHaveLength(2);
  });

  it("of a schedule waits once for each of its times", async () => {
    const routine = await gated({ triggers: [{ type: "schedule", cron: "*/30 * * * *", timezone: "UTC" }] });
    bed.answer = DOWN;
    await tick("2031-11-23T09:30:00.000Z");
    await untilFailed(routine.id, 1);
    await tick("2031-11-23T09:30:00.000Z");
    await restart(routine.id);
    bed.answer = OPEN;
    await alarmAt(routine.id, 1_860);
    await untilCounted(routine.id, { "started admitted": 1 });
    expect((await read(routine.id)).gate_state?.waiting).toBe(0);
  });

  it.each<[string, (id: string) => Promise<unknown>, Record<string, number>]>([
    ["paused", (id) => call("POST", `/api/v1/routines/${id}/pause`), { "refused routine_paused": 1 }],
    ["without its gate", (id) => patch(id, { gate: null }), { "started admitted": 1 }],
    ["with another gate", (id) => patch(id, { gate: { ...GATE, when: "count > 5" } }), { "skipped gate_closed": 1 }],
  ])("is decided by what the routine is when the answer comes: %s", async (_what, change, counts) => {
    const routine = await gated();
    const held = Promise.withResolvers<void>();
    bed.answer = async () => {
      if (bed.asks === 1) await held.promise;
      return OPEN();
    };
    await send(routine.event, "one");
    await vi.waitFor(() => expect(bed.asks).toBe(1), 20_000);
    await change(routine.id);
    held.resolve();
    await untilCounted(routine.id, counts);
  });

  it("leaves nothing behind where the routine is deleted meanwhile", async () => {
    const routine = await gated();
    const held = Promise.withResolvers<void>();
    bed.answer = async () => {
      await held.promise;
      return OPEN();
    };
    await send(routine.event, "one");
    await vi.waitFor(() => expect(bed.asks).toBe(1), 20_000);
    expect((await call("DELETE", `/api/v1/routines/${routine.id}`)).status).toBe(204);
    held.resolve();
    await vi.waitFor(async () => {
      const rows = await runInDurableObject(ownerOf(routine.id), (_object, { storage }) =>
        ["gated_wakes", "gated_keys", "runs", "outbox"].map(
          (table) => storage.sql.exec<{ count: number }>(`SELECT COUNT(*) AS count FROM ${table}`).one().count,
        ),
      );
      expect(rows).toEqual([0, 0, 0, 0]);
    }, 20_000);
  });

  it("waits up to a bound, and what a watch sees beyond that is seen again when there is room", async () => {
    const watch = { type: "watch", connector: "linear", tool: "watched", items: "issues" };
    const routine = await gated({ overlap: "skip", triggers: [watch, { type: "event", name: "gate.bound" }] });
    const looked = (count: number) =>
      vi.waitFor(async () => expect((await read(routine.id)).triggers[0]?.look?.items).toBe(count), 20_000);
    await alarmAt(routine.id, 1);
    await vi.waitFor(async () => expect((await read(routine.id)).triggers[0]?.look?.looked_at).not.toBeNull(), 20_000);
    const held = Promise.withResolvers<void>();
    bed.answer = async () => {
      await held.promise;
      return CLOSED();
    };
    bed.watched = Array.from({ length: 1_100 }, (_one, number) => ({ id: `I-${number}` }));
    await alarmAt(routine.id, 301);
    await looked(1_000);
    expect((await read(routine.id)).gate_state?.waiting).toBe(1_000);
    expect((await send("gate.bound", "one")).outcomes).toMatchObject([{ outcome: "refused", reason: "queue_full" }]);
    held.resolve();
    await untilCounted(routine.id, { "refused queue_full": 1, "skipped gate_closed": 1_000 });
    await alarmAt(routine.id, 602);
    await looked(1_100);
    await untilCounted(routine.id, { "refused queue_full": 1, "skipped gate_closed": 1_100 });
  });

  it("waits for more like it after the gate, where its trigger says so", async () => {
    const event = "gate.burst";
    const triggers = [{ type: "event", name: event, coalesce: { window: "60s" } }];
    const routine = await gated({ triggers });
    await send(event, "one");
    await untilCounted(routine.id, { "queued coalesced": 1 });
    await send(event, "two");
    await untilCounted(routine.id, { "queued coalesced": 2 });
    expect(await runsOf(routine.id)).toHaveLength(1);
  });
});

describe("a fire", () => {
  it("hears what the gate says: a run, or that it is closed, with one answer for one key", async () => {
    const routine = await gated();
    const key = { "Idempotency-Key": "K" };
    const first = await fired(routine, { text: "a" }, key);
    bed.answer = CLOSED;
    expect(await fired(routine, { text: "a" }, key)).toMatchObject({ run_id: first.run_id, duplicate: true });
    const closed = await fire(routine, {}, { "Idempotency-Key": "L" });
    const details = { code: "gate_closed", reason: "count > 0 is false (count is 0)" };
    expect(closed).toMatchObject({ status: 409, body: { error: { type: "conflict_error", details } } });
    bed.answer = OPEN;
    const before = bed.asks;
    const again = await fire(routine, {}, { "Idempotency-Key": "L" });
    expect(again).toMatchObject({ status: 409, body: { error: { details } } });
    expect(bed.asks).toBe(before);
    const counts = {
      "started admitted": 1,
      "duplicate same_idempotency_key": 2,
      "skipped gate_closed": 1,
    };
    expect(await countsOf(routine.id)).toEqual(counts);
  });

  it("is told when the gate can't be asked, and may come again under the same key", async () => {
    const routine = await gated();
    const key = { "Idempotency-Key": "K" };
    bed.answer = DOWN;
    const failed = await fire(routine, {}, key);
    const details = {
      code: "gate_failed",
      reason: "The tool answers with an error: rate limited",
    };
    expect(failed).toMatchObject({ status: 503, body: { error: { type: "overloaded_error", details } } });
    expect(failed.headers.get("retry-after")).not.toBeNull();
    bed.answer = OPEN;
    await fired(routine, {}, key);
    expect(await countsOf(routine.id)).toEqual({ "refused gate_failed": 1, "started admitted": 1 });
  });

  it("shares one question with others that come at one time, and one of a key starts once", async () => {
    const routine = await gated();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_one, number) => fire(routine, {}, { "Idempotency-Key": `K${number % 4}` })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(bed.asks).toBeLessThan(10);
    expect(await runsOf(routine.id)).toHaveLength(4);
  });

  it("asks nothing while the routine is paused", async () => {
    const routine = await gated();
    await call("POST", `/api/v1/routines/${routine.id}/pause`);
    expect((await fire(routine)).status).toBe(400);
    expect(bed.asks).toBe(0);
  });
});

it.each<[string, object, string[]]>([
  ["of a connector that the routine does not have", { connector: "other" }, ["gate.connector"]],
  ["with an expression that can't be read", { when: "count > " }, ["gate.when"]],
  ["with a key that there is not", { tools: "x" }, ["gate.tools"]],
])("a gate is refused %s", async (_what, more, fields) => {
  const input = { name: "g", prompt: "p", connectors: ["linear"], gate: { ...GATE, ...more } };
  const { status, body } = await call<ErrorBody>("POST", "/api/v1/routines", input);
  expect([status, body.error.details?.issues?.map((issue) => issue.field)]).toEqual([400, fields]);
});
