/** Refusals of answers to what runs ask: rows of the table of API errors. */
import type { ErrorRow } from "./error-types.ts";

export const QUESTION_ERRORS = {
  question_answered: {
    type: "conflict_error",
    message: "The question has been answered already.",
    hint: "The first answer counts: details.answered_by says whose it is. GET /api/v1/runs/{id} tells what the run waits for now.",
  },
  question_closed: {
    type: "conflict_error",
    message: "The run does not wait for an answer to this question any more.",
    hint: "GET /api/v1/runs/{id} tells what the run waits for now.",
  },
  question_unknown: {
    type: "not_found_error",
    message: "The run has not asked this question.",
    hint: "Take the id from waiting.question of GET /api/v1/runs/{id}, or from the run.waiting event of its transcript.",
  },
  nothing_to_review: {
    type: "conflict_error",
    message: "No run of another routine has woken this one.",
    hint: "A verdict can be given by runs that a routine trigger has started, on the run that woke them.",
  },
  too_much_said: {
    type: "unprocessable_error",
    message: "What people have said to that run is too long, together, to be said again.",
    hint: "Send the session a new message with what is still to do.",
  },
} as const satisfies Record<string, ErrorRow>;
