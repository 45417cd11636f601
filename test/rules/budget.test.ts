/** What model calls cost, what a budget lets through, and how a run goes on whose budget was spent. */
import { describe, expect, it } from "vitest";
import { UNKNOWN_SIZE } from "#protocol/call-size.ts";
import { judgeCall, monthOf, monthStartMs, nextMonthMs } from "#rules/run/budget.ts";
import type { RunInput } from "#rules/run/inputs.ts";
import { nextRun } from "#rules/run/lifecycle.ts";
import { callCost, callPrice, callReserve } from "#rules/run/model-prices.ts";
import { costOfCall, countCost } from "#rules/run/usage.ts";
import {
  AGENT_FAILED,
  apply,
  CANCEL,
  CONTINUED,
  HOLD_OVER,
  IDLE,
  LIMITS,
  LOST,
  NOW_MS,
  STATES,
  SUCCEEDED,
  through,
} from "./support/run-states.ts";

const MILLION = 1_000_000;
const tokens = (input_tokens: number, output_tokens = 0, cache_read_tokens = 0, cache_write_tokens = 0) => ({
  input_tokens,
  output_tokens,
  cache_read_tokens,
  cache_write_tokens,
});
const plain = (model: string) => callPrice(model, UNKNOWN_SIZE);

describe("a call costs", () => {
  it.each([
    ["claude-sonnet-5-5", tokens(MILLION, 0), 2],
    ["claude-sonnet-5-5", tokens(0, MILLION), 10],
    ["claude-sonnet-5-5", tokens(0, 0, MILLION), 0.1],
    ["claude-sonnet-5-5", tokens(0, 0, 0, MILLION), 2.5],
    ["claude-opus-5-5", tokens(0, MILLION), 20],
    ["Claude-Opus-4-5-20251101", tokens(0, MILLION), 25],
    ["claude-sonnet-4-5[1m]", tokens(0, MILLION), 15],
    ["claude-haiku-5-5", tokens(100_000, 1_000), 0.0105],
    ["claude-haiku-5-5", tokens(60_000, 1_000, 40_001), 0.0345],
    ["claude-of-next-year", tokens(MILLION, MILLION), 90],
  ])("by the list, %s %o: %d dollars", (model, used, dollars) => {
    expect(callCost(plain(model), used)).toBe(dollars);
  });

  it("more where it is asked for so, and for what is kept in the cache for an hour", () => {
    const asked = (more: object) => callPrice("claude-opus-5", { ...UNKNOWN_SIZE, ...more });
    expect(callCost(asked({ speed: "fast" }), tokens(MILLION))).toBe(10);
    expect(callCost(asked({ geo: "us" }), tokens(MILLION))).toBe(5.5);
    const written = { ...tokens(0, 0, 0, MILLION), cache_write_1h_tokens: 400_000 };
    expect(callCost(asked({}), written)).toBe(0.6 * 6.25 + 0.4 * 10);
  });

  it("what is not known as if it were the dearest, and says so", () => {
    expect(["claude-opus-5-5", "claude-of-next-year"].map((model) => plain(model).isEstimated)).toEqual([false, true]);
    expect(callPrice("claude-opus-5-5", { ...UNKNOWN_SIZE, speed: "fast" }).isEstimated).toBe(true);
  });

  it("what had come where it was cut off, what was reserved where nothing had, and nothing where the model is the demo's", () => {
    const size = { ...UNKNOWN_SIZE, bytes: 3_000, max_tokens: 1_000 };
    const reserved = callReserve(plain("claude-sonnet-5"), size);
    expect(reserved).toBe(0.0125);
    expect(callReserve(plain("claude-sonnet-5"), { ...size, caches_for_hour: true })).toBe(0.014);
    const open = { ...plain("claude-sonnet-5"), reserved };
    expect(costOfCall(open, tokens(0), true)).toEqual({ usd: 0.0125, isEstimated: true });
    expect(costOfCall(open, tokens(10, 1), true)).toEqual({ usd: 0.00003, isEstimated: true });
    expect(costOfCall(open, tokens(10, 1), false)).toEqual({ usd: 0.00003, isEstimated: false });
    const demo = { model: "claude-of-next-year", factor: 0, reserved: 0 };
    expect(costOfCall(demo, tokens(MILLION), true)).toEqual({ usd: 0, isEstimated: false });
  });

  it("is added up, and once estimated it stays so", () => {
    const usage = { ...tokens(1), cost_usd: 0 };
    const once = countCost(usage, { usd: 0.25, isEstimated: true });
    expect(countCost(once, { usd: 0.5, isEstimated: false })).toMatchObject({
      metered_cost_usd: 0.75,
      estimated: true,
    });
    expect(countCost(usage, { usd: 0, isEstimated: true })).toEqual(usage);
  });
});

