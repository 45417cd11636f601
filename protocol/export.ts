/** What an instance has of its routines, as lines of JSON that anybody can read. No line has a value of a secret. */
import { z } from "zod";
import { artifactSchema } from "./artifact.ts";
import { connectorSchema } from "./connector.ts";
import { deadLetterSchema } from "./dead-letter.ts";
import { diffSchema } from "./diff.ts";
import { environmentSchema } from "./environment.ts";
import { routineIdSchema, sessionIdSchema } from "./ids.ts";
import { noteSchema } from "./note.ts";
import { notificationSchema } from "./notification.ts";
import { occurrenceSchema } from "./occurrence.ts";
import { pullRequestListSchema } from "./pull-request.ts";
import { revisionSchema, routineSchema } from "./routine.ts";
import { listedRunSchema } from "./run.ts";
import { sessionSchema } from "./session.ts";
import { signInSchema } from "./sign-in.ts";
import { transcriptEventSchema } from "./transcript.ts";

const ofRoutine = { routine_id: routineIdSchema };
const ofSession = { session_id: sessionIdSchema };

/**
 * A line of an export. Events of a transcript are as `/events` gives them, after the line of their session. What could not be read
 * is named by an `unread`: all that would come after it, of that session or of that routine, is missing. The last line is an `end`:
 * without it the answer has broken off; with a `next_cursor` the export goes on in another answer.
 */
export const exportedLineSchema = z
  .union([
    z.object({ type: z.literal("sign_in"), sign_in: signInSchema }),
    z.object({ type: z.literal("environment"), environment: environmentSchema }),
    z.object({ type: z.literal("connector"), connector: connectorSchema }),
    z.object({ type: z.literal("routine"), routine: routineSchema }),
    z.object({ type: z.literal("revision"), ...ofRoutine, revision: revisionSchema }),
    z.object({ type: z.literal("note"), ...ofRoutine, note: noteSchema }),
    z.object({ type: z.literal("dead_letter"), dead_letter: deadLetterSchema }),
    z.object({ type: z.literal("notification"), notification: notificationSchema }),
    z.object({ type: z.literal("occurrence"), occurrence: occurrenceSchema }),
    z.object({ type: z.literal("run"), run: listedRunSchema }),
    z.object({ type: z.literal("session"), session: sessionSchema }),
    z.object({ type: z.literal("diff"), diff: diffSchema }),
    z.object({ type: z.literal("artifact"), ...ofSession, artifact: artifactSchema }),
    z.object({
      type: z.literal("asked_pull_request"),
      ...ofSession,
      pull_request: pullRequestListSchema.shape.data.element,
    }),
    z.object({
      type: z.literal("unread"),
      ...ofRoutine,
      /** The session that is missing, or its end; null where it is the routine, or the rest of it. */
      session_id: sessionIdSchema.nullable(),
      why: z.string(),
    }),
    z.object({ type: z.literal("end"), next_cursor: z.string().nullable() }),
    transcriptEventSchema,
  ])
  .meta({ id: "ExportedLine" });
export type ExportedLine = z.infer<typeof exportedLineSchema>;
