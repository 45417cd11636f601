/** A routine names a pool that there is, or is told which there are. */
import { expect, it } from "vitest";
import { poolOf, runsOnSchema } from "#protocol/pool.ts";
import { unknownPoolRefusal } from "#rules/routine/unknown-pool.ts";

it.each<[string, string | null]>([
  ["default", "default"],
  ["pool:gpu", "gpu"],
  ["pool:default", "default"],
  ["pool:2-big-machines", "2-big-machines"],
  ["gpu", null],
  ["pool:", null],
  ["pool:GPU", null],
  ["pool:-gpu", null],
  ["pool:gpu-", null],
  ["pool:gpu/1", null],
  [`pool:${"a".repeat(40)}`, "a".repeat(40)],
  [`pool:${"a".repeat(41)}`, null],
  ["", null],
])("runs_on %j means the pool %j", (runsOn, pool) => {
  const parsed = runsOnSchema.safeParse(runsOn);
  expect(parsed.success ? poolOf(parsed.data) : null).toBe(pool);
});

it.each<[string, string[], RegExp | null]>([
  ["default", [], null],
  ["pool:default", [], null],
  ["pool:gpu", ["big", "gpu"], null],
  ["pool:gpu", [], /^runs_on: there is no pool "gpu"; known: default$/],
  ["pool:gqu", ["big", "gpu"], /did you mean "pool:gpu"\?$/],
  ["pool:windows", ["big", "gpu"], /known: default, pool:big, pool:gpu$/],
])("a routine that runs on %j where there are %j", (runsOn, names, expected) => {
  const refusal = unknownPoolRefusal(runsOn, names);
  if (expected === null) expect(refusal).toBeNull();
  else
    expect(refusal).toMatchObject({
      code: "invalid_request",
      field: "runs_on",
      message: expect.stringMatching(expected),
    });
});
