/** From what happens to whoever is to be told: signed, once for each, and against receivers that fail in every way. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { FailingDestination, Notification } from "#protocol/notification.ts";
import { runError } from "#protocol/run-errors.ts";
import type { FrameBody } from "#protocol/runner-link.ts";
import { buildRoutine, call, fired } from "#test/support/api.ts";
import { playRun, workOn } from "#test/support/chains.ts";
import { FakeRunner, RUNNING, SUCCEEDED } from "#test/support/fake-runner.ts";
import { resetAt } from "#test/support/hang.ts";
import { hide } from "#test/support/hidden.ts";
import { listen } from "#test/support/log-lines.ts";
import { asking, ownerOf } from "#test/support/objects.ts";
import { verifySignedWebhook } from "#worker/inbound/sources/standard-webhooks.ts";

const NOTHING = { turns: 0, tool_calls: 0, files_changed: 0, commits_pushed: 0, cost_usd: 0 };
const BROKEN: FrameBody = {
  kind: "finished",
  outcome: { status: "failed", error: runError("runner_failed", "setup") },
  report: null,
  seen: NOTHING,
};
const reported = (result: string) =>
  ({ ...SUCCEEDED, report: { result, summary: `It is ${result}.` } }) as unknown as FrameBody;

interface Received {
  url: string;
  id: string | null;
  body: string;
  headers: Headers;
}
type Answer = (received: Received) => Response | Promise<Response>;

/** The receivers of this test, by host; what comes for others fails. */
const receivers = new Map<string, Answer>();
let received: Received[] = [];
let made = 0;

beforeEach(() => {
  receivers.clear();
  received = [];
  vi.mocked(globalThis.fetch).mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    const answer = receivers.get(new URL(request.url).hostname);
    if (answer === undefined) throw new TypeError("no such host");
    const { url, headers } = request;
    const one = { url, id: headers.get("webhook-id"), body: await request.text(), headers };
    received.push(one);
    return await answer(one);
  });
});

/** A receiver of its own. @returns its address. */
function receiver(answer: Answer = () => new Response("taken")): string {
  made += 1;
  const host = `receiver-${made}.example.com`;
  receivers.set(host, answer);
  return `https://${host}/hook`;
}

const at = (address: string) => received.filter(({ url }) => url === address);
const untilAt = (address: string, count = 1) =>
  vi.waitFor(() => {
    expect(at(address).length).toBeGreaterThanOrEqual(count);
    return at(address);
  });

/** A routine that tells these of what it is asked. */
const telling = (notify: object[], more: object = {}) => buildRoutine({ notify, retry: { max: 0 }, ...more });

async function end(routine: { id: string; token: string }, ending: FrameBody = SUCCEEDED): Promise<string> {
  using runner = await FakeRunner.join();
  const { run_id } = await fired(routine);
  await playRun(runner, run_id, ending);
  return run_id;
}

const listed = async (routineId: string) =>
  (await call<Page<Notification>>("GET", `/api/v1/notifications?routine=${routineId}`)).body.data;
const untilListed = (routineId: string, expected: object[]) =>
  vi.waitFor(async () => {
    const found = await listed(routineId);
    expect(found).toMatchObject(expected);
    expect(found).toHaveLength(expected.length);
    return found;
  });
const failing = async (address: string) =>
  (await call<{ data: FailingDestination[] }>("GET", "/api/v1/notifications/destinations")).body.data.find(
    (one) => one.address === address,
  );

/** Looks again so much later. */
async function later(id: string, ms: number): Promise<void> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
  try {
    await runDurableObjectAlarm(ownerOf(id));
  } finally {
    vi.useRealTimers();
  }
}

