/** Which session a run of a routine has: its own, or that of a key. */
import { z } from "zod";
import { atMost } from "./characters.ts";

/** How long a template of a session's key is at most, and a key that it makes, in characters. */
export const SESSION_KEY_LIMIT = 500;

export const sessionModeSchema = z.enum(["new", "keyed"]).meta({
  id: "SessionMode",
  description: "A session for each run, or one for all that `session_key` makes one key of.",
});
export type SessionMode = z.infer<typeof sessionModeSchema>;

export const sessionKeySchema = z.string().min(1).check(atMost(SESSION_KEY_LIMIT)).meta({
  description:
    'Of `session: keyed`: text with `{{…}}` for facts of the event, as "{{github.repository}}#{{github.number}}".',
});
