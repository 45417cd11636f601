/** A routine that is being written is told its faults, its warnings, and when it would wake; a saved one keeps its warnings until they are mended. */
import { expect, it } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { Routine } from "#protocol/routine.ts";
import type { Validation } from "#protocol/warning.ts";
import { buildRoutine, call } from "#test/support/api.ts";

const ROUTINE = { name: "draft", prompt: "Say hello." };

async function validated(body: unknown, query = ""): Promise<Validation> {
  const answer = await call<Validation>("POST", `/api/v1/routines/validate${query}`, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
}

it("tells every fault at once, and saves nothing", async () => {
  const triggers = [
    { type: "schedule", cron: "0 0 31 2 *" },
    { type: "event", name: "e", filters: [{ field: "a", operator: "matches_regex", value: "(" }] },
  ];
  const wrong = { ...ROUTINE, environment: "nowhere", tools: { deny: ["Bsh"], ask: [] }, triggers };
  const { faults } = await validated(wrong);
  expect(faults.map(({ field }) => field)).toEqual([
    "tools.deny[0]",
    "environment",
    "triggers[0].cron",
    "triggers[1].filters[0].value",
  ]);
  const refused = await call<{ error: { details: { issues: unknown } } }>("POST", "/api/v1/routines", wrong);
  expect([refused.status, refused.body.error.details.issues]).toEqual([400, faults]);
  expect((await validated({ ...ROUTINE, promt: "x" })).faults.map(({ field }) => field)).toEqual(["promt"]);
  expect((await validated("text")).faults.map(({ field }) => field)).toEqual(["body"]);
  const { body } = await call<Page<Routine>>("GET", "/api/v1/routines?search=draft");
  expect(body.data).toEqual([]);
});

it("tells when each schedule would fire, and what can't be meant", async () => {
  const triggers = [{ type: "api" }, { type: "schedule", every: "hourly" }, { type: "routine", routine: "nobody" }];
  const { faults, warnings, next } = await validated({ ...ROUTINE, triggers, variables: { T: "{{NOT_THERE}}" } });
  expect(faults).toEqual([]);
  expect(warnings.map(({ code, field }) => [code, field])).toEqual([
    ["needs_secret", "variables.T"],
    ["unknown_routine", "triggers[2].routine"],
  ]);
  expect(next.map(({ trigger, times }) => [trigger, times.length])).toEqual([[1, 5]]);
});

it("keeps a warning with a saved routine until what it names is there", async () => {
  const routine = await buildRoutine({
    variables: { T: "{{LATER}}" },
    triggers: [{ type: "routine", routine: "the-first" }],
  });
  const codes = async (path: string) => (await call<Routine>("GET", path)).body.warnings.map(({ code }) => code);
  expect(routine.warnings.map(({ code }) => code)).toEqual(["needs_secret", "unknown_routine"]);
  const path = `/api/v1/routines/${routine.id}`;
  expect(await codes(path)).toEqual(["needs_secret", "unknown_routine"]);
  await buildRoutine({ name: "the-first" });
  expect(await codes(path)).toEqual(["needs_secret"]);
  await call("PUT", "/api/v1/secrets/LATER", { value: "a-value-of-the-test" });
  expect(await codes(path)).toEqual([]);
  const { body } = await call<Page<Routine>>("GET", "/api/v1/routines");
  expect(body.data.find(({ id }) => id === routine.id)?.warnings).toEqual([]);
});

it("knows the triggers of the routine that is changed", async () => {
  const routine = await buildRoutine({ triggers: [{ type: "schedule", at: "in 2 weeks" }] });
  const { faults, next } = await validated({ ...ROUTINE, triggers: routine.triggers }, `?routine=${routine.id}`);
  expect(faults).toEqual([]);
  expect(next).toHaveLength(1);
});
