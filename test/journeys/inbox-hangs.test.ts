/** A party of the inbox does not answer: its own deliveries wait, and no others. */

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { buildRoutine } from "#test/support/api.ts";
import { hourAfterAllDeliveries, occurrencesOf } from "#test/support/clock.ts";
import { asking } from "#test/support/objects.ts";
import { deliveriesIn } from "#test/support/stores.ts";
import { makeDeliveryId } from "#worker/inbound/delivery-ids.ts";
import { Inbox, type InboxParts } from "#worker/inbound/inbox.ts";
import { githubApp } from "#worker/store/github-app.ts";
import { matching } from "#worker/store/matching.ts";
import { repositoryNames } from "#worker/store/repository-names.ts";

const LONG_BODY = 600_000;
const never = () => new Promise<never>(() => undefined);
let names = 0;
let startMs = 0;

beforeEach(() => {
  startMs = hourAfterAllDeliveries();
  vi.useFakeTimers({ toFake: ["Date"], now: startMs });
});
afterEach(() => {
  vi.useRealTimers();
});

const whole: InboxParts = {
  deliveries: deliveriesIn(),
  matching: matching(env.DB),
  githubApp: githubApp(env.DB),
  names: repositoryNames(env.DB),
  ownerOf: asking,
  baseUrl: "",
  pause: () => Promise.resolve(),
};

/** A sweep of an inbox with a party that does not answer: the clock runs until it is over. */
async function sweepWith(parts: Partial<InboxParts>): Promise<void> {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: Date.now() });
  let isOver = false;
  const swept = new Inbox({ ...whole, ...parts }).sweep(Date.now()).finally(() => {
    isOver = true;
  });
  for (let seconds = 0; seconds < 300 && !isOver; seconds += 1) {
    await vi.advanceTimersByTimeAsync(1_000);
    await env.DB.prepare("SELECT 1").first();
  }
  expect(isOver).toBe(true);
  await swept;
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
}

/** Later, when everybody answers again. */
async function sweepLater(): Promise<void> {
  vi.setSystemTime(Date.now() + 600_000);
  await new Inbox(whole).sweep(Date.now());
}

function nextName(): string {
  names += 1;
  return `inbox.hangs ${names}`;
}

const waiting = (name: string) => buildRoutine({ triggers: [{ type: "event", name }] });

/** An event that has been stored, and not handled. */
async function store(name: string, length = 0): Promise<void> {
  const body = new Uint8Array(new TextEncoder().encode(JSON.stringify({ name, payload: "x".repeat(length) })));
  const told = {
    id: makeDeliveryId(Date.now()),
    source: "event",
    triggerId: null,
    event: name,
    headers: {},
    body,
  } as const;
  await whole.deliveries.insert({ ...told, providerId: null, ignored: null }, Date.now());
}

it.each([1, 2, 3])("%i routines that take nothing hold up nobody else, and are offered it again", async (count) => {
  const name = nextName();
  const silent = await Promise.all(Array.from({ length: count }, () => waiting(name)));
  const other = await waiting(name);
  await store(name);
  const ids = new Set(silent.map(({ id }) => id));
  await sweepWith({
    ownerOf: (id) => (ids.has(id) ? new Proxy(asking(id), { get: () => never }) : asking(id)),
  });
  expect(await occurrencesOf(other.id)).toHaveLength(1);
  for (const { id } of silent) expect(await occurrencesOf(id)).toHaveLength(0);
  await sweepLater();
  for (const { id } of [...silent, other]) expect(await occurrencesOf(id)).toHaveLength(1);
});

describe("a body in R2", () => {
  it.each([
    ["does not come", never],
    ["can't be read", () => Promise.reject(new Error("out of order"))],
  ])("that %s holds up no other delivery, and is read later", async (_what, get) => {
    const [long, short] = [nextName(), nextName()];
    const [one, other] = [await waiting(long), await waiting(short)];
    await store(long, LONG_BODY);
    await store(short);
    const bucket = new Proxy(env.BODIES, { get: () => get });
    await sweepWith({ deliveries: deliveriesIn(bucket) });
    expect(await occurrencesOf(other.id)).toHaveLength(1);
    expect(await occurrencesOf(one.id)).toHaveLength(0);
    await sweepLater();
    expect(await occurrencesOf(one.id)).toHaveLength(1);
  });
});
