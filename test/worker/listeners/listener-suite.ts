/** One suite for all listeners: what each has to accept, to refuse, and to read, whatever its source. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json } from "#protocol/schema.ts";
import { CONTEXT_LIMIT, sourceReadingSchema } from "#protocol/source-event.ts";
import type { EndpointSettings, InboundRequest, Reading, VerifyContext } from "#worker/inbound/sources/listener.ts";
import { isObject } from "#worker/inbound/sources/payload.ts";
import { knownByBody } from "#worker/inbound/sources/repeatable.ts";
import { brokenBodies, brokenHeaders } from "./broken-signatures.ts";
import type { ListenerCase, ListenerSample } from "./listener-case.ts";
import { bytesOf } from "./signing.ts";
import { describeSends, expectReading } from "./source-sends.ts";

export const NOW_MS = Date.UTC(2026, 10, 20, 9, 30);
/** What an endpoint takes at most (docs/triggers.md). */
const ENDPOINT_BODY_BYTES = 5 * 1_048_576;
const URL = "https://reveille.example/webhooks/source/trg_01JD";

export function describeListener(tested: ListenerCase): void {
  const { listener } = tested;
  const name = tested.variant === undefined ? listener.title : `${listener.title}, ${tested.variant}`;
  describe(`${name} (${tested.documentation.join(", ")})`, () => {
    accepts(tested);
    refuses(tested);
    reads(tested);
    survives(tested);
    describeSends(tested.sends, ENDPOINT_BODY_BYTES, NOW_MS, async (sample) => {
      const request = await signed(tested, sample);
      const reading = listener.read(request, settings(tested));
      expectBounds(reading);
      const payload = reading.kind === "event" && isObject(reading.event.payload) ? reading.event.payload : {};
      const isKnown = reading.kind === "event" && knownByBody(listener.source, reading.event.name, payload) !== null;
      return { verification: await listener.verify(request, context(tested)), reading, isKnownByBody: isKnown };
    });

    it("says how it is set up, with the endpoint's address, and which fields it has", () => {
      expect(listener.setUp(URL).filter((step) => step.includes(URL)).length).toBeGreaterThan(0);
      const names = listener.fields.map(({ field }) => field);
      expect(new Set(names).size).toBe(names.length);
    });
  });
}

function accepts(tested: ListenerCase): void {
  const { listener, secrets } = tested;

  it.each(tested.samples)("accepts $title", async (sample) => {
    const request = await signed(tested, sample);
    expect(await listener.verify(request, context(tested))).toEqual({ ok: true });
  });

  it.each(tested.vectors ?? [])("accepts the example of $source", async ({ headers, body, secrets: own, atMs }) => {
    const request = { headers: new Headers(headers), body: bytesOf(body) };
    const given = { ...context(tested), secrets: own, nowMs: atMs };
    expect(await listener.verify(request, given)).toEqual({ ok: true });
    const changed = { ...request, body: bytesOf(`${body} `) };
    expect((await listener.verify(changed, given)).ok).toBe(false);
  });

  if (listener.secretFrom !== "nobody") {
    it("accepts either secret while two are in force, and none that is not", async () => {
      for (const secret of secrets) {
        const request = await signed(tested, firstEvent(tested), { secret });
        expect(await listener.verify(request, context(tested))).toEqual({ ok: true });
        const others = secrets.filter((other) => other !== secret);
        expect((await listener.verify(request, { ...context(tested), secrets: others })).ok).toBe(false);
      }
    });
  }

  const windowSeconds = tested.windowSeconds;
  if (windowSeconds !== null) {
    it.each([-(tested.pastSeconds ?? windowSeconds), windowSeconds])(
      "accepts a time that is %d s off",
      async (offSeconds) => {
        const request = await signed(tested, firstEvent(tested), { atMs: NOW_MS + offSeconds * 1_000 });
        expect(await listener.verify(request, context(tested))).toEqual({ ok: true });
      },
    );
  }
}

function refuses(tested: ListenerCase): void {
  const { listener } = tested;
  const base = firstEvent(tested);

  it.each(brokenHeaders(tested.signature))("refuses $title", async ({ values, failure }) => {
    const request = await signed(tested, base);
    const good = request.headers.get(tested.signature.header) ?? "";
    request.headers.delete(tested.signature.header);
    for (const value of values(good)) request.headers.append(tested.signature.header, value);
    expect(await listener.verify(request, context(tested))).toEqual({ ok: false, failure });
  });

  it.each(brokenBodies(tested))("refuses $title", async ({ body }) => {
    const request = await signed(tested, base);
    const changed = body(base.body(NOW_MS));
    expect(changed).not.toBe(base.body(NOW_MS));
    const given = await listener.verify({ ...request, body: bytesOf(changed) }, context(tested));
    expect(given).toEqual({ ok: false, failure: tested.signature.wrong ?? "signature_wrong" });
  });

  it.each(tested.refusals ?? [])("refuses $title", async (refusal) => {
    const request = await signed(tested, base);
    for (const [header, value] of Object.entries(refusal.headers ?? {})) {
      if (value === null) request.headers.delete(header);
      else request.headers.set(header, value);
    }
    const body = refusal.body === undefined ? request.body : bytesOf(refusal.body);
    const given = { ...context(tested), secrets: refusal.secrets ?? tested.secrets };
    const settings = { ...given.settings, ...refusal.settings };
    expect(await listener.verify({ ...request, body }, { ...given, settings })).toEqual({
      ok: false,
      failure: refusal.failure,
    });
  });

  if (listener.secretFrom !== "nobody") {
    it.each([[[]], [[""]], [["", ""]]])("refuses everything while its secrets are %j", async (secrets) => {
      const request = await signed(tested, base);
      const given = await listener.verify(request, { ...context(tested), secrets });
      expect(given).toEqual({ ok: false, failure: "no_secret" });
    });
  }

  const windowSeconds = tested.windowSeconds;
  if (windowSeconds !== null) {
    const offs = [-86_400, -(tested.pastSeconds ?? windowSeconds) - 1, windowSeconds + 1, 86_400];
    it.each(offs)("refuses a time that is %d s off", async (offSeconds) => {
      const request = await signed(tested, base, { atMs: NOW_MS + offSeconds * 1_000 });
      const given = await listener.verify(request, context(tested));
      expect(given).toEqual({ ok: false, failure: "time_out_of_range" });
    });
  }
}

