/** One table of the states of a run, and what is derived from it. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, expectTypeOf, it } from "vitest";
import { type Run, runSchema } from "#protocol/run.ts";
import {
  holdOf,
  RUN_STATES,
  type RunStates,
  runStatuses,
  settledStatuses,
  unsettledStatuses,
} from "#protocol/run-states.ts";
import { IS_UNSETTLED, statusIn } from "#rules/run/status-condition.ts";

it("has a form of the run for each state, and no other", () => {
  expect(runSchema.options.map(({ shape }) => shape.status.value)).toEqual(runStatuses);
  expectTypeOf<Run["status"]>().toEqualTypeOf<keyof RunStates>();
});

describe.each(runStatuses)("%s", (status) => {
  it("is settled or not, and only what is not settled holds something", () => {
    const { isSettled } = RUN_STATES[status];
    expect(settledStatuses.some((one) => one === status)).toBe(isSettled);
    expect(unsettledStatuses.some((one) => one === status)).toBe(!isSettled);
    if (isSettled) expect(holdOf(status)).toBe("nothing");
  });
});

it("finds a wrong status in no list", () => {
  expect([...unsettledStatuses, ...settledStatuses].sort()).toEqual([...runStatuses].sort());
  expect(statusIn(["starting", "running"])).toBe("status IN ('starting', 'running')");
});

describe("the migrations", () => {
  it("make the index on what has not settled with the table's condition", () => {
    const made = lastIndex("routine-object", "runs_unsettled");
    expect(made).toMatch(/^CREATE INDEX `runs_unsettled` ON `runs` \(.*\) WHERE (.*);/);
    expect(made?.split(" WHERE ")[1]).toBe(`${IS_UNSETTLED};`);
  });

  it("have the same condition in the index by session", () => {
    const made = lastIndex("routine-object", "runs_by_session");
    expect(made).toBe(`CREATE INDEX \`runs_by_session\` ON \`runs\` (\`session_id\`,(${IS_UNSETTLED}),\`id\`);`);
  });

  it("make no other partial index on a run's status", () => {
    const partial = ["d1", "routine-object", "pool-object"].flatMap((folder) =>
      statements(folder).filter((line) => /INDEX .* ON `runs` .*WHERE/.test(line)),
    );
    expect(new Set(partial.map((line) => line.match(/INDEX `(\w+)`/)?.[1]))).toEqual(
      new Set(["runs_unsettled", "runs_unsettled_by_session"]),
    );
  });
});

/** The statement by which an index was made last. */
function lastIndex(folder: string, index: string): string | undefined {
  return statements(folder).findLast((line) => line.includes(`INDEX \`${index}\``));
}

function statements(folder: string): string[] {
  const root = `migrations/${folder}`;
  return readdirSync(root)
    .filter((file) => file.endsWith(".sql"))
    .sort()
    .flatMap((file) => readFileSync(`${root}/${file}`, "utf8").split("--> statement-breakpoint"))
    .map((statement) => statement.trim());
}
