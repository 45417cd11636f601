/** What a source sends on retry, on edit, on delete, in its largest form and in its rarest encoding, tried as it is sent. */
import { describe, expect, it } from "vitest";
import type { SourceReading } from "#protocol/source-event.ts";
import type { ListenerAnswer, Verification } from "#worker/inbound/sources/listener.ts";
import { valueAt } from "#worker/inbound/sources/payload.ts";
import type { ListenerSample, NotSent, RetrySample, SampleReading, SourceSends } from "./listener-case.ts";
import { bytesOf } from "./signing.ts";

/** What a sample has come to: a listener's reading, or that of GitHub's, whose address is one for all. */
export interface Tried {
  verification: Verification;
  reading: { kind: "event"; event: SourceReading; answer?: ListenerAnswer } | { kind: string; reason: string };
  /** Whether the same body under another id is the same event. */
  isKnownByBody: boolean;
}

type Try = (sample: ListenerSample) => Promise<Tried>;

/** @param limitBytes what is taken of a request at most. @param atMs the time at which all is sent. */
export function describeSends(sends: SourceSends, limitBytes: number, atMs: number, tried: Try): void {
  describe("sends on retry, edit and delete, the most, and the rarest", () => {
    const { onRetry, onEdit, onDelete, largest, rarestEncoding } = sends;
    const forms = {
      retry: onRetry,
      edit: onEdit,
      delete: onDelete,
      "its largest form": largest,
      "its rarest encoding": rarestEncoding,
    };
    for (const [form, sample] of Object.entries(forms)) {
      if ("doesNotExist" in sample) {
        it(`${form}: nothing, and says why`, () => expectReason(sample));
        continue;
      }
      it(`${form}: ${sample.title} (${sample.page})`, async () => {
        const { verification, reading } = await tried(sample);
        expect(verification).toEqual({ ok: true });
        expectReading(reading, sample.reads);
      });
    }

    if (!("doesNotExist" in onRetry)) {
      it(`knows a second attempt by ${onRetry.knownBy}`, async () => expectSame(onRetry, tried));
    }
    if (!("doesNotExist" in largest)) {
      it("is taken in at its largest", () => {
        const { length } = bytesOf(largest.body(atMs));
        expect(length).toBeGreaterThanOrEqual(largest.bytes);
        expect(length).toBeLessThanOrEqual(limitBytes);
      });
    }
  });
}

function expectReason({ doesNotExist, page }: NotSent): void {
  expect(doesNotExist).toMatch(/^[A-Z].{10,}\.$/);
  expect(page).toMatch(/^https:|^docs\//);
}

async function expectSame(again: RetrySample, tried: Try): Promise<void> {
  const first = await tried({ ...again, ...again.first });
  const second = await tried(again);
  const keys = [first, second].map(({ reading }) => (reading.kind === "event" ? keyOf(reading) : null));
  const isSameId = keys[0] !== null && keys[0] === keys[1];
  expect({ byId: isSameId, byBody: !isSameId && second.isKnownByBody }).toEqual({
    byId: again.knownBy === "id",
    byBody: again.knownBy === "body",
  });
}

function keyOf(reading: Tried["reading"]): string | null {
  return "event" in reading ? reading.event.dedupe_key : null;
}

/** Of an event the members that a sample names are compared, `context` by its parts. */
export function expectReading(reading: Tried["reading"], expected: SampleReading): void {
  expect(reading.kind).toBe(expected.kind);
  if (expected.kind === "unreadable" || !("event" in reading)) {
    expect(reading).toMatchObject({ reason: expect.stringMatching("reason" in expected ? expected.reason : /^$/) });
    if (expected.kind === "ignored") expect("answer" in reading ? reading.answer : undefined).toEqual(expected.answer);
    return;
  }
  expect(reading.answer).toEqual(expected.answer);
  if (expected.kind !== "event") return;
  const { event } = reading;
  expect(event).toMatchObject(expected.event);
  for (const part of expected.context) expect(event.context).toContain(part);
  for (const text of expected.absent ?? []) {
    expect(event.context).not.toContain(text);
    expect(JSON.stringify(event.payload)).not.toContain(text);
  }
  for (const [path, value] of Object.entries(expected.paths ?? {})) expect(valueAt(event.payload, path)).toEqual(value);
}
