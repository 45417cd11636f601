/** Which answers of a git server pass by themselves, and how long it wants to be left alone. */
import { describe, expect, it } from "vitest";
import { gitFailure, retryAfterSeconds } from "#rules/calls/git-answers.ts";

const NOW_MS = Date.UTC(2026, 10, 29, 6);

describe("an answer", () => {
  it.each<[number, Record<string, string>, string]>([
    [429, {}, "limited"],
    [429, { "retry-after": "3" }, "limited"],
    [403, { "retry-after": "60" }, "limited"],
    [403, { "x-ratelimit-remaining": "0" }, "limited"],
    [403, { "x-ratelimit-remaining": "12" }, "lasting"],
    [403, {}, "lasting"],
    [401, { "retry-after": "60" }, "lasting"],
    [404, {}, "lasting"],
    [410, {}, "lasting"],
    [411, {}, "lasting"],
    [413, {}, "lasting"],
    [302, {}, "lasting"],
    [408, {}, "passing"],
    [425, {}, "passing"],
    [500, {}, "passing"],
    [502, {}, "passing"],
    [503, { "retry-after": "10" }, "passing"],
    [504, {}, "passing"],
    [521, {}, "passing"],
    [501, {}, "lasting"],
    [505, {}, "lasting"],
  ])("%i %j is %s", (status, headers, failure) => {
    expect(gitFailure(status, new Headers(headers))).toBe(failure);
  });

  it.each<[Record<string, string>, number | null]>([
    [{}, null],
    [{ "retry-after": "7" }, 7],
    [{ "retry-after": " 0 " }, 0],
    [{ "retry-after": "Sun, 29 Nov 2026 06:01:30 GMT" }, 90],
    [{ "retry-after": "Sun, 29 Nov 2026 05:00:00 GMT" }, 0],
    [{ "retry-after": "soon" }, null],
    [{ "retry-after": "-5x" }, null],
    [{ "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(NOW_MS / 1_000 + 120) }, 120],
    [{ "x-ratelimit-remaining": "3", "x-ratelimit-reset": String(NOW_MS / 1_000 + 120) }, null],
    [{ "retry-after": "5", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "9999999999" }, 5],
  ])("%j wants to be left alone for %s s", (headers, seconds) => {
    expect(retryAfterSeconds(new Headers(headers), NOW_MS)).toBe(seconds);
  });
});
