/** Ids of any length and any spelling: a repeat is one event, and two that differ are two; what is too long is refused by name. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { Delivery } from "#protocol/delivery.ts";
import type { Occurrence } from "#protocol/occurrence.ts";
import type { Run } from "#protocol/run.ts";
import { buildRoutine, call, fire } from "#test/support/api.ts";
import { hmacHex, post } from "#test/support/deliver.ts";
import { ownerOf } from "#test/support/objects.ts";

const SECRET = "8f742231b10e8888abcd99yyyzzz85a5";

async function endpointOf(source: string, more: object = {}, keyed: object = {}) {
  const routine = await buildRoutine({
    max_concurrent: 100,
    triggers: [{ type: "webhook", source, ...more }],
    ...keyed,
  });
  const trigger = routine.triggers[0]?.id ?? "";
  await call("POST", `/api/v1/routines/${routine.id}/triggers/${trigger}/secret`, { secret: SECRET });
  return { routine, path: `/webhooks/${source}/${trigger}` };
}

/** Oldest first, when all that was sent has been handled. */
async function occurrencesOf(routineId: string, count: number): Promise<Occurrence[]> {
  return vi.waitFor(async () => {
    const { body } = await call<Page<Occurrence>>("GET", `/api/v1/routines/${routineId}/occurrences`);
    expect(body.data).toHaveLength(count);
    return body.data.reverse();
  }, 10_000);
}

describe("a sender's key", () => {
  it.each([
    ["that is usual", "deploy-8"],
    ["of more than 255 characters", "k".repeat(300)],
    ["longer than a header that is kept only in part", "k".repeat(3_000)],
  ])("%s is one event each time it comes, and another one is another", async (_title, key) => {
    const { routine, path } = await endpointOf("generic");
    for (const sent of [`${key}a`, `${key}a`, `${key}b`]) {
      const answer = await post(path, '{"type":"deploy"}', {
        authorization: `Bearer ${SECRET}`,
        "content-type": "application/json",
        "idempotency-key": sent,
      });
      expect(answer.status).toBe(202);
    }
    const outcomes = await occurrencesOf(routine.id, 3);
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(["duplicate", "started", "started"]);
    const stored = await env.DB.prepare("SELECT DISTINCT provider_id FROM deliveries WHERE trigger_id = ?")
      .bind(routine.triggers[0]?.id)
      .all();
    expect(stored.results).toHaveLength(2);
  });
});

describe("a source's own id", () => {
  const send = (path: string, id: string) =>
    post(path, JSON.stringify({ specversion: "1.0", type: "deploy", source: "/ci", id }), {
      authorization: `Bearer ${SECRET}`,
      "content-type": "application/cloudevents+json",
    });

  it.each([
    ["composed", "caf\u00e9"],
    ["decomposed", "cafe\u0301"],
    ["both in one", "caf\u00e9 cafe\u0301"],
    ["in a character that has neither form", "\u212bngstrom"],
  ])("is known again as it was written: %s", async (_title, id) => {
    const { routine, path } = await endpointOf("generic");
    for (const sent of [id, id]) expect((await send(path, sent)).status).toBe(202);
    const outcomes = await occurrencesOf(routine.id, 2);
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(["duplicate", "started"]);
  });
});

describe("what a version has stored that did not compose texts", () => {
  const [NFC, NFD] = ["caf\u00e9.stored", "cafe\u0301.stored"];

  it("is found by its name, its session and its key", async () => {
    const { id } = await buildRoutine({
      session: "keyed",
      session_key: "{{event.who}}",
      overlap: "parallel",
      triggers: [{ type: "event", name: NFC }],
    });
    const send = (dedupe_key: string) =>
      call<Delivery>("POST", "/api/v1/events", { name: NFD, dedupe_key, payload: { who: NFC } });
    expect((await send(NFC)).body).toMatchObject({ outcomes: [{ outcome: "started" }] });
    await vi.waitFor(async () => {
      const renamed = env.DB.prepare("UPDATE subscriptions SET key = ? WHERE routine_id = ?").bind(`event:${NFD}`, id);
      expect((await renamed.run()).meta.changes).toBe(1);
    });
    await runInDurableObject(ownerOf(id), (_object, { storage: { sql } }) => {
      sql.exec("UPDATE session_keys SET key = ?", NFD);
      for (const { key } of sql.exec<{ key: string }>("SELECT key FROM idempotency_keys").toArray()) {
        sql.exec("UPDATE idempotency_keys SET key = ? WHERE key = ?", key.normalize("NFD"), key);
      }
    });
    expect((await send(NFC)).body).toMatchObject({ outcomes: [{ matched: true, outcome: "duplicate" }] });
    expect((await send("another")).body).toMatchObject({ outcomes: [{ matched: true }] });
    const { body } = await call<Page<Run>>("GET", `/api/v1/routines/${id}/runs`);
    expect(new Set(body.data.map(({ session_id }) => session_id)).size).toBe(1);
  });
});

