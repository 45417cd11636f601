/** Refusals that are about environments: rows of the table in `api-errors.ts`. */
import type { ErrorRow } from "./error-types.ts";

export const ENVIRONMENT_ERRORS = {
  environment_exists: {
    type: "conflict_error",
    message: "There is an environment of this name.",
    hint: "Choose another name, or change the environment that there is.",
  },
  environment_in_use: {
    type: "conflict_error",
    message: "Routines name this environment, so it can't be renamed.",
    hint: "Make another environment with the new name, and have the routines that details.issues names use it; then archive this one.",
  },
  environment_refused: {
    type: "conflict_error",
    message: "The environment default is always there under this name.",
    hint: "Change its other keys, or make an environment of your own and name it in the routines.",
  },
} as const satisfies Record<string, ErrorRow>;
