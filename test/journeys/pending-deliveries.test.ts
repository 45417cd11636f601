/** What comes in while D1 takes nothing: it is kept in R2, answered, and handled once when D1 is back. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Delivery } from "#protocol/delivery.ts";
import { buildRoutine, call } from "#test/support/api.ts";
import { occurrencesOf, realDeps } from "#test/support/clock.ts";
import { deliverGithub, post, pullRequest, readDelivery, someRepository } from "#test/support/deliver.ts";
import { d1, fail, first, hang, loseAnswer, r2, r2Body, type Trouble } from "#test/support/hang.ts";
import { deliveriesIn } from "#test/support/stores.ts";
import { bytesOf } from "#test/worker/listeners/signing.ts";
import { slackCase } from "#test/worker/listeners/slack-case.ts";
import { sweep } from "#worker/clock/sweep.ts";
import { makeDeliveryId } from "#worker/inbound/delivery-ids.ts";

const INSERT = d1(/INSERT INTO deliveries/);
const LOST = "D1_ERROR: Network connection lost.";

beforeEach(() => {
  for (const level of ["warn", "error"] as const) vi.spyOn(console, level).mockImplementation(() => {});
});
afterEach(() => void vi.useRealTimers());

async function keysIn(folder: string): Promise<string[]> {
  return (await env.BODIES.list({ prefix: folder })).objects.map(({ key }) => key);
}

async function someRoutine() {
  const repository = someRepository();
  const triggers = [{ type: "github", event: "pull_request" }];
  return { repository, routine: await buildRoutine({ repositories: [{ url: repository.html_url }], triggers }) };
}

/** A sweep as the platform makes it once a minute. */
async function swept(): Promise<void> {
  await sweep({ ...realDeps(), settlePushes: async () => {}, sweepSignIns: async () => {} }, Date.now());
}

const outcomes = async (routineId: string) => (await occurrencesOf(routineId)).map(({ outcome }) => outcome);

describe("a webhook while D1", () => {
  const troubles: [string, () => Trouble, number][] = [
    ["is out of reach", () => fail(INSERT, LOST), 3],
    ["has too much to do", () => fail(INSERT, "D1_ERROR: D1 DB is overloaded. Too many requests queued."), 1],
    ["takes it, and its answer is lost each time", () => loseAnswer(INSERT, LOST), 3],
  ];

  it.each(troubles)("%s is kept, and handled once by the sweep", async (_how, begin, met) => {
    const { repository, routine } = await someRoutine();
    let delivered: Awaited<ReturnType<typeof deliverGithub>>;
    {
      using trouble = begin();
      delivered = await deliverGithub({ event: "pull_request", payload: pullRequest(repository) });
      expect(trouble.met).toBe(met);
    }
    expect(delivered.status).toBe(202);
    expect(await keysIn("pending/")).toEqual([`pending/${delivered.deliveryId}`]);
    await swept();
    await swept();
    expect(await outcomes(routine.id)).toEqual(["started"]);
    expect(await readDelivery(delivered.deliveryId)).toMatchObject({ status: "handled" });
    expect(await keysIn("pending/")).toEqual([]);
  });

  it("fails for a moment is in D1 at once", async () => {
    const { repository, routine } = await someRoutine();
    using _trouble = fail(first(2, INSERT), LOST);
    const { status, deliveryId } = await deliverGithub({ event: "pull_request", payload: pullRequest(repository) });
    expect([status, await keysIn("pending/")]).toEqual([202, []]);
    expect(await readDelivery(deliveryId)).toMatchObject({ status: "handled" });
    expect(await outcomes(routine.id)).toEqual(["started"]);
  });

  it("is out of reach has its large body beside it", async () => {
    const { repository, routine } = await someRoutine();
    const payload = { ...pullRequest(repository), padding: "ü".repeat(400_000) };
    const trouble = fail(INSERT, LOST);
    const { status, deliveryId } = await deliverGithub({ event: "pull_request", payload });
    trouble.end();
    expect(status).toBe(202);
    await swept();
    expect(await outcomes(routine.id)).toEqual(["started"]);
    expect((await readDelivery(deliveryId)).body).toBe(JSON.stringify(payload));
  });

  it.each([
    ["small", ""],
    ["large", "x".repeat(600_000)],
  ])("and R2 take nothing of a %s one is sent back to its source", async (_size, padding) => {
    const { repository } = await someRoutine();
    using _index = fail(INSERT, LOST);
    using _bucket = fail(r2("put"));
    const before = await keysIn("");
    const payload = { ...pullRequest(repository), padding };
    const { status } = await deliverGithub({ event: "pull_request", payload });
    expect([status, await keysIn("")]).toEqual([503, before]);
  });

  it("hangs is kept after four seconds", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    using silent = hang(INSERT);
    const id = makeDeliveryId(Date.now());
    const told = { id, source: "github", triggerId: null, providerId: id, event: "push", headers: {} } as const;
    const body = bytesOf("{}");
    const kept = deliveriesIn().insert({ ...told, body, ignored: null }, Date.now());
    await silent.untilMet();
    vi.advanceTimersByTime(4_000);
    expect(await kept).toBe("pending");
    // What hung takes effect after all.
    silent.end();
    vi.useRealTimers();
    await swept();
    const rows = await env.DB.prepare("SELECT id FROM deliveries WHERE id = ?").bind(id).all();
    expect([rows.results, await keysIn("pending/")]).toEqual([[{ id }], []]);
  });

  it("is out of reach answers Slack's challenge", async () => {
    const routine = await buildRoutine({ triggers: [{ type: "webhook", source: "slack" }] });
    const triggerId = routine.triggers[0]?.id;
    const [secret] = slackCase.secrets;
    await call("POST", `/api/v1/routines/${routine.id}/triggers/${triggerId}/secret`, { secret });
    const body = JSON.stringify({ type: "url_verification", token: "t", challenge: "of-slack" });
    const signed = await slackCase.sign(bytesOf(body), secret, Date.now());
    using _trouble = fail(INSERT, LOST);
    const answer = await post(`/webhooks/slack/${triggerId}`, body, { "content-type": "application/json", ...signed });
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("of-slack")]);
  });
});

