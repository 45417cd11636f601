/** Words and figures as the pages show them. */
import { describe, expect, it } from "vitest";
import { NO_USAGE } from "#protocol/run.ts";
import { actorWords } from "#web/src/format/actor.ts";
import { formatCost, formatTokens, plural, totalTokens } from "#web/src/format/amounts.ts";
import { durationBetween, formatDuration, formatElapsed, formatRelative } from "#web/src/format/duration.ts";
import { repositoryName } from "#web/src/format/repository.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe("a duration", () => {
  it.each([
    [-5, "0ms"],
    [0, "0ms"],
    [999, "999ms"],
    [1_000, "1.0s"],
    [9_949, "9.9s"],
    [9_951, "10s"],
    [59_499, "59s"],
    [59_500, "1m 00s"],
    [65_000, "1m 05s"],
    [HOUR - 400, "1h 00m"],
    [HOUR + 5 * MINUTE, "1h 05m"],
    [DAY - 1, "1d 0h"],
    [3 * DAY + 4 * HOUR, "3d 4h"],
  ])("of %d ms is %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it("between two times is their difference", () => {
    expect(durationBetween("2026-11-21T09:00:00.000Z", "2026-11-21T09:02:05.400Z")).toBe("2m 05s");
  });

  it.each([
    [-1, "0s"],
    [999, "0s"],
    [9_999, "9s"],
    [10_999, "10s"],
    [61_999, "1m 01s"],
  ])("that goes on, at %d ms, is %s", (ms, text) => {
    expect(formatElapsed(ms)).toBe(text);
  });
});

describe("a time", () => {
  const now = Date.parse("2026-11-21T12:00:00.000Z");

  it.each([
    [0, "just now"],
    [4_999, "just now"],
    [12 * SECOND, "12s ago"],
    [59_999, "59s ago"],
    [5 * MINUTE, "5m ago"],
    [3 * HOUR + 59 * MINUTE, "3h ago"],
    [2 * DAY, "2d ago"],
    [39 * HOUR, "1d 15h ago"],
    [10 * DAY + 5 * HOUR, "10d ago"],
    [29 * DAY, "29d ago"],
    [31 * DAY, "2026-10-21"],
    [-4_000, "just now"],
    [-20 * SECOND, "in 20s"],
    [-2 * HOUR, "in 2h"],
    [-(3 * HOUR + 40 * MINUTE), "in 3h 40m"],
    [-39 * HOUR, "in 1d 15h"],
    [-(12 * DAY + 3 * HOUR), "in 12d"],
  ])("%d ms before now is told as %s", (ms, text) => {
    expect(formatRelative(now - ms, now)).toBe(text);
  });
});

describe("an amount", () => {
  it.each([
    [0, "$0"],
    [0.0004, "< $0.01"],
    [0.01, "$0.01"],
    [0.236, "$0.24"],
    [1_204.5, "$1,204.50"],
  ])("of %d dollars is %s", (usd, text) => {
    expect(formatCost(usd)).toBe(text);
  });

  it.each([
    [0, "0"],
    [999, "999"],
    [1_000, "1k"],
    [12_345, "12.3k"],
    [999_949, "999.9k"],
    [999_950, "1M"],
    [4_120_000, "4.1M"],
  ])("of %d tokens is %s", (count, text) => {
    expect(formatTokens(count)).toBe(text);
  });

  it("of all tokens counts each kind", () => {
    const usage = { input_tokens: 1, output_tokens: 20, cache_read_tokens: 300, cache_write_tokens: 4_000 };
    expect(totalTokens({ ...NO_USAGE, ...usage })).toBe(4_321);
  });

  it("has its noun in the right number", () => {
    expect([plural(1, "run"), plural(0, "run"), plural(1_200, "turn"), plural(2, "branch", "branches")]).toEqual([
      "1 run",
      "0 runs",
      "1,200 turns",
      "2 branches",
    ]);
  });
});

describe("a repository", () => {
  it.each([
    ["https://github.com/acme/app", "acme/app"],
    ["https://github.com/acme/app.git", "acme/app"],
    ["https://git.example.com/team/group/app/", "team/group/app"],
    ["http://127.0.0.1:4000/demo.git", "demo"],
    ["https://example.com", "https://example.com"],
  ])("at %s is called %s", (url, name) => {
    expect(repositoryName(url)).toBe(name);
  });
});

it.each([
  [{ kind: "owner", id: null, name: "owner" } as const, "with the owner’s token"],
  [{ kind: "web", id: "sgn_1", name: "browser" } as const, "in a signed-in browser"],
])("what %j did was done %s", (actor, words) => {
  expect(actorWords(actor)).toBe(words);
});