describe("an internal event", () => {
  const send = (name: string, dedupe_key?: string) =>
    call<Delivery>("POST", "/api/v1/events", { name, ...(dedupe_key === undefined ? {} : { dedupe_key }) });

  it.each([
    ["as one that is written in other characters", "caf\u00e9.geschlossen", "cafe\u0301.geschlossen"],
    ["with a name of 101 emoji", "🚨".repeat(101), "🚨".repeat(101)],
    ["with a name of 200 emoji", "🚒".repeat(200), "🚒".repeat(200)],
  ])("wakes what waits for it: %s", async (_title, waited, sent) => {
    await buildRoutine({ triggers: [{ type: "event", name: waited }] });
    expect((await send(sent)).body).toMatchObject({ event: sent, outcomes: [{ matched: true, outcome: "started" }] });
  });

  it("is a repeat by a key that is written in other characters", async () => {
    await buildRoutine({ triggers: [{ type: "event", name: "repeat.composed" }] });
    await send("repeat.composed", "caf\u00e9");
    expect((await send("repeat.composed", "cafe\u0301")).body).toMatchObject({ outcomes: [{ outcome: "duplicate" }] });
  });

  it.each([
    [{ name: "a", dedupe_key: "k".repeat(256) }, "dedupe_key"],
    [{ name: "🚨".repeat(201) }, "name"],
    [{ name: " \u200b" }, "name"],
    [{ name: "a\u0000" }, "name"],
  ])("is refused by the name of what is wrong: %j", async (body, field) => {
    expect(await call("POST", "/api/v1/events", body)).toMatchObject({
      status: 400,
      body: { error: { details: { field } } },
    });
  });
});

describe("a fire", () => {
  it.each([
    ["letters", "x".repeat(65_536), 200],
    ["emoji, each of which is one", "🚨".repeat(65_536), 200],
    ["one letter too many", "x".repeat(65_537), 400],
    ["one emoji too many", "🚨".repeat(65_537), 400],
  ])("takes a text of 65,536 characters: %s", async (_title, text, status) => {
    expect((await fire(await buildRoutine(), { text })).status).toBe(status);
  });

  it("refuses a longer key by name", async () => {
    const routine = await buildRoutine();
    expect((await fire(routine, {}, { "idempotency-key": "k".repeat(255) })).status).toBe(200);
    const refused = await fire(routine, {}, { "idempotency-key": "k".repeat(256) });
    expect(refused).toMatchObject({ status: 400, body: { error: { details: { field: "Idempotency-Key" } } } });
  });
});

describe("a thread of Slack's", () => {
  it("is one session: a message, its reply and what is changed of it", async () => {
    const keyed = { session: "keyed", session_key: "{{webhook.conversation}}" };
    const { routine, path } = await endpointOf("slack", {}, keyed);
    const message = { type: "message", channel: "C1", user: "U1" };
    const said = { ...message, ts: "1.1", text: "look" };
    const events = [
      said,
      { ...message, ts: "2.2", thread_ts: "1.1", text: "and here" },
      {
        ...{ type: "message", channel: "C1", subtype: "message_changed", ts: "3.3" },
        ...{ message: { ...said, text: "look again" }, previous_message: said },
      },
      { ...message, ts: "4.4", text: "something else" },
    ];
    for (const [place, event] of events.entries()) {
      const body = JSON.stringify({ type: "event_callback", team_id: "T1", event_id: `Ev${place}`, event });
      const time = String(Math.floor(Date.now() / 1_000));
      const signature = `v0=${await hmacHex(SECRET, `v0:${time}:${body}`)}`;
      const headers = { "x-slack-request-timestamp": time, "x-slack-signature": signature };
      expect((await post(path, body, { ...headers, "content-type": "application/json" })).status).toBe(202);
    }
    const keys = (await occurrencesOf(routine.id, 4)).map(({ session_key }) => session_key);
    expect(keys.sort()).toEqual(["C1 1.1", "C1 1.1", "C1 1.1", "C1 4.4"]);
  });
});
