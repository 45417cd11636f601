/** A runner's executors when one of them never ends. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Executor } from "#sandbox-runner/runner/executor.ts";
import { Executors } from "#sandbox-runner/runner/executors.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = new Promise<void>(() => {});
const lease = { run_id: "run_01ARYZ6S41TSV4RRFFQ69G5FAV", generation: 1 };

it("does not wait for it for ever when it is told to stop, and never says that its work has ended", async () => {
  const logged: string[] = [];
  const told: string[] = [];
  const stuck: Executor = {
    name: "executor-1",
    gone: never,
    outcome: "",
    has: () => true,
    expect: () => {},
    give: () => {},
    stop: () => void told.push("stop"),
    kill: () => void told.push("kill"),
    clear: () => never,
  };
  const executors = new Executors({
    capacity: 1,
    spares: 0,
    agents: 0,
    routines: 0,
    log: (what, facts) => void logged.push(`${what} ${facts?.["executor"]}`),
    start: () => stuck,
    onEnded: () => void told.push("ended"),
  });
  expect(executors.take({ lease, link_token: "", proxy_token: "" })).toBe("taken");
  const stopped = vi.fn();
  void executors.stopAll().then(stopped);
  await vi.advanceTimersByTimeAsync(59_000);
  expect(stopped).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(stopped).toHaveBeenCalledOnce();
  expect({ told, logged }).toEqual({ told: ["stop"], logged: ["left_behind executor-1"] });
});

it.each([1, 30])("prepares a spare beside a run that starts, though the clock is set back by %i days", async (days) => {
  let started = 0;
  const executors = new Executors({
    ...{ capacity: 2, spares: 1, agents: 0, routines: 0, log: () => {}, onEnded: () => {} },
    start: () => {
      started += 1;
      return {
        ...{ name: `executor-${started}`, gone: never, outcome: "", has: (news) => news !== "started" },
        ...{ expect: () => {}, give: () => {}, stop: () => {}, kill: () => {}, clear: () => never },
      };
    },
  });
  executors.take({ lease, link_token: "", proxy_token: "" });
  vi.setSystemTime(Date.now() - days * 86_400_000);
  await vi.advanceTimersByTimeAsync(19_000);
  expect(started).toBe(1);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(started).toBe(2);
});