describe("a budget of one dollar", () => {
  it.each([
    ["lets a call go that fits", 0, 0, 0.5, "go"],
    ["lets the last call go that is alone, though it may cost more than is left", 0.99, 0, 5, "go"],
    ["has a call wait for others when all together might cost more", 0.5, 0.3, 0.3, "soon"],
    ["lets calls go together that fit", 0.4, 0.3, 0.3, "go"],
    ["is spent when nothing is left", 1, 0, 0.0001, "spent"],
    ["is spent though calls are under way", 1.2, 0.5, 0.1, "spent"],
  ])("%s", (_what, spentUsd, inFlightUsd, reserve, verdict) => {
    expect(judgeCall({ budgetUsd: 1, spentUsd, inFlightUsd }, reserve)).toBe(verdict);
  });

  it("never has more spent than itself and one call, whatever calls come and end", () => {
    for (let seed = 1; seed <= 200; seed++) {
      let state = seed;
      const draw = () => {
        state = (state * 48_271) % 2_147_483_647;
        return state / 2_147_483_647;
      };
      const underWay: number[] = [];
      let spentUsd = 0;
      for (let step = 0; step < 100; step++) {
        if (underWay.length > 0 && draw() < 0.5) spentUsd += (underWay.shift() ?? 0) * (draw() < 0.3 ? draw() : 1);
        const inFlightUsd = underWay.reduce((sum, one) => sum + one, 0);
        const reserve = draw() * 0.7;
        if (judgeCall({ budgetUsd: 1, spentUsd, inFlightUsd }, reserve) === "go") underWay.push(reserve);
      }
      expect(spentUsd + underWay.reduce((sum, one) => sum + one, 0)).toBeLessThan(1.7);
    }
  });

  it("begins anew with each month, in UTC", () => {
    const at = Date.parse("2026-12-31T23:59:59.999Z");
    expect(monthOf(at)).toBe("2026-12");
    expect([monthStartMs(at), nextMonthMs(at)].map((ms) => new Date(ms).toISOString())).toEqual([
      "2026-12-01T00:00:00.000Z",
      "2027-01-01T00:00:00.000Z",
    ]);
  });
});

const SPENT: RunInput = { type: "waiting", for: "budget", untilMs: null, question: null };
const FAILED = AGENT_FAILED;
const ended = (...inputs: RunInput[]) => through(STATES.running, ...inputs);

