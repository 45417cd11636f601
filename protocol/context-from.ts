/** Of which runs a run is told when it begins. */
import { z } from "zod";
import { atMost } from "./characters.ts";

/** Of how many routines, of how many runs of each at most, and of how many where nothing is said. */
const MOST_ROUTINES = 5;
const MOST_RUNS = 10;
const RUNS = 3;

export const contextFromSchema = z
  .array(
    z.strictObject({
      routine: z
        .string()
        .trim()
        .min(1)
        .check(atMost(80))
        .meta({ description: "`self`, or another routine by its name or id." }),
      last: z.int().min(1).max(MOST_RUNS).default(RUNS),
    }),
  )
  .max(MOST_ROUTINES)
  .meta({
    id: "ContextFrom",
    description: "Of which routines' last runs a run is told: result, evidence, verdict and summary.",
  });
export type ContextFrom = z.infer<typeof contextFromSchema>;
