/** What a line of the log says of a fault: enough to know it, and nothing of what it was about. */
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { errorText, logTrouble } from "#protocol/log.ts";

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
