/** README begins with a routine: it is one that an instance takes, and is short enough to be read at a glance. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { routineInputSchema } from "#protocol/routine.ts";

const MOST_LINES = 10;

it("shows a routine that is taken, with a schedule and an event, in ten lines", () => {
  const page = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
  const [, shown = ""] = /^```json\n(.*?)^```$/ms.exec(page) ?? [];
  const routine = routineInputSchema.parse(JSON.parse(shown));
  expect(routine.repositories).toHaveLength(1);
  expect(routine.triggers.map(({ type }) => type)).toEqual(["schedule", "github"]);
  expect(shown.trimEnd().split("\n").length).toBeLessThanOrEqual(MOST_LINES);
});