it("an event of the owner's own while D1 is out of reach is answered as stored, and handled once by the sweep", async () => {
  const routine = await buildRoutine({ triggers: [{ type: "event", name: "kept.aside" }] });
  const trouble = fail(INSERT, LOST);
  const { status, body } = await call<Delivery>("POST", "/api/v1/events", { name: "kept.aside" });
  trouble.end();
  expect([status, body]).toMatchObject([200, { status: "stored", source: "event", event: "kept.aside", outcomes: [] }]);
  await swept();
  expect(await outcomes(routine.id)).toEqual(["started"]);
  expect(await readDelivery(body.id)).toMatchObject({ status: "handled" });
});

describe("a sweep", () => {
  async function keptAside(): Promise<{ routineId: string; deliveryId: string }> {
    const { repository, routine } = await someRoutine();
    using _trouble = fail(INSERT, LOST);
    const { deliveryId } = await deliverGithub({ event: "pull_request", payload: pullRequest(repository) });
    return { routineId: routine.id, deliveryId };
  }

  it.each([
    ["when it reads what is kept", () => fail(r2("get"))],
    ["before D1 has it", () => fail(INSERT, "cut off")],
    ["after D1 has it", () => loseAnswer(INSERT, "cut off")],
    ["before R2 forgets it", () => fail(r2("delete"))],
    ["after R2 has forgotten it", () => loseAnswer(r2("delete"))],
  ])("that is cut off %s is made good by the next, once", async (_where, cut) => {
    const { routineId, deliveryId } = await keptAside();
    const trouble = cut();
    await swept();
    expect(trouble.met).toBeGreaterThan(0);
    trouble.end();
    await swept();
    await swept();
    expect(await outcomes(routineId)).toEqual(["started"]);
    expect(await readDelivery(deliveryId)).toMatchObject({ status: "handled" });
    expect(await keysIn("pending/")).toEqual([]);
  });

  it.each([
    ["is no JSON", "{"],
    ["lacks what a delivery has", '{"id":"dlv_1"}'],
    ["is another's", null],
  ])("puts aside what %s, and takes in the rest", async (_how, text) => {
    const damaged = makeDeliveryId(Date.now() - 1_000);
    const { routineId, deliveryId } = await keptAside();
    const other = await (await env.BODIES.get(`pending/${deliveryId}`))?.text();
    await env.BODIES.put(`pending/${damaged}`, text ?? other ?? "");
    await swept();
    expect([await keysIn("pending/"), await keysIn(`damaged/${damaged}`)]).toEqual([[], [`damaged/${damaged}`]]);
    expect(await outcomes(routineId)).toEqual(["started"]);
  });

  it("waits no longer than its time for a body that R2 begins to give, and goes on", async () => {
    const [{ deliveryId }, next] = [await keptAside(), await keptAside()];
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    using silent = hang(first(1, await r2Body(`pending/${deliveryId}`, "text")));
    const all = swept();
    await silent.untilMet();
    vi.advanceTimersByTime(10_000);
    vi.useRealTimers();
    await all;
    expect(await outcomes(next.routineId)).toEqual(["started"]);
    expect(await keysIn("pending/")).toEqual([`pending/${deliveryId}`]);
  });

  it("gives up at the third that D1 does not take, and begins with the oldest the next time", async () => {
    const kept = [await keptAside(), await keptAside(), await keptAside(), await keptAside()];
    const trouble = fail(INSERT, "cut off");
    await swept();
    expect(trouble.met).toBe(3);
    trouble.end();
    await swept();
    for (const { routineId } of kept) expect(await outcomes(routineId)).toEqual(["started"]);
  });
});
