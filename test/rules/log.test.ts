/** What a line of the log says of a fault: enough to know it, and nothing of what it was about. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { errorText, gatherLines, logSoon, logTrouble } from "#protocol/log.ts";

const CANARY = "canary-5f0c2e";

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return expect.unreachable("it throws");
}

describe("the text of a fault", () => {
  it.each<[what: string, fault: unknown, text: string]>([
    ["of an error", new Error("reset"), "Error: reset"],
    ["of a kind of error", new TypeError("no such thing"), "TypeError: no such thing"],
    ["of words", "given up", "given up"],
    ["of nothing", undefined, "undefined"],
    ["of JSON that breaks off", thrownBy(() => JSON.parse(`{"${CANARY}": `)), "SyntaxError"],
    ["of no JSON", thrownBy(() => JSON.parse(CANARY)), "SyntaxError"],
    ["of a query", new Error(`Failed query, params: ${CANARY}`, { cause: new Error("locked") }), "Error: locked"],
    ["of what has a cause that quotes", new Error("x", { cause: thrownBy(() => JSON.parse(CANARY)) }), "SyntaxError"],
    [
      "of a value that fits no schema",
      thrownBy(() => z.strictObject({ id: z.string() }).parse({ id: 1, [CANARY]: CANARY })),
      "ZodError: invalid_type, unrecognized_keys",
    ],
  ])("%s", (_what, fault, text) => {
    expect(errorText(fault)).toBe(text);
  });

  it("is short", () => {
    expect(errorText(new Error("x".repeat(5_000)))).toHaveLength(300);
    expect(errorText("x".repeat(5_000))).toHaveLength(300);
  });
});

it("is in a line of trouble, with what it means and the row's level", () => {
  const written = vi.spyOn(console, "warn").mockImplementation(() => {});
  logTrouble("gate_silent", {}, new Error("reset\u2028"));
  const [line] = written.mock.calls[0] ?? [];
  expect(line).not.toContain("\u2028");
  expect(JSON.parse(String(line))).toEqual({
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    level: "warn",
    what: "trouble",
    code: "gate_silent",
    reason: expect.stringContaining("Error: reset"),
    means: "The instance's counter of requests did not answer.",
  });
});

describe("lines of which there are many", () => {
  const writes: string[] = [];
  const tell = (waited_ms: number) =>
    logSoon("run_leased", {
      run_id: "run_1M8RYJ6NK042C4C468W6Q9DPQ4",
      session_id: "ses_1M8RYJ6NK042C4C468W6Q9DPQ4",
      routine_id: "rtn_1M8RYJ6NK042C4C468W6Q9DPQ4",
      generation: 1,
      runner_id: "local",
      waited_ms,
    });
  /** Of each write, what its lines tell. */
  const told = () =>
    writes.map((write) =>
      write
        .split("\n")
        .map((line) => JSON.parse(line))
        .map(({ waited_ms, code }) => waited_ms ?? code),
    );

  beforeEach(() => {
    vi.useFakeTimers();
    for (const level of ["info", "warn"] as const)
      vi.spyOn(console, level).mockImplementation((write) => void writes.push(write));
  });
  afterEach(() => {
    vi.runAllTimers();
    gatherLines(0);
    writes.length = 0;
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it("are written one by one where nobody asked for anything else", () => {
    tell(1);
    tell(2);
    expect(told()).toEqual([[1], [2]]);
  });

  it("wait for each other, for so long and no longer", () => {
    gatherLines(50);
    tell(1);
    vi.advanceTimersByTime(49);
    tell(2);
    expect(told()).toEqual([]);
    vi.advanceTimersByTime(1);
    tell(3);
    vi.advanceTimersByTime(50);
    expect(told()).toEqual([[1, 2], [3]]);
  });

  it("come before what is said after them", () => {
    gatherLines(50);
    tell(1);
    tell(2);
    logTrouble("gate_silent", {}, new Error("reset"));
    tell(3);
    vi.advanceTimersByTime(50);
    expect(told()).toEqual([[1, 2], ["gate_silent"], [3]]);
  });

  it("are no more than 64 in a write", () => {
    gatherLines(50);
    for (let line = 1; line <= 65; line += 1) tell(line);
    expect(told().map((lines) => lines.length)).toEqual([64]);
  });

  it.each([
    ["forwards", 101],
    ["back", -3_600_000],
  ])("go out with the next one where the timer is gone, be the clock put %s", (_where, byMs) => {
    gatherLines(50);
    tell(1);
    vi.clearAllTimers();
    vi.setSystemTime(Date.now() + byMs);
    tell(2);
    expect(told()).toEqual([[1, 2]]);
  });
});
