/** Deliveries as they are kept: whatever arrives, what is left out, what is shown, and for how long. */
import { createExecutionContext, createScheduledController, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { Delivery } from "#protocol/delivery.ts";
import type { Routine } from "#protocol/routine.ts";
import type { Json } from "#protocol/schema.ts";
import { buildRoutine, call } from "#test/support/api.ts";
import { hourAfterAllDeliveries } from "#test/support/clock.ts";
import {
  deliverGithub,
  GITHUB_SECRET,
  post,
  pullRequest,
  readDelivery,
  someRepository,
} from "#test/support/deliver.ts";
import { keptHeaders } from "#worker/inbound/kept-headers.ts";
import { smallPayload } from "#worker/inbound/small-payload.ts";
import worker from "#worker/index.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

afterEach(() => {
  vi.useRealTimers();
});

const FORM = { "content-type": "application/x-www-form-urlencoded" };

/** Posts bytes as GitHub signs them. @returns the delivery's id. */
async function deliverBytes(body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<string> {
  const response = await sendBytes(body, headers);
  expect(response.status).toBe(202);
  return ((await response.json()) as { delivery_id: string }).delivery_id;
}

async function sendBytes(body: Uint8Array<ArrayBuffer>, headers: Record<string, string>): Promise<Response> {
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(GITHUB_SECRET), hmac, false, ["sign"]);
  const digest = Array.from(new Uint8Array(await crypto.subtle.sign("HMAC", key, body)));
  const signature = `sha256=${digest.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  const context = createExecutionContext();
  const request = new Request("http://reveille.test/webhooks/github", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "content-length": String(body.length),
      "x-hub-signature-256": signature,
      ...headers,
    },
    body,
  });
  const response = await worker.fetch(request as Parameters<typeof worker.fetch>[0], env, context);
  await waitOnExecutionContext(context);
  return response;
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(new TextEncoder().encode(text));
}

async function waiting(repository: { html_url: string }, more: object = {}) {
  const triggers = [{ type: "github", event: "pull_request", actions: ["opened"], ...more }];
  return buildRoutine({ repositories: [{ url: repository.html_url }], triggers });
}

describe("whatever arrives", () => {
  const named = { "x-github-event": "push", "x-github-delivery": "1" };
  it.each([
    ["an empty body", bytesOf(""), named, /not a JSON object/],
    ["bytes that are no text", Uint8Array.from([0x7b, 0xff, 0xfe, 0x7d]), named, /not a JSON object/],
    ["a list", bytesOf("[]"), named, /not a JSON object/],
    ["a text with a NUL in it", bytesOf('{"a":"\0"}'), named, /not a JSON object/],
    ["JSON that is nested without end", bytesOf(`${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`), named, /nested/],
    [
      "a body that is called compressed",
      Uint8Array.from([0x1f, 0x8b, 8, 0]),
      { ...named, "content-encoding": "gzip" },
      /JSON/,
    ],
    ["no name of an event", bytesOf("{}"), {}, /X-GitHub-Event/],
    ["a name that is none", bytesOf("{}"), { "x-github-event": "../etc" }, /X-GitHub-Event/],
    ["a ping", bytesOf("{}"), { "x-github-event": "ping" }, /set up/],
    ["a form without a payload", bytesOf("a=b"), { ...named, ...FORM }, /not a JSON object/],
    ["a form whose payload is no JSON", bytesOf("payload=%7B"), { ...named, ...FORM }, /not a JSON object/],
  ])("%s is kept, with the reason why nothing follows", async (_title, body, headers, note) => {
    const id = await deliverBytes(body, headers);
    const delivery = await vi.waitUntil(async () => {
      const found = await readDelivery(id);
      return found.status === "stored" ? null : found;
    });
    expect(delivery).toMatchObject({ status: "ignored", note: expect.stringMatching(note), size_bytes: body.length });
    expect(delivery.body).toBe(new TextDecoder().decode(body));
  });

  it.each([FORM["content-type"], "Application/X-WWW-Form-Urlencoded; charset=utf-8"])(
    "starts its run as a form too, GitHub's own choice for a new webhook: %s",
    async (type) => {
      const repository = someRepository();
      const routine = await waiting(repository);
      const payload = { ...pullRequest(repository), title: "50 % & more + é" };
      const body = bytesOf(`payload=${encodeURIComponent(JSON.stringify(payload))}`);
      const id = await deliverBytes(body, { "x-github-event": "pull_request", "content-type": type });
      const found = await vi.waitUntil(async () => {
        const delivery = await readDelivery(id);
        return delivery.status === "stored" ? null : delivery;
      });
      expect(found).toMatchObject({ status: "handled", outcomes: [{ routine_id: routine.id, outcome: "started" }] });
      expect(found.body).toBe(new TextDecoder().decode(body));
    },
  );

  it("as a form that is too long to be read is refused, so that GitHub shows why", async () => {
    const answer = await sendBytes(bytesOf(`payload=${"a".repeat(600_000)}`), { "x-github-event": "push", ...FORM });
    expect(answer.status).toBe(415);
    expect(await answer.text()).toContain("content type to application/json");
  });

  it("without an id of its sender's is an event of its own, and a body that repeats is the same event", async () => {
    const repository = someRepository();
    const routine = await waiting(repository);
    const body = bytesOf(JSON.stringify(pullRequest(repository)));
    const first = await deliverBytes(body, { "x-github-event": "pull_request" });
    const second = await deliverBytes(body, { "x-github-event": "pull_request", "x-github-delivery": "x".repeat(300) });
    const found = await vi.waitUntil(async () => {
      const both = [await readDelivery(first), await readDelivery(second)];
      return both.some(({ status }) => status === "stored") ? null : both;
    });
    expect(found.map(({ status, provider_id }) => [status, provider_id])).toEqual([
      ["handled", null],
      ["duplicate", expect.stringMatching(/^sha256:[0-9a-f]{64}$/)],
    ]);
    expect(found.flatMap(({ outcomes }) => outcomes.map(({ routine_id }) => routine_id))).toEqual([
      routine.id,
      routine.id,
    ]);
  });

  it.each([
    ["lies in R2", 700_000],
    ["is too large to be offered whole", 24 * 1_048_576],
  ])("with a body that %s starts its run", { timeout: 60_000 }, async (_title, length) => {
    const repository = someRepository();
    await waiting(repository, { filters: [{ field: "base_branch", operator: "equals", value: "main" }] });
    const payload = pullRequest(repository);
    const id = await deliverBytes(bytesOf(JSON.stringify({ ...payload, padding: "é".repeat(length / 2) })), {
      "x-github-event": "pull_request",
    });
    await vi.waitFor(async () => expect((await readStatus(id)).status).toBe("handled"), 20_000);
    const { outcomes, size_bytes } = await readStatus(id);
    expect(outcomes).toMatchObject([{ outcome: "started" }]);
    expect(size_bytes).toBeGreaterThan(length);
  });

  it("that is longer than GitHub sends is refused", async () => {
    const body = "x".repeat(25 * 1_048_576 + 1);
    expect((await post("/webhooks/github", body, { "x-hub-signature-256": `sha256=${"0".repeat(64)}` })).status).toBe(
      413,
    );
  });
});

/** From the list, which carries no body. */
async function readStatus(id: string): Promise<Delivery> {
  const { body } = await call<Page<Delivery>>("GET", "/api/v1/deliveries?limit=50");
  return body.data.find((delivery) => delivery.id === id) ?? expect.unreachable();
}

describe("headers", () => {
  it("are kept without credentials and signatures, and with what names the event", () => {
    const secret = [
      "authorization",
      "x-gitlab-token",
      "webhook-signature",
      "x-api-key",
      "cookie",
      "x-acme-auth",
      "x-key",
    ];
    const telling = [
      "content-type",
      "webhook-id",
      "idempotency-key",
      "x-gitlab-event",
      "ce-id",
      "ce-author",
      "request-id",
    ];
    const more = ["x-goog-pubsub-message-id", "x-goog-pubsub-ordering-key", "sentry-hook-resource", "linear-delivery"];
    const headers = new Headers([...secret, ...telling, ...more, "x-acme-digest"].map((name) => [name, "a value"]));
    const kept = keptHeaders(headers, "X-Acme-Digest");
    for (const name of [...secret, "x-acme-digest"]) expect(kept[name], name).toBe("[redacted]");
    for (const name of [...telling, ...more]) expect(kept[name], name).toBe("a value");
  });

  it("that say what happened stay, however many there are", () => {
    const many = Array.from({ length: 500 }, (_, place): [string, string] => [`a-${place}`, "x".repeat(5_000)]);
    const kept = keptHeaders(new Headers([...many, ["webhook-id", "1"], ["x-gitlab-event", "Push Hook"]]));
    expect(kept).toMatchObject({ "webhook-id": "1", "x-gitlab-event": "Push Hook" });
    expect(JSON.stringify(kept).length).toBeLessThan(70_000);
  });
});

describe("a payload that is too large", () => {
  it("keeps the beginnings of its parts", () => {
    const small = smallPayload({ a: "x".repeat(9_000_000), b: Array(200_000).fill({ c: "y".repeat(50) }), d: 1 });
    expect(small).toMatchObject({ a: "x".repeat(65_536), d: 1 });
    expect(JSON.stringify(small).length).toBeLessThan(4_194_305);
  });

  it("that is long all over is left out", () => {
    let wide: Json = "x".repeat(100);
    for (let level = 0; level < 4; level += 1) wide = Array(20).fill(wide);
    expect(smallPayload({ wide })).toEqual({});
  });
});

describe("the list of deliveries", () => {
  it("comes in pages, newest first, by source and by status", async () => {
    const sent: string[] = [];
    for (const event of ["ping", "push", "ping", "push", "ping"]) {
      sent.push((await deliverGithub({ event, payload: { zen: crypto.randomUUID() } })).deliveryId);
    }
    await call("POST", "/api/v1/events", { name: "in between" });
    const listed: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const path: string = `/api/v1/deliveries?source=github&status=ignored&limit=2${cursor && `&cursor=${cursor}`}`;
      const { body } = await call<Page<Delivery>>("GET", path);
      expect(body.data.length).toBeLessThanOrEqual(2);
      expect(body.data.every(({ source, status }) => source === "github" && status === "ignored")).toBe(true);
      listed.push(...body.data.map(({ id }) => id));
      cursor = body.next_cursor;
    }
    const pings = sent.filter((_, place) => place % 2 === 0).toReversed();
    expect(listed.filter((id) => sent.includes(id))).toEqual(pings);
    expect((await call("GET", "/api/v1/deliveries?status=lost")).status).toBe(400);
    expect((await call("GET", `/api/v1/deliveries/dlv_${"0".repeat(26)}`)).status).toBe(404);
  });

  it("forgets them after seven days, with their bodies, also those whose row was never written", async () => {
    const startMs = hourAfterAllDeliveries();
    vi.useFakeTimers({ toFake: ["Date"], now: startMs });
    const old = await deliverBytes(bytesOf(`{"padding":"${"x".repeat(600_000)}"}`), { "x-github-event": "ping" });
    const neighbour = `${old.slice(0, -1)}${old.endsWith("0") ? "1" : "0"}`;
    await env.BODIES.put(`deliveries/${neighbour}`, "its row was never written");
    vi.setSystemTime(Date.now() + 60_000);
    const { deliveryId: young } = await deliverGithub({ event: "ping", payload: {} });
    const sweepAt = async (nowMs: number) => {
      vi.setSystemTime(nowMs);
      const scheduledTime = new Date(nowMs);
      await worker.scheduled(createScheduledController({ scheduledTime, cron: "* * * * *" }), env);
    };
    const days = (count: number) => startMs + count * DAY_MS;
    await sweepAt(days(7) - HOUR_MS);
    expect((await readDelivery(old)).body).toContain("xxx");
    await sweepAt(days(7));
    expect((await call("GET", `/api/v1/deliveries/${old}`)).status).toBe(404);
    expect((await env.BODIES.list()).objects.filter(({ key }) => key.includes(old.slice(0, -1)))).toEqual([]);
    expect((await readDelivery(young)).id).toBe(young);
  });
});

describe("the GitHub App", () => {
  const installed = (action: string, id: number, more: object) =>
    deliverGithub({
      event: action.startsWith("repo") ? "installation_repositories" : "installation",
      payload: { action, installation: { id, account: { login: "acme" } }, ...more },
    });
  const seen = async () => {
    const { body } = await call<Page<{ full_name: string; url: string }>>("GET", "/api/v1/github/repositories");
    for (const { full_name, url } of body.data) expect(url).toBe(`https://github.com/${full_name}`);
    return body.data.map(({ full_name }) => full_name);
  };
  const statusOf = async (id: string) =>
    (await call<Routine>("GET", `/api/v1/routines/${id}`)).body.triggers[0]?.status;

  it("tells which repositories it was given, and which trigger names one that it can't see", async () => {
    const [mine, other] = [someRepository(true), someRepository(true)];
    const routine = await waiting(mine);
    expect(await statusOf(routine.id)).toBe("active");
    await installed("created", 1, { repositories: [other] });
    await vi.waitFor(async () => expect(await seen()).toEqual([other.full_name]));
    expect(await statusOf(routine.id)).toBe("unreachable");
    await installed("repositories_added", 1, { repositories_added: [mine] });
    await vi.waitFor(async () => expect(await seen()).toContain(mine.full_name));
    expect(await statusOf(routine.id)).toBe("active");
    // It has passed to another installation before the first tells that it is gone.
    await installed("created", 2, { repositories: [mine] });
    await installed("repositories_removed", 1, { repositories_removed: [{ id: mine.id }] });
    await installed("deleted", 1, { repositories: [other] });
    await vi.waitFor(async () => expect(await seen()).toEqual([mine.full_name]));
  });
});
