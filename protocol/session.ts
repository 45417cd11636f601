/** A session: the conversation and workspace that one or more runs share. */
import { z } from "zod";
import { routineIdSchema, runIdSchema, sessionIdSchema } from "./ids.ts";
import { statusesOfRuns } from "./run.ts";
import { timestampSchema } from "./time.ts";

export const sessionSchema = z
  .object({
    id: sessionIdSchema,
    routine_id: routineIdSchema,
    title: z.string(),
    created_at: timestampSchema,
    last_seq: z.int().min(0),
    runs: z.array(z.object({ id: runIdSchema, status: z.enum(statusesOfRuns) })),
  })
  .meta({ id: "Session" });
export type Session = z.infer<typeof sessionSchema>;
