/** How an attempt ended: what its runner says of it at last. */
import { z } from "zod";
import { putOffSchema } from "./question.ts";
import { runErrorSchema } from "./run-errors.ts";

/** How an attempt ended, as the runner saw it. */
export const attemptOutcomeSchema = z.discriminatedUnion("status", [
  z.object({ status: z.literal("succeeded") }),
  z.object({
    status: z.literal("failed"),
    error: runErrorSchema,
    /** For so many seconds whoever was asked in vain wants to be left alone; absent where that is not known. */
    retry_after_s: z.int().min(0).max(999_999_999).optional(),
  }),
  z.object({ status: z.literal("timed_out"), error: runErrorSchema }),
  /** Every process of the attempt is gone. */
  z.object({ status: z.literal("canceled") }),
  /** What the run waits for had not come when its sandbox was to be given up: another attempt goes on. */
  z.object({ status: z.literal("parked"), put_off: putOffSchema }),
]);
export type AttemptOutcome = z.infer<typeof attemptOutcomeSchema>;
