/** Of what types refusals of the API are. Each refusal is a row of `api-errors.ts`. */

/** The `type` of an error answer and its HTTP status: wire-compatible with Claude's API, plus four of Reveille's own. */
export const ERROR_STATUS = {
  invalid_request_error: 400,
  authentication_error: 401,
  permission_error: 403,
  not_found_error: 404,
  conflict_error: 409,
  request_too_large: 413,
  unsupported_media_type: 415,
  unprocessable_error: 422,
  rate_limit_error: 429,
  api_error: 500,
  overloaded_error: 503,
} as const;

export type ErrorType = keyof typeof ERROR_STATUS;

export interface ErrorRow {
  type: ErrorType;
  message: string;
  hint: string;
}
