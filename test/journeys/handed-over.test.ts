/** A secret that comes to an endpoint by itself comes from anybody: nobody is believed by it before the owner has said yes. */

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Routine } from "#protocol/routine.ts";
import { webhookSources } from "#protocol/webhook-sources.ts";
import { buildRoutine, call } from "#test/support/api.ts";
import { hmacHex, post } from "#test/support/deliver.ts";
import { ownerOf } from "#test/support/objects.ts";

interface Waiting {
  id: string;
  secret: string;
  times: number;
  ip: string | null;
  user_agent: string | null;
}

const NOTIONS = "secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl";
const STRANGERS = "secret_a-stranger-has-made-this-one-up-0123456789";
const EVENT = JSON.stringify({ id: "1", type: "page.created", entity: { id: "2", type: "page" } });

async function listening(source = "notion") {
  const routine = await buildRoutine({ triggers: [{ type: "webhook", source }] });
  const triggerId = routine.triggers[0]?.id ?? "";
  const secret = `/api/v1/routines/${routine.id}/triggers/${triggerId}/secret`;
  const path = `/webhooks/${source}/${triggerId}`;
  const handOver = (token: string, headers: Record<string, string> = {}) =>
    post(path, JSON.stringify({ verification_token: token }), headers);
  const event = async (token: string) => {
    const signature = { "x-notion-signature": `sha256=${await hmacHex(token, EVENT)}` };
    return (await post(path, EVENT, signature)).status;
  };
  const waiting = async () => (await call<{ data: Waiting[] }>("GET", `${secret}/handed-over`)).body.data;
  const confirm = (id: string | undefined) => call<{ secret: string }>("POST", `${secret}/handed-over`, { id });
  const shown = async () => (await call<Routine>("GET", `/api/v1/routines/${routine.id}`)).body.triggers[0]?.endpoint;
  return { routine, triggerId, path, secret, handOver, event, waiting, confirm, shown };
}

async function failures(triggerId: string): Promise<Record<string, number>> {
  const asked = env.DB.prepare("SELECT failure, count FROM verification_failures WHERE trigger_id = ?").bind(triggerId);
  const { results } = await asked.all<{ failure: string; count: number }>();
  return Object.fromEntries(results.map(({ failure, count }) => [failure, count]));
}

