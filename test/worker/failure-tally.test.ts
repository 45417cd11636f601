/** Counts of requests that could not be verified: how often they are written, and that none is lost or grows without end. */
import { describe, expect, it } from "vitest";
import { FailureTally } from "#worker/inbound/failure-tally.ts";
import type { FailureCount } from "#worker/store/delivery-lists.ts";

/** A tally on a clock that stands until the test moves it. */
function bed() {
  let nowMs = 1_000_000;
  let waiting: { atMs: number; go: () => void }[] = [];
  const written: FailureCount[][] = [];
  const alive: Promise<unknown>[] = [];
  let fault: Error | null = null;
  const tally = new FailureTally({
    write: async (counts) => {
      if (fault !== null) throw fault;
      written.push([...counts]);
    },
    pause: (ms) => new Promise((go) => waiting.push({ atMs: nowMs + ms, go })),
    now: () => nowMs,
  });
  const pass = async (ms: number) => {
    nowMs += ms;
    const due = waiting.filter(({ atMs }) => atMs <= nowMs);
    waiting = waiting.filter(({ atMs }) => atMs > nowMs);
    for (const { go } of due) go();
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  };
  const count = (trigger_id: string | null = "trg_1", failure: FailureCount["failure"] = "signature_wrong") =>
    tally.count(
      { day: "2026-11-22", source: "slack", trigger_id, failure },
      {
        waitUntil: (work: Promise<unknown>) => alive.push(work),
      },
    );
  const total = () => written.flat().reduce((sum, one) => sum + one.count, 0);
  const cutOff = () => {
    waiting = [];
  };
  return { tally, count, pass, written, total, alive, cutOff, break: (error: Error | null) => (fault = error) };
}

describe("what could not be verified", () => {
  it("is written soon when it is alone", async () => {
    const { count, pass, written } = bed();
    for (let time = 0; time < 5; time += 1) {
      count();
      await pass(50);
    }
    expect(written.map(([first]) => first?.count)).toEqual([1, 1, 1, 1, 1]);
  });

  it.each([
    [10, 10],
    [100, 10],
    [1_000, 60],
  ])("is written seldom while %i come a second for %i seconds", async (perSecond, seconds) => {
    const { count, pass, written, total, alive } = bed();
    for (let second = 0; second < seconds * 10; second += 1) {
      for (let number = 0; number < perSecond / 10; number += 1) count(`trg_${number % 3}`);
      await pass(100);
    }
    await pass(60_000);
    expect(total()).toBe(perSecond * seconds);
    expect(written.length).toBeLessThan(perSecond === 10 ? 101 : 18);
    expect(alive.length).toBe(written.length);
  });

  it("is soon written again after it was quiet", async () => {
    const { count, pass, written } = bed();
    for (let number = 0; number < 1_000; number += 1) {
      count();
      await pass(10);
    }
    await pass(60_000);
    await pass(60_000);
    const before = written.length;
    count();
    await pass(50);
    expect(written.length).toBe(before + 1);
  });

  it("counts for its source alone where too many endpoints are held", async () => {
    const { count, pass, written, total } = bed();
    for (let number = 0; number < 2_000; number += 1) count(`trg_${number}`);
    await pass(60_000);
    expect(total()).toBe(2_000);
    expect(written[0]?.length).toBe(501);
    expect(written[0]?.find(({ trigger_id }) => trigger_id === null)?.count).toBe(1_500);
  });

  it("is kept while it can't be written", async () => {
    const { count, pass, total, tally, ...rest } = bed();
    rest.break(new Error("D1 is away"));
    for (let time = 0; time < 3; time += 1) {
      count();
      await pass(20_000);
    }
    expect(total()).toBe(0);
    rest.break(null);
    await tally.flush();
    expect(total()).toBe(3);
  });

  it("is written by another when who waited to write it was cut off", async () => {
    const { count, pass, total, alive, cutOff } = bed();
    count();
    cutOff();
    count();
    expect(alive.length).toBe(1);
    await pass(10_000);
    count();
    expect(alive.length).toBe(2);
    await pass(1_000);
    expect(total()).toBe(3);
  });

  it("tells days, sources' endpoints and reasons apart", async () => {
    const { count, pass, written } = bed();
    count("trg_1", "signature_wrong");
    count("trg_1", "signature_missing");
    count("trg_2", "signature_wrong");
    count(null, "signature_wrong");
    count("trg_1", "signature_wrong");
    await pass(1_000);
    expect(written[0]?.map(({ trigger_id, failure, count: times }) => [trigger_id, failure, times])).toEqual([
      ["trg_1", "signature_wrong", 2],
      ["trg_1", "signature_missing", 1],
      ["trg_2", "signature_wrong", 1],
      [null, "signature_wrong", 1],
    ]);
  });
});
