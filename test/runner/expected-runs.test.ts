/** For which runs agents are prepared, by the runs that have come. */
import { expect, it } from "vitest";
import { NO_TOOL_POLICY } from "#protocol/tools.ts";
import { shapeIn, shapeLine } from "#sandbox-runner/attempt/executor-brief.ts";
import type { StartShape } from "#sandbox-runner/prepared/start-shape.ts";
import { ExpectedRuns } from "#sandbox-runner/runner/expected-runs.ts";

const shape = (model: string): StartShape => ({
  model,
  other_models: [],
  turns: 50,
  tools: NO_TOOL_POLICY,
  asks: true,
  checkout: null,
  is_kept: true,
  shows: true,
  reviews: false,
});

/** Letters are shapes, a dash is a run whose agent can't be prepared. */
it.each([
  ["", null],
  ["a", "a"],
  ["-", null],
  ["ab", "a"],
  ["abb", "b"],
  ["a-", "a"],
  ["a--", null],
  ["--a", null],
  ["--aa", null],
  ["--aaa", "a"],
  ["aaaabbbb", "a"],
  ["aaaabbbbb", "b"],
  ["aaaaaaaaaaaabbbbb", "b"],
  ["abcabc", "a"],
  ["abcabcc", "c"],
])("after %s it is %s", (come, likely) => {
  const expected = new ExpectedRuns();
  for (const one of come) expected.add(one === "-" ? null : shape(one));
  expect(expected.likely?.model ?? null).toBe(likely);
});

it("is told in a line, of which a part tells nothing", () => {
  const line = shapeLine(shape("a"));
  expect(shapeIn(line)).toEqual(shape("a"));
  expect(shapeIn(shapeLine(null))).toBe(null);
  // An executor that is killed while it writes.
  expect(shapeIn(line.slice(0, -1))).toBe(undefined);
  expect(shapeIn("ready")).toBe(undefined);
});