describe("what has happened", () => {
  it("is told once to each who asks for it, signed with the key of the address", async () => {
    const [own, everybody, other] = [receiver(), receiver(), receiver()];
    const rules = {
      rules: [
        { on: ["failed"], webhook: everybody, skip: [] },
        { on: ["failed", "quiet"], webhook: own, skip: [] },
      ],
    };
    const put = (body: object) =>
      call<{ revision: number; error?: { details: object } }>("PUT", "/api/v1/notifications/rules", body);
    const { revision } = (await call<{ revision: number }>("GET", "/api/v1/notifications/rules")).body;
    const set = { ...rules, revision: revision + 1 };
    expect((await put({ ...rules, if_revision: revision })).body).toEqual(set);
    // Whoever has not seen them overwrites nothing; who asks again because the answer was lost is told the same.
    const late = await put({ rules: [], if_revision: revision });
    expect([late.status, late.body.error?.details]).toEqual([409, { code: "revision_conflict", field: "if_revision" }]);
    expect((await put({ ...rules, if_revision: revision })).body).toEqual(set);
    expect((await call("GET", "/api/v1/notifications/rules")).body).toEqual(set);
    expect((await put({ ...set, if_revision: set.revision })).body).toEqual(set);
    const routine = await telling([
      { on: ["failed", "paused"], webhook: own },
      { on: ["succeeded"], webhook: other },
    ]);
    const runId = await end(routine, BROKEN);
    const [one] = await untilAt(own);
    await untilAt(everybody);
    await untilListed(routine.id, [{ status: "sent" }, { status: "sent" }]);
    expect([at(own).length, at(everybody).length, at(other).length]).toEqual([1, 1, 0]);
    const { body } = await call<{ signing_key: string }>("POST", "/api/v1/notifications/signing-key", { webhook: own });
    hide(body.signing_key);
    const request = { headers: one?.headers ?? new Headers(), body: new TextEncoder().encode(one?.body ?? "") };
    const verified = await verifySignedWebhook(request as never, [body.signing_key], Date.now());
    expect(verified).toMatchObject({ ok: true });
    expect(JSON.parse(one?.body ?? "")).toMatchObject({
      type: "run.failed",
      data: {
        kind: "failed",
        routine: { id: routine.id },
        run: { id: runId, status: "failed", error: { code: "runner_failed" } },
      },
    });
    const sent = (await listed(routine.id)).find(({ destination }) => destination.address === own);
    expect(sent).toMatchObject({
      id: one?.id,
      run_id: runId,
      kind: "failed",
      tries: 1,
      error: null,
      next_try_at: null,
    });
    await call("PUT", "/api/v1/notifications/rules", { rules: [] });
  });

  it("is silence where a run had nothing to do and the rule skips that; blocked and recovered are told", async () => {
    const address = receiver();
    const routine = await telling([
      { on: ["succeeded", "blocked", "recovered"], skip: ["nothing_to_do"], webhook: address },
    ]);
    await end(routine, reported("nothing_to_do"));
    await end(routine, reported("blocked"));
    await end(routine, BROKEN);
    await end(routine, reported("nothing_to_do"));
    await untilListed(routine.id, [{ kind: "recovered" }, { kind: "blocked" }]);
    expect((await untilAt(address, 2)).map(({ body }) => JSON.parse(body).type).toSorted()).toEqual([
      "routine.recovered",
      "run.blocked",
    ]);
  });

  it("may be that the routine has paused itself, is quiet, or has missed its schedule", async () => {
    const address = receiver();
    const notify = [{ on: ["paused", "missed", "quiet"], webhook: address }];
    const pausing = await telling(notify, { limits: { failures: 1 } });
    await end(pausing, BROKEN);
    await untilListed(pausing.id, [{ kind: "paused", status: "sent" }]);
    const triggers = [{ type: "schedule", every: "hourly", catch_up: "none" }];
    const late = await telling(notify, { triggers });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 5 * 3_600_000 + 20 * 60_000 });
    await asking(late.id).lookAtSchedules();
    await runDurableObjectAlarm(ownerOf(late.id));
    vi.useRealTimers();
    await untilListed(late.id, [{ status: "sent" }, { status: "sent" }]);
    expect((await listed(late.id)).map(({ kind }) => kind).toSorted()).toEqual(["missed", "quiet"]);
    const bodies = at(address).map(({ body }) => JSON.parse(body));
    expect(bodies.find(({ type }) => type === "schedule.missed").data).toMatchObject({
      run: null,
      detail: expect.stringMatching(/^Missed \d times/),
    });
    expect(bodies.find(({ type }) => type === "routine.paused").data.detail).toContain("runner_failed");
  });
});

describe("a question", () => {
  it("is told of once, with what is asked, however often the run waits for it", async () => {
    const address = receiver();
    const routine = await telling([{ on: ["waiting", "failed"], webhook: address }]);
    using runner = await FakeRunner.join();
    const { run_id } = await fired(routine);
    const work = await workOn(runner, run_id);
    const asks: FrameBody = {
      kind: "waiting",
      for: "question",
      question: {
        id: "toolu_1",
        kind: "question",
        text: "Which colour?",
        choices: ["red", "blue"],
        default: null,
        call: null,
        input_hash: "a".repeat(64),
      },
    };
    await work.report(RUNNING, asks);
    const [one] = await untilAt(address);
    expect(JSON.parse(one?.body ?? "")).toMatchObject({
      type: "run.waiting",
      data: { detail: "Which colour?\n- red\n- blue", run: { id: run_id, status: "waiting" } },
    });
    const answer = { question_id: "toolu_1", choice: "red" };
    expect((await call("POST", `/api/v1/runs/${run_id}/answer`, answer)).status).toBe(200);
    await work.report(asks);
    await work.finish();
    await untilListed(routine.id, [{ kind: "waiting", status: "sent" }]);
    expect(at(address)).toHaveLength(1);
  });
});

