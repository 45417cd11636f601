/** Bursts: events that come close upon each other become one run, which names them all. */
import { describe, expect, it } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { Delivery } from "#protocol/delivery.ts";
import { FIRE_TEXT_LIMIT, type Occurrence } from "#protocol/occurrence.ts";
import { buildRoutine, call, readRun, readTranscript } from "#test/support/api.ts";

let made = 0;

/** A routine that waits for an event of its own name. */
async function waiting(coalesce: object, more: object = {}) {
  made += 1;
  const name = `burst.${made}`;
  const routine = await buildRoutine({ triggers: [{ type: "event", name, coalesce }], ...more });
  const send = async (payload: object) => {
    const { body } = await call<Delivery>("POST", "/api/v1/events", { name, payload });
    return body.outcomes[0];
  };
  return { routine, send };
}

async function occurrences(id: string): Promise<Occurrence[]> {
  return (await call<Page<Occurrence>>("GET", `/api/v1/routines/${id}/occurrences`)).body.data;
}

describe("a burst", () => {
  it("is not superseded by another, whatever the overlap policy", async () => {
    const { routine, send } = await waiting({ key: "id", window: "60s" }, { overlap: "queue_latest" });
    const [one, two] = [await send({ id: 1 }), await send({ id: 2 })];
    await send({ id: 1 });
    await send({ id: 2 });
    expect((await occurrences(routine.id)).map(({ reason }) => reason)).toEqual(Array(4).fill("coalesced"));
    for (const first of [one, two]) {
      const run = await readRun(first?.run_id ?? "");
      expect(run.status).toBe("queued");
      expect(run.trigger.occurrence_ids).toHaveLength(2);
    }
  });

  it("without a key takes in everything", async () => {
    const { routine, send } = await waiting({ window: "60s" });
    await Promise.all([1, 2, 3].map((id) => send({ id })));
    const runs = new Set((await occurrences(routine.id)).map(({ run_id }) => run_id));
    expect(runs.size).toBe(1);
  });

  it("tells the agent no more than fits, and says of nothing else that it was told", async () => {
    const { send } = await waiting({ window: "60s" });
    const text = "x".repeat(15_000);
    const first = await send({ text });
    for (let count = 0; count < 6; count += 1) await send({ text });
    const run = await readRun(first?.run_id ?? "");
    expect(run.trigger.occurrence_ids).toHaveLength(7);
    const told = (await readTranscript(run.session_id)).flatMap((event) =>
      event.type === "user.message" && event.source === "trigger" ? [event.text] : [],
    );
    expect(told).toHaveLength(5);
    expect(told.at(-1)).toMatch(/no room/);
    expect(told.join("").length).toBeLessThan(FIRE_TEXT_LIMIT);
  });

  it("with a key as long as its payload is one row like any other", async () => {
    const { routine, send } = await waiting({ key: "body", window: "60s" });
    const outcome = await send({ body: "y".repeat(200_000) });
    expect(outcome).toMatchObject({ outcome: "queued", reason: "coalesced" });
    expect(await occurrences(routine.id)).toHaveLength(1);
  });

  it("with long keys that begin alike waits for each of them apart", async () => {
    const { routine, send } = await waiting({ key: "body", window: "60s" });
    for (const end of ["a", "b", "a"]) await send({ body: `${"y".repeat(5_000)}${end}` });
    const runs = (await occurrences(routine.id)).map(({ run_id }) => run_id);
    expect(runs[0]).toBe(runs[2]);
    expect(new Set(runs).size).toBe(2);
  });

  it("with keys that say the same in other characters is one", async () => {
    const { routine, send } = await waiting({ key: "place", window: "60s" });
    for (const place of ["caf\u00e9", "cafe\u0301"]) await send({ place });
    expect(new Set((await occurrences(routine.id)).map(({ run_id }) => run_id)).size).toBe(1);
  });
});