describe("a token that comes to Notion's endpoint", () => {
  it("is believed by nobody until the owner has seen it and said yes, whoever came first", async () => {
    const { routine, triggerId, handOver, event, waiting, confirm, shown } = await listening();
    expect(await waiting()).toEqual([]);
    expect((await handOver(STRANGERS, { "user-agent": "curl/8", "cf-connecting-ip": "203.0.113.9" })).status).toBe(200);
    expect((await handOver(NOTIONS, { "user-agent": "notion-api" })).status).toBe(200);
    expect((await handOver(STRANGERS)).status).toBe(200);
    expect([await event(STRANGERS), await event(NOTIONS)]).toEqual([401, 401]);
    expect(await failures(triggerId)).toEqual({ secret_unconfirmed: 2 });
    expect(await shown()).toMatchObject({ has_secret: false, secrets_handed_over: 2 });

    const seen = await waiting();
    expect(seen.map(({ secret, times }) => [secret, times]).toSorted()).toEqual(
      [
        [STRANGERS, 2],
        [NOTIONS, 1],
      ].toSorted(),
    );
    const notions = seen.find(({ secret }) => secret === NOTIONS);
    expect(notions).toMatchObject({ user_agent: "notion-api", ip: null });
    expect(await confirm(notions?.id)).toMatchObject({ status: 201, body: { secret: NOTIONS } });
    expect([await event(STRANGERS), await event(NOTIONS)]).toEqual([401, 202]);
    expect(await waiting()).toEqual([]);
    expect(await shown()).toMatchObject({ has_secret: true });
    expect(await shown()).not.toHaveProperty("secrets_handed_over");

    // From then on a token that nobody has signed is nothing.
    expect((await handOver(STRANGERS)).status).toBe(401);
    expect(await waiting()).toEqual([]);
    const runs = await call<{ data: unknown[] }>("GET", `/api/v1/routines/${routine.id}/runs`);
    expect(runs.body.data.length).toBeLessThanOrEqual(1);
  });

  it("is encrypted, one of ten at most, and gone with its trigger, another secret, or the end of all", async () => {
    const { routine, triggerId, secret, handOver, waiting, confirm, event } = await listening();
    for (let n = 0; n < 25; n += 1) await handOver(`${STRANGERS}${n}`);
    await handOver(NOTIONS);
    const seen = await waiting();
    expect(seen).toHaveLength(10);
    expect(seen.some((one) => one.secret === NOTIONS)).toBe(true);
    const rows = await runInDurableObject(ownerOf(routine.id), (_object, { storage }) =>
      storage.sql.exec("SELECT * FROM handed_over").toArray(),
    );
    expect(JSON.stringify(rows)).not.toMatch(/secret_/);
    expect((await confirm("0000000000000000")).status).toBe(404);
    expect((await confirm(undefined)).status).toBe(400);
    expect((await call("DELETE", secret)).status).toBe(204);
    expect(await waiting()).toEqual([]);
    expect((await confirm(seen[0]?.id)).status).toBe(404);

    await handOver(STRANGERS);
    expect((await call("POST", secret, { secret: NOTIONS })).status).toBe(201);
    expect([await waiting(), await event(STRANGERS), await event(NOTIONS)]).toEqual([[], 401, 202]);
    await call("DELETE", secret);
    await handOver(STRANGERS);
    expect((await call("PATCH", `/api/v1/routines/${routine.id}`, { triggers: [] })).status).toBe(200);
    const left = await runInDurableObject(ownerOf(routine.id), (_object, { storage }) =>
      storage.sql.exec("SELECT COUNT(*) AS n FROM handed_over WHERE trigger_id = ?", triggerId).one(),
    );
    expect(left).toEqual({ n: 0 });
  });

  it("is seen and confirmed by the owner alone, of one's own trigger", async () => {
    const [one, other] = [await listening(), await listening()];
    await one.handOver(STRANGERS);
    const [id] = (await one.waiting()).map((waiting) => waiting.id);
    const path = `${one.secret}/handed-over`;
    const stranger = { authorization: "Bearer nobody" };
    expect((await call("GET", path, undefined, stranger)).status).toBe(401);
    expect((await call("POST", path, { id }, stranger)).status).toBe(401);
    expect((await other.confirm(id)).status).toBe(404);
    const mixed = `/api/v1/routines/${other.routine.id}/triggers/${one.triggerId}/secret/handed-over`;
    expect((await call("GET", mixed)).status).toBe(404);
    expect((await call("POST", mixed, { id })).status).toBe(404);
  });
});

/** How senders introduce themselves, ask for an echo, or confirm a subscription, without any signature. */
const HANDSHAKES = [
  { verification_token: NOTIONS },
  { type: "url_verification", challenge: "challenge-0123456789", token: STRANGERS },
  { Type: "SubscriptionConfirmation", SubscribeURL: "https://sns.example/confirm", Token: STRANGERS },
  { challenge: "challenge-0123456789" },
  { event: { event_type: "pagey.ping" }, secret: STRANGERS },
  { action: "created", installation: { uuid: "u", code: STRANGERS } },
  { secret: STRANGERS },
  { signing_secret: STRANGERS },
];
const UNSIGNED_HEADERS = { "x-hook-secret": STRANGERS, "x-gitlab-token": STRANGERS, "x-goog-channel-token": STRANGERS };

describe.each(webhookSources.filter((source) => source !== "notion" && source !== "pubsub"))(
  "an endpoint of %s without a secret",
  (source) => {
    it("learns none from whoever comes, and echoes nothing", async () => {
      const { routine, path } = await listening(source);
      for (const body of HANDSHAKES) {
        const answer = await post(path, JSON.stringify(body), {
          "content-type": "application/json",
          ...UNSIGNED_HEADERS,
        });
        const text = await answer.text();
        expect([answer.status, text.includes("0123456789"), answer.headers.get("x-hook-secret")]).toEqual([
          401,
          false,
          null,
        ]);
      }
      const kept = await runInDurableObject(ownerOf(routine.id), (_object, { storage }) =>
        ["endpoints", "handed_over"].map((table) => storage.sql.exec(`SELECT * FROM ${table}`).toArray()),
      );
      expect(kept).toEqual([[], []]);
    });
  },
);