describe("a receiver", () => {
  it("that hangs delays no other, nor the routine; what is cut off comes again under the same id", async () => {
    const held = Promise.withResolvers<Response>();
    const [silent, well] = [receiver(() => held.promise), receiver()];
    const routine = await telling([
      { on: ["succeeded"], webhook: silent },
      { on: ["succeeded"], webhook: well },
    ]);
    for (const count of [1, 2, 3]) {
      await end(routine);
      await untilAt(well, count);
    }
    // Two at a time, and no more.
    expect(at(silent)).toHaveLength(2);
    using _reset = resetAt("notes", "before");
    await expect(Promise.resolve(asking(routine.id).notes())).rejects.toThrow(/reset/);
    receivers.set(new URL(silent).hostname, () => new Response("taken"));
    await later(routine.id, 31_000);
    await untilAt(silent, 5);
    await untilListed(
      routine.id,
      Array.from({ length: 6 }, () => ({ status: "sent" })),
    );
    const ids = at(silent).map(({ id }) => id);
    expect([new Set(ids).size, new Set(at(silent).map(({ body }) => body)).size]).toEqual([3, 3]);
    expect(at(well)).toHaveLength(3);
    held.resolve(new Response());
  });

  it("that fails gets it again later, the same to the byte; a redirect is not followed", async () => {
    const elsewhere = receiver();
    const answers = [new Response("", { status: 500 }), Response.redirect(elsewhere, 307), new Response("taken")];
    const address = receiver(() => answers.shift() ?? new Response());
    const routine = await telling([{ on: ["succeeded"], webhook: address }]);
    await end(routine);
    const [first] = await untilListed(routine.id, [{ status: "pending", tries: 1, error: "Answered 500." }]);
    expect(Date.parse(first?.next_try_at ?? "") - Date.parse(first?.created_at ?? "")).toBeGreaterThanOrEqual(5_000);
    expect(await failing(address)).toMatchObject({ error: "Answered 500.", switched_off_at: null });
    await later(routine.id, 5_100);
    await untilListed(routine.id, [{ status: "pending", tries: 2, error: expect.stringContaining("redirects") }]);
    await later(routine.id, 310_000);
    await untilListed(routine.id, [{ status: "sent", tries: 3, error: null, next_try_at: null }]);
    expect(new Set(at(address).map(({ id, body }) => `${id} ${body}`)).size).toBe(1);
    expect(at(elsewhere)).toEqual([]);
    expect(await failing(address)).toBeUndefined();
  });

  it.each([
    ["so many seconds", "120", 120_000],
    ["more than anybody waits for", "999999999", 10 * 3_600_000],
    ["less than it gets by itself", "1", 5_000],
  ])("that asks to be left alone for %s is, within bounds", async (_what, asked, waitsMs) => {
    const address = receiver(() => new Response("", { status: 429, headers: { "retry-after": asked } }));
    const routine = await telling([{ on: ["succeeded"], webhook: address }]);
    await end(routine);
    const [first] = await untilListed(routine.id, [{ status: "pending", tries: 1, error: "Answered 429." }]);
    const waited = Date.parse(first?.next_try_at ?? "") - Date.parse(first?.created_at ?? "");
    expect(waited).toBeGreaterThanOrEqual(waitsMs);
    expect(waited).toBeLessThan(waitsMs + 120_000);
  });

  it("that no rule names any more gets no more tries, but for one that is asked for by hand", async () => {
    const address = receiver(() => new Response("", { status: 500 }));
    const routine = await telling([{ on: ["succeeded"], webhook: address }]);
    await end(routine);
    const [first] = await untilListed(routine.id, [{ status: "pending", tries: 1 }]);
    const { body } = await call<{ revision: number }>("GET", `/api/v1/routines/${routine.id}`);
    const change = { notify: [], if_revision: body.revision };
    expect((await call("PATCH", `/api/v1/routines/${routine.id}`, change)).status).toBe(200);
    await later(routine.id, 6_000);
    await untilListed(routine.id, [{ status: "failed", error: "No rule names this address any more." }]);
    expect(at(address)).toHaveLength(1);
    await call("POST", `/api/v1/notifications/${first?.id}/redeliver`);
    await untilAt(address, 2);
  });

  it.each<[string, number, (address: string) => Promise<unknown>]>([
    ["that says it is gone", 410, async () => {}],
    [
      "that has failed for five days",
      503,
      (address) =>
        env.DB.prepare(
          "INSERT INTO failing_destinations (by, address, failing_since, error) VALUES ('webhook', ?1, ?2, '')",
        )
          .bind(address, Date.now() - 5 * 24 * 3_600_000 - 1_000)
          .run(),
    ],
  ])("%s is switched off, and told of; by hand it is tried, and on again", async (_name, status, before) => {
    const log = listen();
    let isWell = false;
    const address = receiver(() => new Response("", { status: isWell ? 200 : status }));
    await before(address);
    const routine = await telling([{ on: ["succeeded"], webhook: address }]);
    await end(routine);
    const [first] = await untilListed(routine.id, [{ status: "switched_off", tries: 1, error: `Answered ${status}.` }]);
    expect((await failing(address))?.switched_off_at).not.toBeNull();
    expect(log.troubles("destination_switched_off")).toMatchObject([{ notification_id: first?.id }]);
    await end(routine);
    await untilListed(routine.id, [{ status: "switched_off", tries: 0 }, { status: "switched_off" }]);
    expect(at(address)).toHaveLength(1);
    isWell = true;
    const again = await call<Notification>("POST", `/api/v1/notifications/${first?.id}/redeliver`);
    expect(again.body).toMatchObject({ id: first?.id, status: "pending" });
    await untilListed(routine.id, [{ status: "switched_off" }, { status: "sent" }]);
    expect(await failing(address)).toBeUndefined();
    const [one, other] = at(address);
    expect([other?.id, other?.body]).toEqual([one?.id, one?.body]);
    await end(routine);
    await untilListed(routine.id, [{ status: "sent" }, { status: "switched_off" }, { status: "sent" }]);
  });
});

