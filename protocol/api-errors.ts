/**
 * Refusals of the API, as rows of one table; why runs fail is in `run-errors.ts`.
 * `docs/errors.md` has a heading per row; a test holds the two together.
 */
import { BUDGET_ERRORS } from "./budget-errors.ts";
import { CONNECTOR_ERRORS } from "./connector-errors.ts";
import { ENVIRONMENT_ERRORS } from "./environment-errors.ts";
import type { ErrorRow } from "./error-types.ts";
import { GITHUB_ERRORS } from "./github-errors.ts";
import { MESSAGE_ERRORS } from "./message-errors.ts";
import { MODEL_ERRORS } from "./model-errors.ts";
import { QUESTION_ERRORS } from "./question-errors.ts";
import { SESSION_ERRORS } from "./session-errors.ts";

/** Refusals of the API: code → what the outside hears. The code itself is in `details.code`. */
export const API_ERRORS = {
  invalid_json: {
    type: "invalid_request_error",
    message: "The body is not valid JSON.",
    hint: "Send a JSON object, or no body at all where the body is optional.",
  },
  invalid_request: {
    type: "invalid_request_error",
    message: "The request does not fit the schema.",
    hint: "See details.issues for each field and its remedy; GET /openapi.json has the schemas.",
  },
  invalid_cursor: {
    type: "invalid_request_error",
    message: "The cursor is not one that this list gave.",
    hint: "Pass next_cursor of the page before unchanged, or leave the cursor out.",
  },
  not_available_yet: {
    type: "invalid_request_error",
    message: "This part of a routine is not available yet.",
    hint: "Leave the key out; docs/routines.md lists what is available.",
  },
  routine_paused: {
    type: "invalid_request_error",
    message: "The routine is paused.",
    hint: "Resume the routine, or use run now, which also works while it is paused.",
  },
  paused_after_failures: {
    type: "invalid_request_error",
    message: "The routine has paused itself, because run after run has failed.",
    hint: "Mend the cause, which the newest failed run tells, then resume the routine. Run now and retry work while it is paused.",
  },
  authentication_required: {
    type: "authentication_error",
    message: "A valid token is needed.",
    hint: "Send Authorization: Bearer followed by the owner token, or sign in.",
  },
  routine_token_invalid: {
    type: "authentication_error",
    message: "The token is missing, wrong, revoked, or belongs to another routine.",
    hint: "Send Authorization: Bearer followed by this routine's token; issue a new one if it is lost.",
  },
  sign_in_refused: {
    type: "authentication_error",
    message: "The sign-in code or token was not accepted.",
    hint: "A code works once, for ten minutes. Make a new one, or sign in with the owner token.",
  },
  webhook_refused: {
    type: "authentication_error",
    message: "The request was not accepted.",
    hint: "Check that both sides have the same secret, and that the body is sent as it was signed.",
  },
  runner_refused: {
    type: "authentication_error",
    message: "The runner's token was not accepted.",
    hint: "Give the runner its pool's token, or for the default pool RUNNER_TOKEN; a link token ends with its attempt.",
  },
  proxy_token_refused: {
    type: "authentication_error",
    message: "The proxy token is not valid for this path, or its attempt has ended.",
    hint: "A proxy token serves the paths of its own attempt, while that attempt is on.",
  },
  origin_refused: {
    type: "permission_error",
    message: "Requests from this origin are not accepted.",
    hint: "Use the web app at the instance's own address, or an API token instead of the cookie.",
  },
  token_may_not_read: {
    type: "permission_error",
    message: "This token fires the routine, and does not read its runs.",
    hint: 'Have the routine\'s owner issue one that does: POST /api/v1/routines/{id}/token with {"may_read": true}.',
  },
  proxy_refused: {
    type: "permission_error",
    message: "The run may not do this through its proxy.",
    hint: "See details.reason for the rule that refused it.",
  },
  host_not_allowed: {
    type: "permission_error",
    message: "The run's network policy does not allow this host.",
    hint: "Name the host in network.allow of the environment or of the routine; see docs/network.md for the hosts that are in the list.",
  },
  not_found: {
    type: "not_found_error",
    message: "There is nothing at this address.",
    hint: "Check the id and the path; GET /openapi.json lists every path.",
  },
  ...GITHUB_ERRORS,
  ...MESSAGE_ERRORS,
  ...SESSION_ERRORS,
  secret_unreadable: {
    type: "unprocessable_error",
    message: "A secret that the instance keeps encrypted can't be decrypted.",
    hint: "Set the SIGNING_KEY under which it was encrypted as SIGNING_KEY_PREVIOUS, or set the secret anew: the GitHub App's at /setup.",
  },
  run_settled: {
    type: "conflict_error",
    message: "The run has ended already.",
    hint: "Only a run that has not ended can be canceled.",
  },
  run_not_settled: {
    type: "conflict_error",
    message: "The run has not ended yet.",
    hint: "Wait until it has ended, or cancel it.",
  },
  ...QUESTION_ERRORS,
  overlap_skipped: {
    type: "conflict_error",
    message: "Skipped: a run of this routine is on, and its overlap policy is skip.",
    hint: "Fire again when the run has ended, or choose another overlap policy.",
  },
  gate_closed: {
    type: "conflict_error",
    message: "Skipped: the routine's gate is closed.",
    hint: "Read in details.reason what it has found. Fire again when that has changed, or run the routine by hand, which asks no gate.",
  },
  gate_failed: {
    type: "overloaded_error",
    message: "The routine's gate could not be asked, so nothing was started.",
    hint: "Read in details.reason why. Fire again after the seconds that Retry-After names; POST /api/v1/connectors/{id}/check looks whether the connector works.",
  },
  revision_conflict: {
    type: "conflict_error",
    message: "The routine has changed since the revision that you named.",
    hint: "Read the routine again and repeat the change on its newest revision.",
  },
  note_changed: {
    type: "conflict_error",
    message: "The note has changed since the revision that you named.",
    hint: "Read the note again, and repeat the change on its newest revision.",
  },
  pool_exists: {
    type: "conflict_error",
    message: "There is a pool of this name.",
    hint: "Choose another name, or have a new token issued for the pool that there is.",
  },
  pool_in_use: {
    type: "conflict_error",
    message: "Routines or runs use this pool.",
    hint: "Set another runs_on for the routines that details.issues names, wait until the pool's runs have ended, and try again.",
  },
  ...CONNECTOR_ERRORS,
  ...ENVIRONMENT_ERRORS,
  body_too_large: {
    type: "request_too_large",
    message: "The body is too large.",
    hint: "See details.limit_bytes.",
  },
  body_too_slow: {
    type: "invalid_request_error",
    message: "The body came too slowly, and was not waited for.",
    hint: "Send it again, in one go: 30 seconds, and one more for every 16 KB of it, are waited for it.",
  },
  content_type_refused: {
    type: "unsupported_media_type",
    message: "The body's content type is not accepted.",
    hint: "Send Content-Type: application/json.",
  },
  idempotency_key_reused: {
    type: "unprocessable_error",
    message: "This Idempotency-Key was used with another body.",
    hint: "Use a new key for a new request; repeat a request with the same body.",
  },
  pool_refused: {
    type: "unprocessable_error",
    message: "The pool default is always there, and its runners come with the instance's RUNNER_TOKEN.",
    hint: "Change RUNNER_TOKEN to shut its runners out; make a pool of your own for a token of its own.",
  },
  too_many_artifacts: {
    type: "unprocessable_error",
    message: "The run has shown 50 files, as many as it may.",
    hint: "Show one file that has what matters, or commit the files.",
  },
  too_many_notes: {
    type: "unprocessable_error",
    message: "The routine has 50 notes, as many as it can.",
    hint: "Remove notes that are of no more use, or add to one that is there.",
  },
  secret_refused: {
    type: "unprocessable_error",
    message: "The secret can't be kept.",
    hint: "See the message.",
  },
  secret_source_not_configured: {
    type: "unprocessable_error",
    message: "This instance does not know the store that the secret is to come from.",
    hint: "Give the secret's value, or have the instance's operator configure the store: docs/secrets.md.",
  },
  ...MODEL_ERRORS,
  ...BUDGET_ERRORS,
  queue_full: {
    type: "rate_limit_error",
    message: "The routine's queue is full.",
    hint: "Wait until queued runs have started, or cancel some.",
  },
  too_many_waiting: {
    type: "rate_limit_error",
    message: "Too many calls wait for the ends of this routine's runs.",
    hint: "Wait for the seconds that Retry-After names, or ask without wait.",
  },
  rate_limited: {
    type: "rate_limit_error",
    message: "Too many requests with this token.",
    hint: "Wait for the seconds that Retry-After names.",
  },
  instance_rate_limited: {
    type: "rate_limit_error",
    message: "Too many requests to start something in this instance.",
    hint: "Wait for the seconds that Retry-After names.",
  },
  upgrade_required: {
    type: "invalid_request_error",
    message: "This address speaks WebSocket only.",
    hint: "Send Upgrade: websocket; for plain HTTP read /api/v1/sessions/{id}/events.",
  },
  upstream_unreachable: {
    type: "overloaded_error",
    message: "The service behind this proxy did not answer.",
    hint: "Try again soon; if it stays so, check the upstream's address and credentials.",
  },
  upstream_slow: {
    type: "overloaded_error",
    message: "The service behind this proxy takes too long.",
    hint: "Try again soon; if it stays so, look at that service, or at the line to it.",
  },
  upstream_limited: {
    type: "rate_limit_error",
    message: "The repository's server takes no more requests for now.",
    hint: "Wait for the seconds that Retry-After names. The credential is not at fault.",
  },
  repository_moved: {
    type: "unprocessable_error",
    message: "The repository has another address.",
    hint: "Give the routine the repository's new address.",
  },
  github_unreachable: {
    type: "overloaded_error",
    message: "GitHub's API gives no answer that is of use.",
    hint: "Try again soon; www.githubstatus.com tells how GitHub is. Behind GitHub Enterprise check GITHUB_API_URL.",
  },
  internal_error: {
    type: "api_error",
    message: "Something went wrong inside Reveille.",
    hint: "Try again; if it stays so, look up the request_id in the worker's log.",
  },
  misconfigured: {
    type: "api_error",
    message: "This instance is not configured completely.",
    hint: "See details.issues for every variable and secret at fault; .dev.vars.example explains each.",
  },
  not_ready: {
    type: "overloaded_error",
    message: "This instance lacks something that its version needs.",
    hint: "GET /readyz names each fault and what mends it; npm run deploy mends most of them, among them a database that is behind.",
  },
  overloaded: {
    type: "overloaded_error",
    message: "A part of this instance has more to do than it can. The request was not carried out.",
    hint: "Wait for the seconds that Retry-After names, and then repeat the request.",
  },
  unavailable: {
    type: "overloaded_error",
    message: "A part of this instance could not be reached. The request may have been carried out.",
    hint: "Wait for the seconds that Retry-After names, look whether it has taken effect, and repeat it if not. A fire with an Idempotency-Key is repeated safely.",
  },
  no_answer: {
    type: "overloaded_error",
    message: "A part of this instance did not answer in time. The request may have been carried out.",
    hint: "Wait for the seconds that Retry-After names, look whether it has taken effect, and repeat it if not. A fire with an Idempotency-Key is repeated safely.",
  },
  delivery_not_handled: {
    type: "overloaded_error",
    message: "The delivery could not be handled.",
    hint: "Try again soon.",
  },
  storage_not_migrated: {
    type: "overloaded_error",
    message: "What is stored could not be brought up to date for this version.",
    hint: "The worker's log tells the cause (code: storage_not_migrated). Nothing is lost: deploy a repaired version.",
  },
  index_behind: {
    type: "overloaded_error",
    message: "The change could not be written to the index.",
    hint: "Try again soon; repeating the request is safe.",
  },
} as const satisfies Record<string, ErrorRow>;
