/** Requests and answers of the HTTP interface that are not themselves a routine, run, session or event. */
import { z } from "zod";
import { atMost } from "./characters.ts";
import { runIdSchema, sessionIdSchema } from "./ids.ts";
import { FIRE_TEXT_LIMIT } from "./occurrence.ts";

/** Text for the agent from outside. Its length is counted in Unicode characters (code points). */
const fireText = z.string().check(atMost(FIRE_TEXT_LIMIT, `must be at most ${FIRE_TEXT_LIMIT} characters`));

/** The fire endpoint's body: wire-compatible with Claude Code routines, so unknown fields are ignored. */
export const fireInputSchema = z.object({ text: fireText.optional() }).meta({ id: "FireInput" });
export const runNowInputSchema = z.strictObject({ text: fireText.optional() }).meta({ id: "RunNowInput" });

export const fireAnswerSchema = z
  .object({
    type: z.literal("routine_fire"),
    claude_code_session_id: sessionIdSchema,
    claude_code_session_url: z.url(),
    run_id: runIdSchema,
    duplicate: z.literal(true).optional(),
  })
  .meta({ id: "FireAnswer" });

export const pauseInputSchema = z
  .strictObject({ reason: z.string().min(1).check(atMost(500)).optional() })
  .meta({ id: "PauseInput" });
export const routineTokenInputSchema = z
  .strictObject({
    may_read: z.boolean().default(false).meta({ description: "Whether it also reads the runs of its own routine." }),
  })
  .meta({ id: "RoutineTokenInput" });
export const routineTokenSchema = z.object({ token: z.string(), fire_url: z.url() }).meta({ id: "RoutineToken" });
/** How long a call that waits for the end of a run may wait, in seconds. */
export const WAIT_LIMIT_S = 60;
export const ticketSchema = z.object({ ticket: z.string() }).meta({ id: "Ticket" });
export const healthSchema = z
  .object({
    ok: z.literal(true),
    version: z.string(),
    /** The id of the deployed version that answers; a local instance has none. */
    deployment: z.string().optional(),
  })
  .meta({ id: "Health" });

export const PAGE_LIMIT = { default: 50, max: 200 } as const;
export const EVENTS_PAGE_LIMIT = { default: 200, max: 1_000 } as const;

/** A page of a list, newest first. */
export function pageSchema<Item extends z.ZodType>(item: Item) {
  return z.object({ data: z.array(item), next_cursor: z.string().nullable() });
}

export interface Page<Item> {
  data: Item[];
  next_cursor: string | null;
}

/** Which page: `cursor` is the id of the last thing on the page before. */
export interface PageRequest {
  limit: number;
  cursor: string | null;
}