describe("a run whose budget is spent", () => {
  it("waits on without a sandbox when its agent has failed of it, or its runner is lost", () => {
    for (const end of [FAILED, LOST]) {
      const { run } = ended(SPENT, end);
      expect(run).toMatchObject({ status: "waiting", runner: null, waiting: { for: "budget", held_until: null } });
    }
  });

  it("ends as its agent says where that has done its work, and canceled where that was asked for", () => {
    expect(ended(SPENT, SUCCEEDED).run.status).toBe("succeeded");
    expect(ended(SPENT, CANCEL, FAILED).run.status).toBe("canceled");
    expect(ended(SPENT, FAILED, CANCEL).run.status).toBe("canceled");
  });

  it("goes on in another attempt, also where that comes before the agent has ended", () => {
    for (const state of [ended(SPENT, FAILED, CONTINUED), ended(SPENT, CONTINUED, FAILED)]) {
      expect(state.run).toMatchObject({ status: "queued", attempt: STATES.running.run.attempt + 1 });
    }
  });

  it("has its runner's lease ended when that does not end by itself", () => {
    const step = nextRun(ended(SPENT), HOLD_OVER, LIMITS, NOW_MS);
    expect(step?.effects).toEqual([{ type: "release_lease" }]);
  });

  it("has its agent end as soon as that does nothing any more, whether or not its budget has been raised", () => {
    const messages: RunInput = { type: "idle", isMessageWaiting: true };
    for (const [state, idle] of [
      [ended(SPENT), IDLE],
      [ended(SPENT, CONTINUED), messages],
    ] as const) {
      const step = nextRun(state, idle, LIMITS, NOW_MS);
      expect(step).toEqual({ state, events: [], effects: [{ type: "tell_close" }] });
    }
    expect(nextRun(ended(SPENT, FAILED), IDLE, LIMITS, NOW_MS)).toBeNull();
  });

  it("goes on by itself when its month has ended", () => {
    const untilMs = NOW_MS + 5_000;
    const parked = nextRun(ended({ ...SPENT, untilMs } as RunInput), FAILED, LIMITS, NOW_MS);
    expect(parked?.effects).toContainEqual({ type: "set_deadline", kind: "hold", atMs: untilMs });
    const next = nextRun((parked ?? { state: STATES.running }).state, HOLD_OVER, LIMITS, untilMs);
    expect(next?.state.run.status).toBe("queued");
  });

  it("waits for another end when another budget is the one that is spent, in its sandbox and without", () => {
    const untilMs = NOW_MS + 5_000;
    const ofMonth = { ...SPENT, untilMs } as RunInput;
    const until = new Date(untilMs).toISOString();
    const later = apply(ended(SPENT, FAILED), ofMonth);
    expect(later.state.run).toMatchObject({ status: "waiting", waiting: { for: "budget", until } });
    expect(later.effects).toEqual([{ type: "set_deadline", kind: "hold", atMs: untilMs }]);
    expect(later.events).toEqual([{ type: "run.waiting", for: "budget", until }]);
    const never = apply(later.state, SPENT);
    expect(never.effects).toEqual([{ type: "set_deadline", kind: "hold", atMs: Number.POSITIVE_INFINITY }]);

    const inSandbox = apply(ended(SPENT), ofMonth);
    expect(inSandbox).toMatchObject({ effects: [], state: { run: { waiting: { until } } } });
    expect(apply(inSandbox.state, FAILED).effects).toContainEqual({
      type: "set_deadline",
      kind: "hold",
      atMs: untilMs,
    });
  });

  it("waits after all when its budget is lowered again before the agent has ended", () => {
    expect(ended(SPENT, CONTINUED, SPENT, FAILED).run).toMatchObject({ status: "waiting", runner: null });
    for (const state of [ended(SPENT), ended(SPENT, FAILED)]) {
      expect(nextRun(state, SPENT, LIMITS, NOW_MS)).toBeNull();
    }
  });

  it("goes on when its agent was done but for the call that was refused, and then fails", () => {
    const done: RunInput = { type: "idle", isMessageWaiting: false };
    expect(ended(done, SPENT, CONTINUED, FAILED).run.status).toBe("queued");
  });

  it("waits also where its first call comes before its runner has told that it is running", () => {
    expect(through(STATES.leased, SPENT).run.status).toBe("waiting");
    expect(nextRun(STATES.starting, SPENT, LIMITS, NOW_MS)).toBeNull();
  });
});
