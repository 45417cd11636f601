/** Requests that nobody has signed cost little: no byte of them is read in vain, and many are one write. */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Routine } from "#protocol/routine.ts";
import { buildRoutine, call } from "#test/support/api.ts";
import { sweptAt } from "#test/support/clock.ts";
import worker from "#worker/index.ts";

const ORIGIN = "http://reveille.test";
const signed = `sha256=${"0".repeat(64)}`;
type Headers = Record<string, string>;

let endpoints: Record<"slack" | "linear" | "generic" | "pubsub" | "sentry" | "gone", string>;
let triggerIds: string[] = [];

beforeAll(async () => {
  const service_account = "reveille@acme.iam.gserviceaccount.com";
  const routine = await buildRoutine({
    triggers: [
      { type: "webhook", source: "slack" },
      { type: "webhook", source: "linear" },
      { type: "webhook", source: "generic" },
      { type: "webhook", source: "pubsub", pubsub: { service_account } },
      { type: "webhook", source: "sentry" },
    ],
  });
  triggerIds = routine.triggers.map(({ id }) => id);
  // Sentry's has no secret.
  for (const id of triggerIds.slice(0, 3)) {
    const path = `/api/v1/routines/${routine.id}/triggers/${id}/secret`;
    expect((await call("POST", path, { secret: "a-secret-of-the-tests-0123456789" })).status).toBe(201);
  }
  const deleted = await buildRoutine({ triggers: [{ type: "webhook", source: "slack" }] });
  expect((await call<Routine>("DELETE", `/api/v1/routines/${deleted.id}`)).status).toBe(204);
  const paths = routine.triggers.map(({ endpoint }) => new URL(endpoint?.url ?? "").pathname);
  const [slack = "", linear = "", generic = "", pubsub = "", sentry = ""] = paths;
  endpoints = { slack, linear, generic, pubsub, sentry, gone: `/webhooks/slack/${deleted.triggers[0]?.id}` };
});

/** @param environment whoever is given another has an isolate's memory of its own. */
async function post(path: string, body: BodyInit, headers: Headers = {}, environment = env): Promise<Response> {
  const context = createExecutionContext();
  const request = new Request(`${ORIGIN}${path}`, { method: "POST", headers, body });
  const response = await worker.fetch(request as Parameters<typeof worker.fetch>[0], environment, context);
  await waitOnExecutionContext(context);
  return response;
}

/** A body that tells whether anybody has asked for it. */
function watched(): { body: ReadableStream; isRead: () => boolean } {
  let isRead = false;
  const pull = (controller: ReadableStreamDefaultController) => {
    isRead = true;
    controller.enqueue(new TextEncoder().encode("{}"));
    controller.close();
  };
  return { body: new ReadableStream({ pull }, { highWaterMark: 0 }), isRead: () => isRead };
}

describe("no byte is read of what comes", () => {
  const slackTime = { "x-slack-request-timestamp": "1" };
  it.each<[string, (all: typeof endpoints) => string, Headers, number]>([
    ["to an endpoint that nobody has", () => `/webhooks/slack/trg_${"0".repeat(26)}`, {}, 404],
    ["to what is no endpoint's id", () => "/webhooks/slack/x", {}, 404],
    ["to a source that there is not", ({ slack }) => slack.replace("slack", "nobody"), {}, 404],
    ["to another source's endpoint", ({ slack }) => slack.replace("slack", "linear"), {}, 404],
    ["to a routine that was deleted", ({ gone }) => gone, {}, 404],
    ["to an endpoint without a secret", ({ sentry }) => sentry, {}, 401],
    ["without a signature", ({ linear }) => linear, {}, 401],
    ["without the time that is signed", ({ slack }) => slack, {}, 401],
    ["with a signature that is none", ({ slack }) => slack, { ...slackTime, "x-slack-signature": "v0=x" }, 401],
    ["with a wrong token", ({ generic }) => generic, { authorization: "Bearer of-somebody-else" }, 401],
    ["with a token that is none of Google's", ({ pubsub }) => pubsub, { authorization: "Bearer x.y.z" }, 401],
    ["from GitHub without a signature", () => "/webhooks/github", {}, 401],
    ["from GitHub with half of one", () => "/webhooks/github", { "x-hub-signature-256": "sha256=ab" }, 401],
  ])("%s", async (_what, path, headers, status) => {
    const { body, isRead } = watched();
    expect((await post(path(endpoints), body, headers)).status).toBe(status);
    expect(isRead()).toBe(false);
  });

  it.each<[string, (all: typeof endpoints) => string, Headers]>([
    ["Linear", ({ linear }) => linear, { "linear-signature": "0".repeat(64) }],
    ["GitHub", () => "/webhooks/github", { "x-hub-signature-256": signed }],
  ])("before its signature is known to be one: then it is checked, of %s", async (_what, path, headers) => {
    const { body, isRead } = watched();
    expect((await post(path(endpoints), body, headers)).status).toBe(401);
    expect(isRead()).toBe(true);
  });
});

