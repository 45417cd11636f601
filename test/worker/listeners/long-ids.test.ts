/** Ids of any length: the same id is one event, and two that differ anywhere are two, whatever the source. */
import { describe, expect, it } from "vitest";
import { webhookSources } from "#protocol/webhook-sources.ts";
import { keptHeaders } from "#worker/inbound/kept-headers.ts";
import { LISTENERS } from "#worker/inbound/sources/all.ts";
import { identityOf } from "#worker/inbound/sources/payload.ts";
import { bytesOf } from "./signing.ts";

const SETTINGS = { auth: null, pubsub: null, url: "https://reveille.example/webhooks/x/trg_1" };
const JSON_TYPE = { "content-type": "application/json" };
const SUBSCRIPTION = "projects/p/subscriptions/s";

/** Where each source writes its id. */
const SOURCES: Record<string, (id: string) => { headers: Record<string, string>; body: string }> = {
  slack: (id) => told({ type: "event_callback", event_id: id, event: { type: "team_join" } }),
  linear: (id) => told({ type: "Issue", action: "create", data: {} }, { "linear-delivery": id }),
  sentry: (id) =>
    told({ action: "created", data: { comment: "a" } }, { "request-id": id, "sentry-hook-resource": "comment" }),
  pagerduty: (id) => told({ event: { id, event_type: "service.updated", data: {} } }),
  notion: (id) => told({ id, type: "page.created", entity: { id: "1", type: "page" }, data: {} }),
  gitlab: (id) => told({ object_kind: "push" }, { "idempotency-key": id }),
  jira: (id) => told({ webhookEvent: "jira:issue_created" }, { "x-atlassian-webhook-identifier": id }),
  bitbucket: (id) => told({}, { "x-event-key": "repo:push", "x-request-uuid": id }),
  pubsub: (id) => told({ subscription: SUBSCRIPTION, message: { messageId: id, data: "aGk=" } }),
  telegram: (id) => told({ update_id: id, message: { text: "a", chat: { id: 1 } } }),
  discord: (id) => told({ id, type: 2, data: { name: "deploy" } }),
  grafana: (id) => told({ status: "firing", alerts: [{ status: "firing", fingerprint: id, startsAt: "1" }] }),
  datadog: (id) => told({ id, transition: "Triggered" }),
  stripe: (id) => told({ id, type: "invoice.paid", data: { object: { object: "invoice" } } }),
  "standard-webhooks": (id) => told({ type: "a" }, { "webhook-id": id }),
  generic: (id) => told({ type: "a" }, { "idempotency-key": id }),
};

function told(body: unknown, headers: Record<string, string> = {}) {
  return { headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(body) };
}

/** As it is stored and read again. */
function keyOf(source: string, { headers, body }: { headers: Record<string, string>; body: string }): string | null {
  const listener = LISTENERS[source as keyof typeof LISTENERS];
  const keys = [new Headers(headers), new Headers(keptHeaders(new Headers(headers)))].map((given) => {
    const reading = listener.read({ headers: given, body: bytesOf(body) }, SETTINGS);
    return reading.kind === "event" ? reading.event.dedupe_key : expect.unreachable(reading.reason);
  });
  expect(keys[1]).toBe(keys[0]);
  return keys[0] ?? null;
}

describe.each(Object.entries(SOURCES))("an id of %s", (source, written) => {
  it.each([1, 200, 254, 255, 256, 257, 999, 1_000, 1_001, 5_000])("of %d characters tells events apart", (length) => {
    const one = keyOf(source, written(`${"x".repeat(length - 1)}a`));
    expect(one).not.toBeNull();
    expect(one?.length).toBeLessThanOrEqual(255);
    expect(keyOf(source, written(`${"x".repeat(length - 1)}a`))).toBe(one);
    expect(keyOf(source, written(`${"x".repeat(length - 1)}b`))).not.toBe(one);
    if (length > 1) expect(keyOf(source, written(`b${"x".repeat(length - 2)}a`))).not.toBe(one);
  });
});

it("is tried of every source", () => {
  expect(Object.keys(SOURCES).toSorted()).toEqual([...webhookSources].toSorted());
});

describe("an id", () => {
  it.each([
    ["none", null, null],
    ["an empty one", "", null],
    ["a usual one", "72d3162e-cc78", "72d3162e-cc78"],
    ["one of 255 characters", "x".repeat(255), "x".repeat(255)],
    ["one of characters beyond the basic plane", "🚨".repeat(100), "🚨".repeat(100)],
    ["a longer one", "x".repeat(256), expect.stringMatching(/^sha256:[0-9a-f]{64}$/)],
    ["half of a pair", "\ud83d", expect.stringMatching(/^sha256:[0-9a-f]{64}$/)],
  ])("is kept: %s", (_title, id, kept) => {
    expect(identityOf(id)).toEqual(kept);
  });

  it("is another than one that differs in half of a pair", () => {
    const halves = ["\ud83d", "\ud83e", "\udea8", "\ufffd"].map((half) => identityOf(half.repeat(300)));
    expect(new Set(halves).size).toBe(halves.length);
  });

  it("of a CloudEvent is another than one whose source and id meet elsewhere", () => {
    const event = (source: string, id: string) =>
      keyOf("generic", {
        headers: { "content-type": "application/cloudevents+json" },
        body: JSON.stringify({ specversion: "1.0", type: "t", source, id }),
      });
    expect(event("/a b", "c")).not.toBe(event("/a", "b c"));
    expect(event("/a", "b c")).toBe(event("/a", "b c"));
  });
});

describe.each(Object.entries(SOURCES))("an id of %s among many headers", (source, written) => {
  it.each(["ce-a", "svix-a", "webhook-a", "a-"])("is kept, though %s comes before it a hundred times", (name) => {
    const { headers, body } = written("the-id");
    const added = Object.fromEntries(Array.from({ length: 100 }, (_, place) => [`${name}${100 + place}`, "x"]));
    expect(keyOf(source, { headers: { ...added, ...headers }, body })).toContain("the-id");
  });
});
