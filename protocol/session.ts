/** A session: the conversation and workspace that one or more runs share. */
import { z } from "zod";
import { routineIdSchema, runIdSchema, sessionIdSchema } from "./ids.ts";
import { runSchema, statusesOfRuns } from "./run.ts";
import { timestampSchema } from "./time.ts";
import { transcriptEventSchema } from "./transcript.ts";
import { DIRECTIONS, SEEN } from "./unseen-characters.ts";

/** In characters. */
export const TITLE_LIMIT = 200;
const titleFault = `must be 1 to ${TITLE_LIMIT} characters`;

export const sessionSchema = z
  .object({
    id: sessionIdSchema,
    routine_id: routineIdSchema,
    title: z.string().meta({
      description:
        "The routine's name, then the first line of what a run has reported first; what a person has written stays.",
    }),
    archived: z.boolean(),
    created_at: timestampSchema,
    last_seq: z.int().min(0),
    runs: z.array(z.object({ id: runIdSchema, status: z.enum(statusesOfRuns) })),
  })
  .meta({ id: "Session" });
export type Session = z.infer<typeof sessionSchema>;

/** What people change of a session; what is left out stays. */
export const sessionPatchSchema = z
  .strictObject({
    title: z
      .string()
      .trim()
      .refine((title) => title !== "" && [...title].length <= TITLE_LIMIT, titleFault)
      .refine((title) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(title), "must be one line without control characters")
      .refine(
        (title) => !DIRECTIONS.test(title),
        "must not change the direction of its text (U+202A to U+202E, U+2066 to U+2069)",
      )
      .refine((title) => title === "" || SEEN.test(title), "must have a character that can be seen")
      .optional(),
    archived: z.boolean().optional(),
  })
  .meta({ id: "SessionPatch" });
export type SessionPatch = z.infer<typeof sessionPatchSchema>;

/** Which sessions a list has. */
export const archivedFilterSchema = z.enum(["false", "true", "all"], "must be true, false or all");
export type ArchivedFilter = z.infer<typeof archivedFilterSchema>;

/** A line of an exported session: the session, then each of its runs, then its transcript's events. */
export const exportLineSchema = z
  .union([
    z.object({ type: z.literal("session"), session: sessionSchema }),
    z.object({ type: z.literal("run"), run: runSchema }),
    transcriptEventSchema,
  ])
  .meta({ id: "SessionExportLine" });
export type ExportLine = z.infer<typeof exportLineSchema>;
