/** How long a workspace may take to be kept, when its attempt is stopped meanwhile, and when it is not. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { StopReason } from "#sandbox-runner/agent/outcome.ts";
import { KeepTime, keepMs, PARKED_KEEP_MS } from "#sandbox-runner/attempt/keep-time.ts";
import { StopSwitch } from "#sandbox-runner/attempt/stop-switch.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

it.each<[string, StopReason[], number]>([
  ["has all its time where nobody stops it", [], 3_600_000],
  ["has ten seconds more once its run is canceled", ["canceled"], 10_000],
  ["is left at once by a runner that ends", ["runner_stopped"], 0],
  ["is left at once by a runner that ends after its run was canceled", ["canceled", "runner_stopped"], 0],
  ["is left at once when nobody waits for it any more", ["ended"], 0],
])("%s", async (_title, reasons, moreMs) => {
  const stop = new StopSwitch();
  const { signal } = new KeepTime(stop, 3_700_000);
  await pass(100_000);
  for (const reason of reasons) stop.stop(reason);
  if (moreMs > 0) await pass(moreMs - 1);
  expect(signal.aborted).toBe(false);
  await pass(1);
  expect(signal.aborted).toBe(true);
});

it.each([
  ["what is left of the attempt's time, without the fraction", 90_000.5, 1_000.25, 89_000],
  ["ten seconds where its time is over", 1_000.5, 90_000.25, 10_000],
  ["what a run that waits may take", Number.POSITIVE_INFINITY, 1_000.25, PARKED_KEEP_MS],
])("has %s", (_title, endsAtMs, nowMs, ms) => {
  // A whole number, as `AbortSignal.timeout` wants one.
  expect(keepMs(endsAtMs, nowMs)).toBe(ms);
});
