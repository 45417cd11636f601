/** Making the index in D1 again from what the routines' objects own, a step at a time. */
import { z } from "zod";
import { routineIdSchema } from "./ids.ts";
import { nullable } from "./schema.ts";

export const rebuildInputSchema = z
  .strictObject({
    cursor: z
      .string()
      .regex(/^(index|roster):[0-9A-Za-z_]{0,40}$/, "must be the next_cursor of the step before")
      .optional(),
  })
  .meta({ id: "RebuildIndexInput" });

export const rebuildStepSchema = z
  .object({
    /** Whose entries have been written. */
    routines: z.int().min(0),
    /** Runs that their routines owe to the lists from now on; they follow by themselves. */
    runs: z.int().min(0),
    /** Entries of routines that have been deleted: they are gone from every list. */
    forgotten: z.int().min(0),
    /** Those that could not be asked, or whose entry was not written: they stay as they were until it is done again. */
    failed: z.array(z.object({ routine_id: routineIdSchema, why: z.string() })),
    next_cursor: nullable(z.string()),
  })
  .meta({ id: "RebuildIndexStep" });
export type RebuildStep = z.infer<typeof rebuildStepSchema>;
