/** Refusals of messages and interrupts, as rows of the table in `api-errors.ts`. */
import type { ErrorRow } from "./error-types.ts";

export const MESSAGE_ERRORS = {
  nothing_to_interrupt: {
    type: "conflict_error",
    message: "No turn of the session is on.",
    hint: "Cancel a run whose agent has not begun; answer one that asks; send a message to go on with a session that has ended.",
  },
  runner_not_steered: {
    type: "conflict_error",
    message: "The runner that works on this run can't interrupt it.",
    hint: "Update the runner; until then, cancel the run.",
  },
  messages_full: {
    type: "rate_limit_error",
    message: "As many messages as can wait for this session's agent are waiting.",
    hint: "Wait until it has got some, or interrupt its turn.",
  },
} as const satisfies Record<string, ErrorRow>;
