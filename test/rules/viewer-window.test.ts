/** Flow control of a viewer: what may be under way, and what its acknowledgements do. */
import { describe, expect, it } from "vitest";
import { VIEWER_STALL_MS, VIEWER_WINDOW } from "#protocol/viewer.ts";
import type { Chunk } from "#rules/transcript-chunk.ts";
import {
  afterAck,
  afterSend,
  fitsWindow,
  roomInEvents,
  type Sendable,
  stallAt,
  takeFitting,
  takeMessages,
  type ViewerPosition,
} from "#rules/viewer-window.ts";
import { type Chance, chance } from "./support/random.ts";

/** The last of some that are sent. */
function last(items: readonly Sendable[]): Sendable {
  return items.at(-1) ?? { seq: 0, endBytes: 0 };
}

const START: ViewerPosition = {
  sentSeq: 0,
  sentBytes: 0,
  ackedSeq: 0,
  ackedBytes: 0,
  waitingSinceMs: null,
  isCaughtUp: false,
};
/** Events 1 to 10 of 100 bytes each have been sent, 4 of them are acknowledged. */
const BUSY: ViewerPosition = {
  ...START,
  sentSeq: 10,
  sentBytes: 1_000,
  ackedSeq: 4,
  ackedBytes: 400,
  waitingSinceMs: 5_000,
};

/** A session of events of these lengths. */
function session(lengths: readonly number[]): Sendable[] {
  let endBytes = 0;
  return lengths.map((length, index) => {
    endBytes += length;
    return { seq: index + 1, endBytes };
  });
}

describe("takeFitting", () => {
  it.each<[string, number[], number]>([
    ["nothing from nothing", [], 0],
    ["all that is small", Array(100).fill(10), 100],
    ["at most 512 events", Array(600).fill(10), VIEWER_WINDOW.events],
    ["exactly one MiB", [VIEWER_WINDOW.bytes / 2, VIEWER_WINDOW.bytes / 2, 1], 2],
    ["not one byte more than a MiB", [VIEWER_WINDOW.bytes / 2, VIEWER_WINDOW.bytes / 2 + 1], 1],
    ["one event that is longer than a MiB, alone", [VIEWER_WINDOW.bytes + 1, 1], 1],
    ["none that is longer than a MiB behind another", [1, VIEWER_WINDOW.bytes + 1, 1], 1],
  ])("takes %s", (_sentence, lengths, count) => {
    const items = session(lengths);
    expect(takeFitting(START, items)).toEqual(items.slice(0, count));
  });

  it("takes nothing while the window is full, not even one", () => {
    const sent = session(Array(VIEWER_WINDOW.events).fill(10));
    const full = afterSend(START, last(sent), 0);
    expect(roomInEvents(full)).toBe(0);
    expect(takeFitting(full, [{ seq: 513, endBytes: 5_130 }])).toEqual([]);
  });

  it("counts bytes from the last acknowledgement, not from the last that was sent", () => {
    const sent = afterSend(START, last(session([VIEWER_WINDOW.bytes])), 0);
    expect(takeFitting(sent, [{ seq: 2, endBytes: VIEWER_WINDOW.bytes + 1 }])).toEqual([]);
  });
});

describe("afterAck", () => {
  it.each<[string, Sendable, Partial<ViewerPosition>]>([
    [
      "of what is under way moves the window on",
      { seq: 7, endBytes: 700 },
      { ackedSeq: 7, ackedBytes: 700, waitingSinceMs: 9_000, acknowledged: { events: 3, bytes: 300 } },
    ],
    [
      "of the last leaves nothing to wait for",
      { seq: 10, endBytes: 1_000 },
      { ackedSeq: 10, ackedBytes: 1_000, waitingSinceMs: null, acknowledged: { events: 6, bytes: 600 } },
    ],
    ["repeated changes nothing", { seq: 4, endBytes: 400 }, {}],
    ["out of order, of an earlier one, changes nothing", { seq: 2, endBytes: 200 }, {}],
    ["of nothing changes nothing", { seq: 0, endBytes: 0 }, {}],
    [
      "of what was never sent counts as the last that was",
      { seq: 999, endBytes: 0 },
      { ackedSeq: 10, ackedBytes: 1_000, waitingSinceMs: null, acknowledged: { events: 6, bytes: 600 } },
    ],
  ])("%s", (_sentence, acked, change) => {
    expect(afterAck(BUSY, acked, 9_000)).toEqual({ ...BUSY, ...change });
  });

  it("before anything was sent changes nothing", () => {
    expect(afterAck(START, { seq: 3, endBytes: 300 }, 9_000)).toMatchObject({ ackedSeq: 0, ackedBytes: 0 });
  });
});

