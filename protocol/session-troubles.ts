/** Troubles with what is kept of sessions; among all of them they stand in `troubles.ts`. */
import { z } from "zod";
import { sessionIdSchema } from "./ids.ts";
import { attempt, run, type TroubleRow, text } from "./trouble-fields.ts";

export const SESSION_TROUBLES = {
  conversation_not_kept: {
    level: "error",
    means:
      "An agent has taken turns, and nothing of its conversation came: a later run of its session would begin anew.",
    carries: z.strictObject(attempt),
  },
  transcript_not_read: {
    level: "error",
    means: "A part of a transcript that lies in R2 could not be read.",
    carries: z.strictObject({ session_id: sessionIdSchema, key: text }),
  },
  run_unreadable: {
    level: "error",
    means: "What an object has of a run can't be read. It is not taken out when it grows old, nor is its session.",
    carries: z.strictObject(run),
  },
} as const satisfies Record<string, TroubleRow>;
