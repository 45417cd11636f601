/** What a routine is shown with beside its definition: no change can set it, and yet it may be sent back. */
import { z } from "zod";

const shownKey = z.unknown().optional().meta({
  description: "As the routine was read with it, or left out: a change can't set it.",
});
export const shownRoutineFields = {
  id: shownKey,
  revision: shownKey,
  status: shownKey,
  paused_reason: shownKey,
  paused_by: shownKey,
  gate_state: shownKey,
  has_token: shownKey,
  token_may_read: shownKey,
  created_at: shownKey,
  updated_at: shownKey,
  warnings: shownKey,
  last_run: shownKey,
  next_fire_at: shownKey,
};
export type ShownRoutineKey = keyof typeof shownRoutineFields;
export const shownRoutineKeys = Object.keys(shownRoutineFields) as ShownRoutineKey[];
