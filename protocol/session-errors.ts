/** Refusals of what people ask of a session as a whole: see `api-errors.ts`. */
import type { ErrorRow } from "./error-types.ts";

export const SESSION_ERRORS = {
  session_active: {
    type: "conflict_error",
    message: "A run of the session has not ended.",
    hint: "Cancel it with POST /api/v1/runs/{id}/cancel, and delete the session when it has ended.",
  },
  session_deleted: {
    type: "unprocessable_error",
    message: "The run's session was deleted, and with it what the run was given.",
    hint: "Fire the routine again, or use run now, with the text that it needs.",
  },
} as const satisfies Record<string, ErrorRow>;
