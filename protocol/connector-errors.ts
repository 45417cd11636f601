/** Refusals that are about connectors: rows of the table in `api-errors.ts`. */
import type { ErrorRow } from "./error-types.ts";

export const CONNECTOR_ERRORS = {
  connector_exists: {
    type: "conflict_error",
    message: "There is a connector of this name.",
    hint: "Choose another name, or change the connector that there is.",
  },
  connector_in_use: {
    type: "conflict_error",
    message: "Routines name this connector, so it can be neither renamed nor deleted.",
    hint: "Take it out of the routines that details.issues names, and repeat the request.",
  },
  connector_login_refused: {
    type: "unprocessable_error",
    message: "Nobody can log in to this connector now.",
    hint: "See that the connector's address is right, and try again; docs/connectors.md says what its server has to offer.",
  },
  too_many_connectors: {
    type: "conflict_error",
    message: "This instance has as many connectors as it can.",
    hint: "Delete one that no routine names: GET /api/v1/connectors lists them.",
  },
} as const satisfies Record<string, ErrorRow>;
