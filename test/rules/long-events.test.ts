/** Events that are long by many parts, none of which is to blame alone: each still fits, and says that it was cut. */
import { describe, expect, it } from "vitest";
import { NO_EVIDENCE } from "#protocol/run.ts";
import { byteLength, EVENT_LIMIT_BYTES, type EventBody, eventBodySchema, fitEvent } from "#protocol/transcript.ts";

type Finished = Extract<EventBody, { type: "run.finished" }>;

function finished(branches: number, branch: string, rest: Partial<Finished> = {}): Finished {
  const pushed = { repository: "https://github.com/acme/app", branch, commit: "1".repeat(40), previous: null };
  return {
    type: "run.finished",
    status: "succeeded",
    result: "done",
    summary: null,
    error: null,
    cancel_reason: null,
    evidence: { ...NO_EVIDENCE, commits_pushed: branches, branches_pushed: Array(branches).fill(pushed) },
    usage: { input_tokens: 1, output_tokens: 1, cache_read_tokens: 0, cache_write_tokens: 0, cost_usd: 0 },
    ...rest,
  };
}

describe("an event of many parts", () => {
  it.each([
    ["a hundred branches with the longest names", finished(100, "b".repeat(4_000))],
    ["names whose characters take four bytes", finished(100, "🚨".repeat(1_000))],
    ["names that grow sixfold in JSON", finished(100, "\u0001".repeat(1_000))],
    ["a long summary beside them", finished(100, "b".repeat(4_000), { summary: "s".repeat(10_000) })],
    ["ten thousand branches", finished(10_000, "b".repeat(200))],
    ["one name of a megabyte", finished(1, "b".repeat(1_048_576))],
  ])("fits, and says so: %s", (_title, body) => {
    const fitted = fitEvent(body);
    expect(byteLength(JSON.stringify(fitted))).toBeLessThanOrEqual(EVENT_LIMIT_BYTES);
    expect(fitted).toMatchObject({ truncated: true, bytes: byteLength(JSON.stringify(body)), result: "done" });
    expect(fitted.evidence.commits_pushed).toBe(body.evidence.commits_pushed);
    expect(fitted.evidence.branches_pushed.length).toBeGreaterThan(0);
    expect(eventBodySchema.safeParse(fitted).error).toBeUndefined();
    expect(JSON.stringify(fitted).isWellFormed()).toBe(true);
    expect(fitEvent(fitted)).toEqual(fitted);
  });

  it.each([
    ["few branches", finished(3, "claude/fix")],
    ["a long summary alone, which fits", finished(1, "b", { summary: "s".repeat(10_000) })],
  ])("is left as it is where it fits: %s", (_title, body) => {
    expect(fitEvent(body)).toBe(body);
  });
});