describe("an address with a secret", () => {
  it("is known to its receiver alone; without the secret that is told, and nothing sent", async () => {
    const value = "canary-of-the-notifications";
    const address = receiver();
    const routine = await telling([{ on: ["succeeded"], webhook: `${address}/{{NOTIFY_TOKEN}}` }]);
    await end(routine);
    const error = expect.stringContaining("NOTIFY_TOKEN: there is none");
    const [first] = await untilListed(routine.id, [{ status: "pending", error }]);
    expect(received).toEqual([]);
    // Another routine may well use the address: nobody has asked it anything.
    expect(await failing(`${address}/{{NOTIFY_TOKEN}}`)).toBeUndefined();
    await call("PUT", "/api/v1/secrets/NOTIFY_TOKEN", { value });
    await call("POST", `/api/v1/notifications/${first?.id}/redeliver`);
    await untilListed(routine.id, [{ status: "sent", destination: { address: `${address}/{{NOTIFY_TOKEN}}` } }]);
    expect(received.map(({ url }) => url)).toEqual([`${address}/${value}`]);
    const secret = await call<{ last_used_at: string | null }>("GET", "/api/v1/secrets/NOTIFY_TOKEN");
    expect(secret.body.last_used_at).not.toBeNull();
  });

  it("may be one of Slack's, which is sent a message of blocks", async () => {
    receivers.set("hooks.slack.com", () => new Response("ok"));
    await call("PUT", "/api/v1/secrets/SLACK_URL", { value: "https://hooks.slack.com/services/canary-slack" });
    const routine = await telling([{ on: ["blocked"], slack: "{{SLACK_URL}}" }]);
    await end(routine, reported("blocked"));
    await untilListed(routine.id, [{ status: "sent", destination: { by: "slack", address: "{{SLACK_URL}}" } }]);
    const [message] = received;
    expect(message?.id).toBeNull();
    expect(JSON.parse(message?.body ?? "").blocks).toMatchObject([
      { type: "header", text: { type: "plain_text", text: `A run of ${routine.name} is blocked` } },
      { type: "section", text: { type: "plain_text", text: "It is blocked." } },
      { type: "section" },
    ]);
  });
});

it("a rule that can't be meant is refused, with what it may be", async () => {
  const input = { name: "x", prompt: "x", notify: [{ on: ["failed"], webhook: "http://10.0.0.1/" }] };
  const refused = await call<{ error: object }>("POST", "/api/v1/routines", input);
  expect([refused.status, JSON.stringify(refused.body.error)]).toEqual([
    400,
    expect.stringContaining("notify[0].webhook"),
  ]);
});
