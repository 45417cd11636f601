/** Spares of routines, without processes: whose runs get them, and when they end. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ExecutorNews } from "#sandbox-runner/attempt/executor-brief.ts";
import type { Expected } from "#sandbox-runner/prepared/start-shape.ts";
import type { Executor } from "#sandbox-runner/runner/executor.ts";
import { RoutineSpares } from "#sandbox-runner/runner/routine-spares.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const MINUTE_MS = 60_000;
const SHAPE: Expected["shape"] = {
  ...{ model: "m", other_models: [], turns: 1, tools: { deny: [], ask: [] }, asks: false },
  ...{ checkout: null, is_kept: true, shows: false, reviews: false },
};

function expected(commit: string): Expected {
  const repository = { url: "https://code.example.com/app" };
  return { shape: SHAPE, copy: { repository, commit, branch: "main", default_branch: "main", is_shallow: false } };
}
const FIRST = expected("a".repeat(40));
const SECOND = expected("b".repeat(40));

class FakeExecutor implements Executor {
  readonly name: string;
  readonly outcome = "exit 0";
  readonly expected: (string | undefined)[] = [];
  readonly #heard = new Set<ExecutorNews>();
  readonly #gone = Promise.withResolvers<void>();
  isStopped = false;

  constructor(name: string) {
    this.name = name;
  }
  get gone() {
    return this.#gone.promise;
  }
  has(news: ExecutorNews) {
    return this.#heard.has(news);
  }
  say(news: ExecutorNews) {
    this.#heard.add(news);
  }
  expect(one: Expected | null) {
    this.expected.push(one?.copy?.commit[0]);
  }
  give() {}
  stop() {
    this.isStopped = true;
    this.#gone.resolve();
  }
  kill() {
    this.stop();
  }
  async clear() {}
}

function bed(most = 1) {
  const started: FakeExecutor[] = [];
  const starting = { sinceMs: null as number | null };
  const spares = new RoutineSpares({
    most,
    log: () => {},
    start: () => {
      const one = new FakeExecutor(`executor-${started.length + 1}`);
      started.push(one);
      return one;
    },
    startingSinceMs: () => starting.sinceMs,
  });
  /** A run of the routine comes, and clones. */
  const run = (routine: string, what: Expected | null = FIRST) => {
    spares.cameFor(routine);
    spares.expect(routine, what);
  };
  /** The latest spare gets so far. */
  const prepared = () => {
    const one = started.at(-1);
    for (const news of ["ready", "agent"] as const) {
      one?.say(news);
      spares.fill();
    }
    return one;
  };
  return { spares, started, starting, run, prepared };
}

it("are for a routine that has fired twice, and for no other's runs", () => {
  const { spares, started, run, prepared } = bed();
  run("a");
  expect(started).toHaveLength(0);
  run("a");
  expect(started).toHaveLength(1);
  const spare = prepared();
  expect(spare?.expected).toEqual(["a"]);
  expect([spares.take("b"), spares.take(null)]).toEqual([null, null]);
  expect(spares.take("a")).toBe(spare);
  expect(spares.take("a")).toBeNull();
});

it("are not taken before their agent waits", () => {
  const { spares, started, run } = bed();
  run("a");
  run("a");
  started[0]?.say("ready");
  spares.fill();
  expect(spares.take("a")).toBeNull();
});

it("are prepared when no run is starting", () => {
  const { started, starting, run } = bed();
  starting.sinceMs = performance.now();
  run("a");
  run("a");
  expect(started).toHaveLength(0);
  vi.advanceTimersByTime(20_000);
  expect(started).toHaveLength(1);
});

it("learn what the latest run has cloned, and end when one asks for what can't be prepared", () => {
  const { started, run, prepared } = bed();
  run("a");
  run("a");
  const spare = prepared();
  run("a", SECOND);
  expect(spare?.expected).toEqual(["a", "b"]);
  run("a", null);
  expect(spare?.isStopped).toBe(true);
  expect(started).toHaveLength(1);
});