describe("stallAt", () => {
  it("is a minute after the first event without any acknowledgement, not after the last", () => {
    const first = afterSend(START, { seq: 1, endBytes: 10 }, 1_000);
    const second = afterSend(first, { seq: 2, endBytes: 20 }, 30_000);
    expect(stallAt(second)).toBe(1_000 + VIEWER_STALL_MS);
  });

  it.each<[string, ViewerPosition, number | null]>([
    ["starts anew with an acknowledgement", afterAck(BUSY, { seq: 5, endBytes: 500 }, 9_000), 9_000 + VIEWER_STALL_MS],
    [
      "does not start anew with a repeated one",
      afterAck(BUSY, { seq: 4, endBytes: 400 }, 9_000),
      5_000 + VIEWER_STALL_MS,
    ],
    ["is never while nothing is under way", afterAck(BUSY, { seq: 10, endBytes: 1_000 }, 9_000), null],
    ["is never for one that was sent nothing", START, null],
  ])("%s", (_sentence, position, expected) => {
    expect(stallAt(position)).toBe(expected);
  });
});

it("never has more under way than the window, and sends every event once, whatever is in a row and is acknowledged", () => {
  for (let seed = 0; seed < 8; seed += 1) {
    const random = chance(seed);
    const lines = Array.from({ length: 400 }, (_, index) => line(index + 1, lengthOf(random)));
    const items = session(lines.map(({ length }) => length));
    const chunks = chunksOf(random, lines, items);
    const sent: string[] = [];
    let position = START;
    for (let round = 0; position.ackedSeq < items.length; round += 1) {
      expect(round).toBeLessThan(20_000);
      const upcoming = chunks.filter(({ lastSeq }) => lastSeq > position.sentSeq).slice(0, 1 + random.below(40));
      for (const message of roomInEvents(position) === 0 ? [] : takeMessages(position, upcoming)) {
        const events = eventsOf(message.text);
        expect(message.count).toBe(events.length);
        sent.push(...events);
        position = afterSend(position, message, round);
      }
      expectBounded(position);
      position = acknowledge(random, position, items, round);
      expectBounded(position);
    }
    expect(sent.length).toBe(lines.length);
    expect(sent.every((text, index) => text === lines[index])).toBe(true);
  }
});

it.each([1, 100, 256, 300, 400, 511, 512])(
  "gets on with a viewer that acknowledges when %i events have come, and not before",
  (threshold) => {
    const count = 5_000;
    const lines = Array.from({ length: count }, (_, index) => line(index + 1, 100));
    const items = session(lines.map(({ length }) => length));
    const chunks = Array.from({ length: Math.ceil(count / 200) }, (_, at) => {
      const end = items[Math.min(count, (at + 1) * 200) - 1] ?? expect.unreachable();
      return {
        firstSeq: at * 200 + 1,
        lastSeq: end.seq,
        endBytes: end.endBytes,
        body: lines.slice(at * 200, end.seq).join("\n"),
      };
    });
    let position = START;
    for (;;) {
      const upcoming = chunks.filter(({ lastSeq }) => lastSeq > position.sentSeq);
      const before = position.sentSeq;
      for (const message of takeMessages(position, upcoming)) position = afterSend(position, message, 0);
      expectBounded(position);
      if (position.sentSeq === count) break;
      const ended = items[position.sentSeq - 1] ?? expect.unreachable();
      if (position.sentSeq - position.ackedSeq >= threshold) position = afterAck(position, ended, 0);
      else expect(position.sentSeq).toBeGreaterThan(before);
    }
  },
);

