/** Events are cut to their limit, honestly and only once; characters are not split. */
import { describe, expect, it } from "vitest";
import {
  byteLength,
  cutToJsonBytes,
  EVENT_LIMIT_BYTES,
  type EventBody,
  eventBodySchema,
  fitEvent,
  transcriptEventSchema,
} from "#protocol/transcript.ts";
import { chance } from "./support/random.ts";

function jsonBytes(value: unknown): number {
  return byteLength(JSON.stringify(value));
}

/** As it is stored: with the longest envelope that there can be. */
function stored(body: EventBody) {
  const id = "0ABCDEFGHJKMNPQRSTVWXYZ012";
  const at = "2026-11-21T09:00:00.000Z";
  return { seq: Number.MAX_SAFE_INTEGER, at, session_id: `session_${id}`, run_id: `run_${id}`, ...body };
}

/** The longest beginning by trying every one. */
function longestBeginning(text: string, limit: number): string {
  for (let length = text.length; length > 0; length -= 1) {
    const code = text.charCodeAt(length - 1);
    const next = text.charCodeAt(length);
    const splitsPair = code >= 0xd800 && code <= 0xdbff && next >= 0xdc00 && next <= 0xdfff;
    if (!splitsPair && jsonBytes(text.slice(0, length)) <= limit) return text.slice(0, length);
  }
  return "";
}

describe("cutToJsonBytes", () => {
  it.each<[string, string, number, string]>([
    ["a text that fits stays whole", "hello", 100, "hello"],
    ["the two quotes count", "hello", 6, "hell"],
    ["exactly at the limit", "hello", 7, "hello"],
    ["a quote takes two bytes", '""""', 6, '""'],
    ["a line end takes two bytes", "a\nb\nc", 6, "a\nb"],
    ["a control character takes six bytes", "\u0001\u0001\u0001", 14, "\u0001\u0001"],
    ["two bytes of UTF-8", "éééé", 6, "éé"],
    ["three bytes of UTF-8", "日本語", 9, "日本"],
    ["a pair is not split", "a😀b", 6, "a"],
    ["a pair that just fits is kept", "a😀b", 7, "a😀"],
    ["a pair alone that just fits is kept", "😀", 6, "😀"],
    ["a half pair at the end of a text that fits is kept", "a\ud83d", 100, "a\ud83d"],
    ["nothing fits into nothing", "hello", 2, ""],
    ["nothing fits into less than nothing", "hello", -5, ""],
    ["an empty text", "", 10, ""],
  ])("%s", (_sentence, text, limit, expected) => {
    expect(cutToJsonBytes(text, limit)).toBe(expected);
  });

  it("is the longest beginning that fits, for any text and limit", () => {
    const pieces = ["a", "b", '"', "\\", "\n", "\u0001", "é", "日", "😀", "👩‍👩‍👧"] as const;
    const random = chance(11);
    for (let round = 0; round < 1_500; round += 1) {
      const text = Array.from({ length: random.below(14) }, () => random.pick([...pieces])).join("");
      const limit = 2 + random.below(40);
      const shown = JSON.stringify({ text, limit });
      expect([shown, cutToJsonBytes(text, limit)]).toEqual([shown, longestBeginning(text, limit)]);
    }
  });
});

const EXTREMES: [string, string][] = [
  ["letters", "a".repeat(300_000)],
  ["line ends, which grow in JSON", "\n".repeat(200_000)],
  ["quotes, which grow in JSON", '"'.repeat(200_000)],
  ["control characters, which grow sixfold", "\u0001".repeat(60_000)],
  ["pairs", "😀".repeat(80_000)],
  ["pairs, at an odd place", `a${"😀".repeat(80_000)}`],
  ["half pairs", "\ud83d".repeat(60_000)],
];

