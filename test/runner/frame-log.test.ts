/** Frames are numbered, kept until acknowledged, and resent. */
import { describe, expect, it } from "vitest";
import { FRAME_WINDOW, type FrameBody, type RunnerToRun, runnerToRunSchema } from "#protocol/runner-link.ts";
import { FrameLog } from "#sandbox-runner/link/frame-log.ts";

function frame(text: string): FrameBody {
  return { kind: "event", event: { type: "agent.message", message_id: "m", text } };
}

function delta(text: string, message_id = "m") {
  return { type: "agent.delta" as const, message_id, kind: "text" as const, text };
}

function drain(log: FrameLog): RunnerToRun[] {
  const messages: RunnerToRun[] = [];
  for (let next = log.next(); next !== null; next = log.next())
    messages.push(runnerToRunSchema.parse(JSON.parse(next)));
  return messages;
}

function numbers(messages: RunnerToRun[]): number[] {
  return messages.flatMap((message) => (message.type === "frames" ? message.frames.map(({ n }) => n) : []));
}

function logOf(count: number): FrameLog {
  const log = new FrameLog();
  for (let n = 1; n <= count; n += 1) log.append(frame(`text ${n}`));
  return log;
}

describe("frames", () => {
  it("come once and in order, at most 64 in a message", () => {
    const messages = drain(logOf(150));
    expect(messages.map((message) => (message.type === "frames" ? message.frames.length : 0))).toEqual([64, 64, 22]);
    expect(numbers(messages)).toEqual(Array.from({ length: 150 }, (_, index) => index + 1));
  });

  it("come in messages of at most 128 KiB, unless one alone is longer", () => {
    const log = new FrameLog();
    for (const size of [60_000, 60_000, 60_000, 200_000, 10]) log.append(frame("x".repeat(size)));
    expect(drain(log).map((message) => numbers([message]))).toEqual([[1, 2], [3], [4], [5]]);
  });

  it("are kept until they are acknowledged", () => {
    const log = logOf(5);
    drain(log);
    log.acknowledge(3);
    expect(log.settled).toBe(false);
    log.resendAfter(3);
    expect(numbers(drain(log))).toEqual([4, 5]);
    log.acknowledge(5);
    expect(log.settled).toBe(true);
  });

  it("are resent from where the other side has them", () => {
    const log = logOf(5);
    drain(log);
    log.resendAfter(2);
    expect(numbers(drain(log))).toEqual([3, 4, 5]);
    log.resendAfter(5);
    expect(drain(log)).toEqual([]);
  });

  it("are not sent again for a late acknowledgement", () => {
    const log = logOf(5);
    drain(log);
    log.acknowledge(4);
    log.acknowledge(2);
    expect(drain(log)).toEqual([]);
  });

  it.each<[number, boolean]>([
    [63, false],
    [64, true],
    [150, true],
  ])("fill a message when there are %i: %s", (count, isMuch) => {
    const log = logOf(count);
    expect(log.isMuch).toBe(isMuch);
    drain(log);
    expect(log.isMuch).toBe(false);
  });

  it("make the agent wait when too many are on their way", () => {
    const log = logOf(FRAME_WINDOW - 1);
    expect(log.full).toBe(false);
    log.append(frame("one more"));
    expect(log.full).toBe(true);
    log.acknowledge(1);
    expect(log.full).toBe(false);
  });

  it("make the agent wait when they are too long in all", () => {
    const log = new FrameLog();
    for (let n = 0; n < 80; n += 1) log.append(frame("x".repeat(240_000)));
    expect(log.full).toBe(true);
    log.acknowledge(79);
    expect(log.full).toBe(false);
  });
});

describe("deltas", () => {
  it("keep their place among the frames", () => {
    const log = logOf(1);
    log.addDelta(delta("a"));
    log.append(frame("a"));
    log.addDelta(delta("b", "m2"));
    expect(drain(log)).toEqual([
      { type: "frames", frames: [expect.objectContaining({ n: 1 })] },
      { type: "delta", delta: delta("a") },
      { type: "frames", frames: [expect.objectContaining({ n: 2 })] },
      { type: "delta", delta: delta("b", "m2") },
    ]);
  });

  it("of one message are joined", () => {
    const log = new FrameLog();
    for (const text of ["Hel", "lo"]) log.addDelta(delta(text));
    log.addDelta(delta("!", "m2"));
    expect(drain(log)).toEqual([
      { type: "delta", delta: delta("Hello") },
      { type: "delta", delta: delta("!", "m2") },
    ]);
  });

  it("are dropped, never kept", () => {
    const log = logOf(1);
    log.addDelta(delta("a"));
    log.dropDeltas();
    expect(drain(log).map(({ type }) => type)).toEqual(["frames"]);
    expect(log.settled).toBe(false);
    log.acknowledge(1);
    expect(log.settled).toBe(true);
  });
});
