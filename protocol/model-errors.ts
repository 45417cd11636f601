/** Refusals that have to do with the model: rows of `api-errors.ts`. */
import type { ErrorRow } from "./error-types.ts";

export const MODEL_ERRORS = {
  model_access_refused: {
    type: "authentication_error",
    message: "The model's API refused this instance's key.",
    hint: "Set ANTHROPIC_API_KEY to a valid key: wrangler secret put ANTHROPIC_API_KEY, or .dev.vars locally.",
  },
  model_not_configured: {
    type: "unprocessable_error",
    message: "This instance has no model key, so it starts no runs.",
    hint: "Set ANTHROPIC_API_KEY: wrangler secret put ANTHROPIC_API_KEY, or .dev.vars locally.",
  },
  draft_refused: {
    type: "unprocessable_error",
    message: "The model's API did not take the request for a draft.",
    hint: "The reason tells what it said. The instance's diagnosis checks ANTHROPIC_API_KEY; begin with a template meanwhile.",
  },
  draft_unusable: {
    type: "unprocessable_error",
    message: "The model has written no routine that could be saved.",
    hint: "Say in other words what the routine is to do, or begin with a template.",
  },
  model_unreachable: {
    type: "overloaded_error",
    message: "The model's API does not answer now.",
    hint: "Try again soon; nothing was saved.",
  },
} as const satisfies Record<string, ErrorRow>;