const SHAPES: [string, (text: string) => EventBody][] = [
  ["tool.result", (text) => ({ type: "tool.result", tool_call_id: "toolu_1", is_error: false, text })],
  ["agent.message", (text) => ({ type: "agent.message", message_id: "msg_1", text })],
  ["user.message", (text) => ({ type: "user.message", source: "trigger", text })],
  ["tool.call", (text) => ({ type: "tool.call", tool_call_id: "toolu_1", name: "Write", input: { content: text } })],
  ["run.step", (message) => ({ type: "run.step", phase: "setup", message })],
  ["notice", (message) => ({ type: "notice", level: "info", code: "demo_model", message })],
  ["run.queued", (summary) => ({ type: "run.queued", attempt: 1, summary })],
];
const cases = SHAPES.flatMap(([shape, make]) => EXTREMES.map(([what, text]) => ({ shape, what, body: make(text) })));

describe("fitEvent", () => {
  it.each(cases)("cuts a $shape of $what to the limit, once", ({ body }) => {
    const fitted = fitEvent(body);
    expect(eventBodySchema.safeParse(fitted).success).toBe(true);
    expect(jsonBytes(stored(fitted))).toBeLessThanOrEqual(EVENT_LIMIT_BYTES);
    // What is cut is as long as it may be, but for the room that is left for the envelope.
    expect(jsonBytes(stored(fitted))).toBeGreaterThan(EVENT_LIMIT_BYTES - 3_000);
    expect(fitEvent(fitted)).toEqual(fitted);
  });

  it.each(EXTREMES)("says that a text of %s was cut, and how long it was", (_what, text) => {
    const fitted = fitEvent(fitEvent({ type: "tool.result", tool_call_id: "toolu_1", is_error: true, text }));
    expect(fitted).toMatchObject({ truncated: true, bytes: byteLength(text), is_error: true });
    expect(text.startsWith(fitted.text)).toBe(true);
  });

  it("turns a long input into text, and says how long it was as JSON", () => {
    const input = { content: 'é"'.repeat(200_000) };
    const fitted = fitEvent(fitEvent({ type: "tool.call", tool_call_id: "toolu_1", name: "Write", input }));
    expect(fitted).toMatchObject({ truncated: true, bytes: jsonBytes(input), name: "Write" });
    expect(JSON.stringify(input).startsWith(String(fitted.input))).toBe(true);
  });

  it("leaves an event that just fits, and cuts one that is a byte longer", () => {
    const message = (length: number) => ({ type: "agent.message" as const, message_id: "m", text: "a".repeat(length) });
    let length = EVENT_LIMIT_BYTES - 3_000;
    let tooLong = EVENT_LIMIT_BYTES;
    while (tooLong - length > 1) {
      const middle = Math.floor((length + tooLong) / 2);
      if ("truncated" in fitEvent(message(middle))) tooLong = middle;
      else length = middle;
    }
    const fits = message(length);
    expect(fitEvent(fits)).toBe(fits);
    expect(fitEvent(message(length + 1))).toMatchObject({ truncated: true, bytes: length + 1 });
  });

  it("leaves small events as they are", () => {
    const body: EventBody = { type: "notice", level: "info", code: "demo_model", message: "The demo model answers." };
    expect(fitEvent(body)).toBe(body);
  });
});

describe("transcriptEventSchema", () => {
  const event = stored({ type: "agent.message", message_id: "msg_1", text: "Hello." });
  it.each<[string, unknown, boolean]>([
    ["an event with its envelope", event, true],
    ["seq 0", { ...event, seq: 0 }, false],
    ["an unknown type", { ...event, type: "agent.shout" }, false],
    ["a delta, which is live only", { ...event, type: "agent.delta", kind: "text" }, false],
    ["a time without milliseconds", { ...event, at: "2026-11-21T09:00:00Z" }, false],
    ["the session of another kind of id", { ...event, session_id: event.run_id }, false],
  ])("%s", (_sentence, value, isValid) => {
    expect(transcriptEventSchema.safeParse(value).success).toBe(isValid);
  });
});