function reads(tested: ListenerCase): void {
  it.each(tested.samples)("reads $title", async (sample) => {
    expectReading(tested.listener.read(await signed(tested, sample), settings(tested)), sample.reads);
  });
}

/** Whatever comes: no exception, and nothing out of bounds. */
function survives(tested: ListenerCase): void {
  const { listener } = tested;
  const names = new Set(tested.samples.flatMap(({ headers }) => Object.keys(headers ?? {})));

  it("throws at no headers and no body", async () => {
    const anyBytes = fc.uint8Array({ maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(anyBytes, fc.string(), fc.boolean(), async (bytes, text, isSigned) => {
        const body = Uint8Array.from(bytes);
        const headers = new Headers(isSigned ? await tested.sign(body, tested.secrets[0], NOW_MS) : {});
        if (!isSigned) headers.set(tested.signature.header, tested.signature.prefix + text);
        for (const header of names) headers.set(header, text);
        const given = await listener.verify({ headers, body }, context(tested));
        if (!isSigned) expect(given.ok).toBe(false);
        expectBounds(listener.read({ headers, body }, settings(tested)));
        listener.introduce?.({ headers, body });
        listener.press?.({ headers, body });
      }),
      { numRuns: 200 },
    );
  });

  const documents = tested.samples.filter((sample) => sample.body(NOW_MS).startsWith("{"));
  it.runIf(documents.length > 0)("reads within bounds what has anything in the place of anything", async () => {
    const anything = fc.oneof(fc.jsonValue(), fc.constant("x".repeat(70_000)), fc.constant("🎺".repeat(20_000)));
    await fc.assert(
      fc.property(fc.constantFrom(...documents), fc.nat(), anything, (sample, place, value) => {
        const document: Json = JSON.parse(sample.body(NOW_MS));
        const body = bytesOf(JSON.stringify(replaced(document, place, JSON.parse(JSON.stringify(value)))));
        const request = { headers: new Headers(sample.headers), body };
        expectBounds(listener.read(request, settings(tested)));
        const press = listener.press?.(request);
        for (const answer of [press?.answered("a question", "an outcome"), press?.refused("a reason")]) {
          if (answer !== undefined) JSON.parse(answer.body);
        }
      }),
      { numRuns: 300 },
    );
  });
}

function expectBounds(reading: Reading): void {
  if (reading.kind !== "event") {
    expect(reading.reason.length).toBeGreaterThan(0);
    return;
  }
  expect(sourceReadingSchema.safeParse(reading.event).error).toBeUndefined();
  expect(reading.event.context.length).toBeLessThanOrEqual(CONTEXT_LIMIT);
  expect(reading.event.name).not.toBe("");
  expect(reading.event.summary).toMatch(/^\S.*\S$/u);
}

/** A copy with another value at one of its places, counted from the root. */
function replaced(document: Json, place: number, value: Json): Json {
  const size = placesIn(document);
  let left = place % size;
  const walk = (current: Json): Json => {
    if (left === 0) {
      left -= 1;
      return value;
    }
    left -= 1;
    if (typeof current !== "object" || current === null) return current;
    if (Array.isArray(current)) return current.map(walk);
    return Object.fromEntries(Object.entries(current).map(([key, item]) => [key, walk(item)]));
  };
  return walk(document);
}

function placesIn(document: Json): number {
  if (typeof document !== "object" || document === null) return 1;
  return Object.values(document).reduce<number>((sum, item) => sum + placesIn(item), 1);
}

async function signed(
  tested: ListenerCase,
  sample: ListenerSample,
  { secret = tested.secrets[0], atMs = NOW_MS } = {},
): Promise<InboundRequest> {
  const body = bytesOf(sample.body(atMs));
  return { headers: new Headers({ ...sample.headers, ...(await tested.sign(body, secret, atMs)) }), body };
}

function firstEvent({ samples }: ListenerCase): ListenerSample {
  const sample = samples.find(({ reads: { kind } }) => kind === "event");
  if (sample === undefined) throw new Error("a case has at least one event");
  return sample;
}

function settings(tested: ListenerCase): EndpointSettings {
  return { auth: null, pubsub: null, url: URL, ...tested.settings };
}

function context(tested: ListenerCase): VerifyContext {
  const fetchKeys = tested.fetchKeys ?? (() => Promise.reject(new Error("no keys are known")));
  return { secrets: tested.secrets, settings: settings(tested), nowMs: NOW_MS, fetchKeys };
}
