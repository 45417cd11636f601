/** Frames on their way to storage: repeats, gaps, several runs, and a new attempt of one of them. */
import { describe, expect, it } from "vitest";
import { FrameBuffer } from "#durable-objects/routine/runs/frame-buffer.ts";
import type { Frame } from "#protocol/runner-link.ts";

const RUN = "run_0ABCDEFGHJKMNPQRSTVWXYZ012";
const OTHER = "run_0ABCDEFGHJKMNPQRSTVWXYZ013";
const FIRST = { run_id: RUN, generation: 1 };
const SECOND = { run_id: RUN, generation: 2 };

function frame(n: number): Frame {
  return { n, body: { kind: "event", event: { type: "agent.message", message_id: "msg_1", text: `frame ${n}` } } };
}

function frames(...numbers: number[]): Frame[] {
  return numbers.map(frame);
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

const END: Frame["body"] = {
  kind: "finished",
  outcome: { status: "succeeded" },
  report: null,
  seen: { turns: 0, tool_calls: 0, files_changed: 0, commits_pushed: 0, cost_usd: 0 },
};

function waiting(buffer: FrameBuffer): [string, number, number[]][] {
  return buffer.pending().map(({ runId, generation, frames }) => [runId, generation, frames.map(({ n }) => n)]);
}

describe("FrameBuffer", () => {
  it.each<[string, number, number[][], number[], (number | null)[]]>([
    ["frames in their order", 0, [[1, 2], [3]], [1, 2, 3], [null, null]],
    ["frames after those that are stored", 7, [[8, 9]], [8, 9], [null]],
    ["a repeat of what is stored", 7, [[6, 7]], [], [null]],
    ["a resend that overlaps with what is stored", 7, [[6, 7, 8, 9]], [8, 9], [null]],
    [
      "a repeat of what is waiting",
      0,
      [
        [1, 2],
        [1, 2, 3],
      ],
      [1, 2, 3],
      [null, null],
    ],
    ["a repeat inside one message", 0, [[1, 1, 2, 1, 3]], [1, 2, 3], [null]],
    ["a gap at the start", 0, [[2]], [], [0]],
    ["a gap after what is stored", 7, [[9]], [], [7]],
    ["a gap inside one message: what comes before it is kept", 0, [[1, 2, 4, 5]], [1, 2], [2]],
    [
      "a gap that the resend fills",
      0,
      [
        [1, 3],
        [2, 3, 4],
      ],
      [1, 2, 3, 4],
      [1, null],
    ],
    ["nothing", 0, [[]], [], [null]],
  ])("takes in %s", (_sentence, lastStored, messages, kept, missingAfter) => {
    const buffer = new FrameBuffer();
    expect(messages.map((message) => buffer.add(FIRST, lastStored, frames(...message)))).toEqual(missingAfter);
    expect(waiting(buffer)).toEqual(kept.length === 0 ? [] : [[RUN, 1, kept]]);
    expect(buffer.isEmpty).toBe(kept.length === 0);
  });

  it("keeps runs apart", () => {
    const buffer = new FrameBuffer();
    buffer.add(FIRST, 0, frames(1, 2));
    buffer.add({ run_id: OTHER, generation: 1 }, 4, frames(5));
    expect(waiting(buffer)).toEqual([
      [RUN, 1, [1, 2]],
      [OTHER, 1, [5]],
    ]);
  });

  it("drops what an attempt left when the next one begins, and counts anew", () => {
    const buffer = new FrameBuffer();
    buffer.add(FIRST, 0, frames(1, 2, 3));
    expect(buffer.add(SECOND, 0, frames(1))).toBeNull();
    expect(waiting(buffer)).toEqual([[RUN, 2, [1]]]);
    for (const { runId } of buffer.pending()) buffer.drop(runId);
    expect(buffer.isEmpty).toBe(true);
  });

  it("is empty when the next attempt has begun with a gap", () => {
    const buffer = new FrameBuffer();
    buffer.add(FIRST, 0, frames(1, 2, 3));
    expect(buffer.add(SECOND, 0, frames(2))).toBe(0);
    expect(waiting(buffer)).toEqual([]);
    expect(buffer.isEmpty).toBe(true);
  });

  it("keeps what is waiting until it is cleared, so that a failed flush loses nothing", () => {
    const buffer = new FrameBuffer();
    buffer.add(FIRST, 0, frames(1, 2));
    expect(waiting(buffer)).toEqual(waiting(buffer));
    for (const { runId } of buffer.pending()) buffer.drop(runId);
    expect(waiting(buffer)).toEqual([]);
    expect(buffer.add(FIRST, 2, frames(3))).toBeNull();
    expect(waiting(buffer)).toEqual([[RUN, 1, [3]]]);
  });

  it.each<[string, Frame[], boolean]>([
    ["is not urgent with nothing", [], false],
    ["is not urgent with a few frames", frames(1, 2, 3), false],
    ["is not urgent with 127 frames", frames(...upTo(127)), false],
    ["is urgent with 128 frames", frames(...upTo(128)), true],
    ["is urgent with the end of an attempt", [frame(1), { n: 2, body: END }], true],
    ["is not urgent with repeats of what is stored", frames(0), false],
  ])("%s", (_sentence, added, isUrgent) => {
    const buffer = new FrameBuffer();
    buffer.add(FIRST, 0, added);
    expect(buffer.isUrgent).toBe(isUrgent);
  });

  it("counts the frames of all runs together", () => {
    const buffer = new FrameBuffer();
    const half = frames(...upTo(64));
    buffer.add(FIRST, 0, half);
    expect(buffer.isUrgent).toBe(false);
    buffer.add({ run_id: OTHER, generation: 1 }, 0, half);
    expect(buffer.isUrgent).toBe(true);
  });

  it.each<[string, number | null, number]>([
    ["nothing was stored yet", 1_000_000, 0],
    ["what was stored is still going out", null, 40],
    ["something was stored just now", 0, 40],
    ["something was stored 15 ms ago", 15, 25],
    ["something was stored 40 ms ago", 40, 0],
    ["something was stored a second ago", 1_000, 0],
    ["the clock was set back since something was stored", -60_000, 40],
  ])("waits for more no longer than 40 ms after what was stored has gone out: %s", (_sentence, agoMs, waitMs) => {
    const nowMs = 1_000_000;
    expect(FrameBuffer.waitMs(agoMs === null ? null : nowMs - agoMs, nowMs)).toBe(waitMs);
  });
});
