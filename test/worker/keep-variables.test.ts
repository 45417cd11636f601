/** The variables that say how long and how much an instance keeps: what they mean, and what is said of a wrong one. */
import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { readConfig } from "#instance/config.ts";
import { KEEP_NAMES, type Keep, type KeepVariables } from "#instance/keep-variables.ts";
import { app } from "#worker/app.ts";
import { keepFindings } from "#worker/diagnosis/keep-check.ts";
import { errorOf } from "./support.ts";

const DAY_MS = 24 * 3_600_000;
const DEFAULTS: Keep = {
  forMs: 90 * DAY_MS,
  runs: 50_000,
  occurrences: 200_000,
  filesForMs: 30 * DAY_MS,
  deliveriesForMs: 7 * DAY_MS,
  transcriptsHereForMs: 7 * DAY_MS,
  transcriptsHereBytes: 1_000_000_000,
};

const keepOf = (variables: KeepVariables) => {
  const check = readConfig({ ...env, ...variables });
  return check.ok ? check.config.keep : expect.unreachable();
};

it.each<[KeepVariables, Partial<Keep>]>([
  [{}, {}],
  [Object.fromEntries(KEEP_NAMES.map((name) => [name, ""])), {}],
  [{ KEEP_DAYS: "8" }, { forMs: 8 * DAY_MS }],
  [{ KEEP_DAYS: "36500" }, { forMs: 36_500 * DAY_MS }],
  [{ KEEP_RUNS: "100" }, { runs: 100 }],
  [{ KEEP_OCCURRENCES: "5000000" }, { occurrences: 5_000_000 }],
  [{ KEEP_FILES_DAYS: "1" }, { filesForMs: DAY_MS }],
  [{ KEEP_DELIVERIES_DAYS: "2" }, { deliveriesForMs: 2 * DAY_MS }],
  [{ MOVE_TRANSCRIPTS_DAYS: "1" }, { transcriptsHereForMs: DAY_MS }],
  [{ MOVE_TRANSCRIPTS_MB: "9000" }, { transcriptsHereBytes: 9_000_000_000 }],
])("%j is %j, and all else as ever", (variables, more) => {
  expect(keepOf(variables)).toEqual({ ...DEFAULTS, ...more });
});

it.each<[keyof KeepVariables, string, string]>([
  ["KEEP_DAYS", "7", "must be at least 8"],
  ["KEEP_DAYS", "36501", "must be at most 36500"],
  ["KEEP_DAYS", "ninety", "must be a number"],
  ["KEEP_DAYS", "90d", "must be a number"],
  ["KEEP_DAYS", "8.5", "must be a whole number"],
  ["KEEP_DAYS", " ", "must be at least 8"],
  ["KEEP_RUNS", "99", "must be at least 100"],
  ["KEEP_OCCURRENCES", "-1", "must be at least 100"],
  ["KEEP_FILES_DAYS", "0", "must be at least 1"],
  ["KEEP_DELIVERIES_DAYS", "366", "must be at most 365"],
  ["MOVE_TRANSCRIPTS_DAYS", "0", "must be at least 1"],
  ["MOVE_TRANSCRIPTS_MB", "9001", "must be at most 9000"],
  ["MOVE_TRANSCRIPTS_MB", "Infinity", "must be a number"],
])("%s=%s is told of by name: it %s", async (name, value, message) => {
  const request = new Request("http://reveille.test/api/v1/routines");
  const answer = await app.fetch(request, { ...env, [name]: value }, createExecutionContext());
  const error = await errorOf(answer);
  expect(error).toMatchObject({ status: 500, details: { code: "misconfigured", issues: [{ field: name, message }] } });
});

it("all that are wrong are told at once", () => {
  const check = readConfig({ ...env, KEEP_DAYS: "1", KEEP_RUNS: "x", MOVE_TRANSCRIPTS_MB: "0" });
  const fields = check.ok ? [] : check.issues.map(({ field }) => field);
  expect(fields).toEqual(["KEEP_DAYS", "KEEP_RUNS", "MOVE_TRANSCRIPTS_MB"]);
});

it("the doctor tells those in force", () => {
  const set = {
    KEEP_DAYS: "3650",
    KEEP_RUNS: "700",
    KEEP_FILES_DAYS: "11",
    KEEP_DELIVERIES_DAYS: "12",
    MOVE_TRANSCRIPTS_DAYS: "13",
  };
  const [finding] = keepFindings({ keep: keepOf(set) });
  for (const words of ["3650 days", "700 runs", "11 days", "12", "13 days"]) expect(finding?.message).toContain(words);
});