it("are still there for a routine's next run when it fires twice an hour, end when none has come for an hour, and are forgotten", async () => {
  const { spares, started, run, prepared } = bed();
  run("a");
  await vi.advanceTimersByTimeAsync(30 * MINUTE_MS);
  run("a");
  const spare = prepared();
  await vi.advanceTimersByTimeAsync(59 * MINUTE_MS);
  expect(spare?.isStopped).toBe(false);
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  expect([spare?.isStopped, spares.take("a")]).toEqual([true, null]);
  expect([started.length, vi.getTimerCount()]).toEqual([1, 0]);
});

it("end when their agent can't be prepared, and are tried again for another clone, or after an hour", () => {
  const { spares, started, run } = bed();
  const isUnfit = () => {
    for (const news of ["ready", "unfit"] as const) {
      started.at(-1)?.say(news);
      spares.fill();
    }
    return started.at(-1)?.isStopped;
  };
  run("a");
  run("a");
  expect(isUnfit()).toBe(true);
  run("a");
  expect(started).toHaveLength(1);
  run("a", SECOND);
  expect([started.length, isUnfit()]).toEqual([2, true]);
  vi.advanceTimersByTime(30 * MINUTE_MS);
  run("a", SECOND);
  expect(started).toHaveLength(2);
  vi.advanceTimersByTime(30 * MINUTE_MS);
  run("a", SECOND);
  expect(started).toHaveLength(3);
});

it("are tried for what has been cloned since the one that could not have its agent was told", () => {
  const { spares, started, starting, run } = bed();
  run("a");
  run("a");
  started[0]?.say("ready");
  spares.fill();
  // While a run starts, none is told anything.
  starting.sinceMs = performance.now();
  run("a", SECOND);
  started[0]?.say("unfit");
  spares.fill();
  starting.sinceMs = null;
  spares.fill();
  expect([started[0]?.expected, started[0]?.isStopped, started.length]).toEqual([["a"], true, 2]);
  started[1]?.say("ready");
  spares.fill();
  expect(started[1]?.expected).toEqual(["b"]);
});

it("are as many as are wanted, for the routines that fire most often", () => {
  const { started, run, prepared } = bed(1);
  run("a");
  run("a");
  const first = prepared();
  run("b");
  run("b");
  run("b");
  run("b");
  expect([first?.isStopped, started.length]).toEqual([false, 1]);
  run("b");
  expect([first?.isStopped, started.length]).toEqual([true, 2]);
});

it("end with the runner, and none is prepared after that", async () => {
  const { spares, started, run, prepared } = bed(2);
  run("a");
  run("a");
  prepared();
  await spares.close();
  run("a");
  run("b");
  run("b");
  spares.fill();
  expect([started.length, started[0]?.isStopped, vi.getTimerCount()]).toEqual([1, true, 0]);
});

it("are tried again after an hour also when the machine's clock was set back meanwhile", () => {
  const { spares, started, run } = bed();
  run("a");
  run("a");
  for (const news of ["ready", "unfit"] as const) {
    started[0]?.say(news);
    spares.fill();
  }
  vi.setSystemTime(Date.now() - 30 * 24 * 60 * MINUTE_MS);
  vi.advanceTimersByTime(30 * MINUTE_MS);
  run("a");
  expect(started).toHaveLength(1);
  vi.advanceTimersByTime(30 * MINUTE_MS);
  run("a");
  expect(started).toHaveLength(2);
});

it("are none where none is wanted", () => {
  const { started, run } = bed(0);
  for (const _ of [1, 2, 3]) run("a");
  expect([started.length, vi.getTimerCount()]).toEqual([0, 0]);
});

it("of two routines that fire at the same pace are one's: it has it for all its runs, and none is made in vain", async () => {
  const { spares, started, run, prepared } = bed(1);
  let taken = 0;
  for (let time = 0; time < 40; time += 1) {
    for (const routine of ["a", "b"]) {
      if (spares.take(routine) !== null) taken += 1;
      run(routine);
      prepared();
      await vi.advanceTimersByTimeAsync(3.5 * MINUTE_MS);
    }
  }
  expect([taken, started.length]).toEqual([38, 39]);
});
