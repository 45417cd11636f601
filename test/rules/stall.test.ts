/** A stream that stops is noticed, and one that has ended is not taken for one. */
import { expect, it, vi } from "vitest";
import { Stall } from "#worker/proxy/stall.ts";

const MS = 1_000;

it.each<[string, boolean, (stall: Stall) => void]>([
  ["nothing comes", true, () => {}],
  ["something came once", true, (stall) => stall.touch()],
  ["it has ended", false, (stall) => stall.end()],
  ["what was still under way came after the end", false, (stall) => [stall.end(), stall.touch()]],
])("where %s, it aborts: %s", (_what, isAborted, work) => {
  vi.useFakeTimers();
  const stall = new Stall(MS);
  work(stall);
  vi.advanceTimersByTime(MS);
  expect(stall.signal.aborted).toBe(isAborted);
  vi.useRealTimers();
});