describe("little is held of what nobody may have signed", () => {
  /** A body of which so much comes, and the rest when it is let go on. */
  function begun(length: number, come: number) {
    const first = Promise.withResolvers<void>();
    const rest = Promise.withResolvers<void>();
    let made = 0;
    const pull = async (controller: ReadableStreamDefaultController) => {
      // Whoever asks for more has taken in what came before.
      if (made > 0) first.resolve();
      if (made > 0) await rest.promise;
      const piece = new Uint8Array(made === 0 ? come : length - made);
      made += piece.length;
      controller.enqueue(piece);
      if (made === length) controller.close();
    };
    const body = new ReadableStream({ pull }, { highWaterMark: 0 });
    return { body, isRead: first.promise, goOn: rest.resolve };
  }

  it("of GitHub's without a length 512 KiB", async () => {
    let made = 0;
    const pull = (controller: ReadableStreamDefaultController) => {
      made += 65_536;
      if (made > 2_000_000) return controller.close();
      controller.enqueue(new Uint8Array(65_536));
    };
    const body = new ReadableStream({ pull }, { highWaterMark: 0 });
    const answer = await post("/webhooks/github", body, { "x-hub-signature-256": signed });
    expect([answer.status, await answer.text()]).toEqual([413, expect.stringContaining("with Content-Length")]);
    expect(made).toBeLessThan(1_000_000);
  });

  it("of others 24 MiB at once, beside 512 KiB of each; what is short is always read", async () => {
    const environment = { ...env };
    const length = 5_242_880;
    const headers = { "linear-signature": "0".repeat(64) };
    const told = { ...headers, "content-length": String(length) };
    const bodies = Array.from({ length: 5 }, () => begun(length, length - 1));
    const waiting = bodies.map(({ body }) => post(endpoints.linear, body, told, environment));
    await Promise.all(bodies.map(({ isRead }) => isRead));
    const full = await post(endpoints.linear, begun(length, length - 1).body, told, environment);
    expect(full.status).toBe(503);
    expect(full.headers.get("retry-after")).toBe("5");
    expect((await post(endpoints.linear, "x".repeat(500_000), headers, environment)).status).toBe(401);
    for (const { goOn } of bodies) goOn();
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array(5).fill(401));
    const pieces = new Blob(["x".repeat(600_000)]).stream();
    expect((await post(endpoints.linear, pieces, headers, environment)).status).toBe(401);
  });

  it("of what has come, not of what was told: who tells much and sends little keeps nobody out", async () => {
    const environment = { ...env };
    const length = 5_242_880;
    const told = { "linear-signature": "0".repeat(64), "content-length": String(length) };
    const bodies = Array.from({ length: 50 }, () => begun(length, 10_000));
    const waiting = bodies.map(({ body }) => post(endpoints.linear, body, told, environment));
    await Promise.all(bodies.map(({ isRead }) => isRead));
    expect((await post(endpoints.linear, new Uint8Array(length), told, environment)).status).toBe(401);
    // One after the other, as there is not room for all of them.
    for (const [number, { goOn }] of bodies.entries()) {
      goOn();
      expect((await waiting[number])?.status).toBe(401);
    }
  });
});

describe("what could not be verified", () => {
  /** An isolate's memory of its own, and how often it writes failures down. */
  function countingWrites(): { environment: typeof env; writes: () => number } {
    let writes = 0;
    const DB = new Proxy(env.DB, {
      get: (target, name) => {
        if (name !== "prepare") return Reflect.get(target, name).bind(target);
        return (query: string) => {
          if (/insert into "?verification_failures/i.test(query)) writes += 1;
          return target.prepare(query);
        };
      },
    });
    return { environment: { ...env, DB }, writes: () => writes };
  }

  it("is written down together, and every single one is counted", async () => {
    const { environment, writes } = countingWrites();
    const before = await counted();
    const kinds: [string, Headers][] = [
      [endpoints.linear, { "linear-signature": "0".repeat(64) }],
      [endpoints.linear, {}],
      [endpoints.slack, {}],
      ["/webhooks/github", { "x-hub-signature-256": signed }],
      ["/webhooks/github", {}],
    ];
    const flood = Array.from({ length: 100 }, (_, number) => kinds[number % kinds.length] ?? expect.unreachable());
    await Promise.all(flood.map(([path, headers]) => post(path, "{}", headers, environment)));
    expect(writes()).toBeLessThan(5);
    const after = await counted();
    const grown = [...after].map(([what, count]) => [what, count - (before.get(what) ?? 0)]);
    expect(Object.fromEntries(grown.filter(([, more]) => more !== 0))).toEqual({
      [`${triggerIds[1]} signature_wrong`]: 20,
      [`${triggerIds[1]} signature_missing`]: 20,
      [`${triggerIds[0]} time_missing`]: 20,
      "null signature_wrong": 20,
      "null signature_missing": 20,
    });
  });

  async function counted(): Promise<Map<string, number>> {
    const path = "/api/v1/deliveries/failures";
    const { body } = await call<{ data: { trigger_id: string | null; failure: string; count: number }[] }>("GET", path);
    return new Map(body.data.map(({ trigger_id, failure, count }) => [`${trigger_id} ${failure}`, count]));
  }
});

it("are counted by day, and forgotten after thirty", async () => {
  const days = ["2025-01-01", "2026-10-23", "2026-10-24", "2026-11-22"];
  const insert = env.DB.prepare("INSERT INTO verification_failures VALUES (?, 'slack', 'old', 'no_secret', 1)");
  await env.DB.batch(days.map((day) => insert.bind(day)));
  vi.useFakeTimers({ toFake: ["Date"] });
  await sweptAt("2026-11-23T10:00:00.000Z");
  vi.useRealTimers();
  const kept = await env.DB.prepare(
    "SELECT day FROM verification_failures WHERE trigger_id = 'old' ORDER BY day",
  ).all();
  expect(kept.results.map(({ day }) => day)).toEqual(days.slice(2));
});