describe("takeMessages", () => {
  const lines = [1, 2, 3, 4].map((seq) => line(seq, 100));
  const chunk = { firstSeq: 1, lastSeq: 4, endBytes: 400, body: lines.join("\n") };

  it("sends one event as it is, and several in an envelope", () => {
    expect(takeMessages({ ...START, sentSeq: 3, sentBytes: 300 }, [chunk])).toEqual([
      { seq: 4, endBytes: 400, count: 1, text: lines[3] },
    ]);
    expect(takeMessages(START, [chunk]).map(({ text }) => JSON.parse(text))).toEqual([
      { type: "events", events: lines.map((text) => JSON.parse(text)) },
    ]);
  });

  describe("a row whose end does not fit", () => {
    const long = [1, 2, 3, 4].map((seq) => line(seq, 200_000));
    const row = { firstSeq: 1, lastSeq: 4, endBytes: 800_000, body: long.join("\n") };
    const half = VIEWER_WINDOW.events / 2;

    it.each<[string, Partial<ViewerPosition>, number | null]>([
      ["begins where little is under way", { ackedBytes: 500_000 - VIEWER_WINDOW.bytes }, 2],
      ["waits where most of the bytes are under way", { ackedBytes: 220_000 - VIEWER_WINDOW.bytes }, null],
      ["begins with one event less than half of the window under way", { ackedSeq: 1 - half, ackedBytes: -500_000 }, 2],
      ["waits with half of the events under way", { ackedSeq: -half, ackedBytes: -500_000 }, null],
    ])("%s", (_sentence, underWay, lastSeq) => {
      const often = { events: 1, bytes: 200_000 };
      const messages = takeMessages({ ...START, acknowledged: often, ...underWay }, [row]);
      expect(messages.at(-1)?.seq ?? null).toBe(lastSeq);
    });

    it.each<[string, Partial<ViewerPosition>]>([
      ["has not acknowledged anything yet", {}],
      ["acknowledged more than that last time", { acknowledged: { events: half + 1, bytes: 200_000 } }],
    ])("begins with half of the events under way for one that %s", (_sentence, position) => {
      const messages = takeMessages({ ...START, ackedSeq: -half, ackedBytes: -500_000, ...position }, [row]);
      expect(messages.at(-1)?.seq).toBe(2);
    });

    it("goes on from its middle, whatever is under way", () => {
      const within = { ...START, sentSeq: 1, sentBytes: 200_000, ackedBytes: 600_000 - VIEWER_WINDOW.bytes };
      expect(takeMessages({ ...within, ackedSeq: 1 - half }, [row]).at(-1)?.seq).toBe(3);
    });
  });

  it("begins a new message when one has grown long", () => {
    const long = line(1, 300_000);
    const chunks = [
      { firstSeq: 1, lastSeq: 1, endBytes: 300_000, body: long },
      { firstSeq: 2, lastSeq: 2, endBytes: 300_100, body: line(2, 100) },
    ];
    expect(takeMessages(START, chunks).map(({ seq }) => seq)).toEqual([1, 2]);
  });
});

describe("fitsWindow", () => {
  it.each<[string, Partial<ViewerPosition>, boolean]>([
    ["all that a viewer without anything under way is sent", {}, true],
    ["not more events than there is room for", { ackedSeq: -509 }, false],
    ["not more bytes than there is room for", { ackedBytes: 399 - VIEWER_WINDOW.bytes }, false],
    ["exactly as many", { ackedSeq: -508, ackedBytes: 400 - VIEWER_WINDOW.bytes }, true],
  ])("holds for %s", (_sentence, position, expected) => {
    expect(fitsWindow({ ...START, ...position }, { seq: 4, endBytes: 400 })).toBe(expected);
  });
});

/** An event of this many bytes, as JSON. */
function line(seq: number, length: number): string {
  const text = JSON.stringify({ seq, text: "" });
  return JSON.stringify({ seq, text: "x".repeat(Math.max(0, length - text.length)) });
}

/** Rows of one to twelve events. */
function chunksOf(random: Chance, lines: readonly string[], items: readonly Sendable[]): Chunk[] {
  const chunks: Chunk[] = [];
  for (let first = 0; first < lines.length; ) {
    const count = Math.min(1 + random.below(12), lines.length - first);
    const end = items[first + count - 1] ?? expect.unreachable();
    chunks.push({
      firstSeq: first + 1,
      lastSeq: end.seq,
      endBytes: end.endBytes,
      body: lines.slice(first, first + count).join("\n"),
    });
    first += count;
  }
  return chunks;
}

/** The events of a message, as they were stored. */
function eventsOf(text: string): string[] {
  const message: { events?: unknown[] } = JSON.parse(text);
  return (message.events ?? [message]).map((event) => JSON.stringify(event));
}

/** Mostly small events, now and then a long one, rarely one that is longer than the window. */
function lengthOf(random: Chance): number {
  const kind = random.below(200);
  if (kind === 0) return VIEWER_WINDOW.bytes + random.below(1_000);
  return kind < 40 ? 1 + random.below(262_144) : 1 + random.below(2_000);
}

/** An acknowledgement of something sent, of something long past, of something never sent, or none. */
function acknowledge(
  random: Chance,
  position: ViewerPosition,
  items: readonly Sendable[],
  nowMs: number,
): ViewerPosition {
  const kind = random.below(5);
  if (kind === 0) return position;
  const underWay = position.sentSeq - position.ackedSeq;
  const seq = kind === 1 ? position.sentSeq + random.below(50) : position.ackedSeq + random.below(underWay + 1);
  const shown = kind === 2 ? random.below(position.ackedSeq + 1) : seq;
  return afterAck(position, items[Math.min(shown, position.sentSeq) - 1] ?? { seq: shown, endBytes: 0 }, nowMs);
}

function expectBounded(position: ViewerPosition): void {
  const events = position.sentSeq - position.ackedSeq;
  expect(events).toBeLessThanOrEqual(VIEWER_WINDOW.events);
  if (events !== 1) expect(position.sentBytes - position.ackedBytes).toBeLessThanOrEqual(VIEWER_WINDOW.bytes);
  expect(position.waitingSinceMs === null).toBe(events === 0);
}
