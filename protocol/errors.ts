/** How a refusal is told: as a value inside, and in one shape outside. The table of refusals is in `api-errors.ts`. */
import { z } from "zod";
import { API_ERRORS } from "./api-errors.ts";
import { ERROR_STATUS, type ErrorRow, type ErrorType } from "./error-types.ts";

export type ApiErrorCode = keyof typeof API_ERRORS;
export const apiErrorCodes = Object.keys(API_ERRORS) as ApiErrorCode[];

/** Facts that go with a refusal; everything in it may be shown to whoever sent the request. */
export const errorDetailsSchema = z.looseObject({
  code: z.string(),
  field: z.string().optional(),
  issues: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  occurrence_id: z.string().optional(),
  answered_by: z.string().nullable().optional(),
  answered_at: z.string().optional(),
  compare_url: z.string().optional(),
});

/** The one shape of an error answer. */
export const errorBodySchema = z
  .object({
    type: z.literal("error"),
    error: z.object({
      type: z.enum(Object.keys(ERROR_STATUS) as [ErrorType, ...ErrorType[]]),
      message: z.string(),
      hint: z.string().optional(),
      details: errorDetailsSchema.optional(),
    }),
    request_id: z.string(),
  })
  .meta({ id: "Error" });
export type ErrorBody = z.infer<typeof errorBodySchema>;

/** A refusal as a value: what objects and rules return; only the worker turns it into an answer. */
export interface Refusal {
  code: ApiErrorCode;
  /** Replaces the row's message when the case can be told more exactly. */
  message?: string;
  hint?: string;
  field?: string;
  issues?: { field: string; message: string }[];
  occurrence_id?: string;
  /** Null where nobody has, and the time was over. */
  answered_by?: string | null;
  answered_at?: string;
  /** Where a person can open the pull request. */
  compare_url?: string;
  limit_bytes?: number;
  reason?: string;
  retry_after_s?: number;
}

export type Result<Value> = { ok: true; value: Value } | { ok: false; refusal: Refusal };

export function success<Value>(value: Value): Result<Value> {
  return { ok: true, value };
}

export function refuse(code: ApiErrorCode, facts: Omit<Refusal, "code"> = {}): { ok: false; refusal: Refusal } {
  return { ok: false, refusal: { code, ...facts } };
}

/** Renders a refusal. `Retry-After` is the caller's to set from `retry_after_s`. */
export function errorAnswer(refusal: Refusal, requestId: string): { status: number; body: ErrorBody } {
  const row: ErrorRow = API_ERRORS[refusal.code];
  const { code, message, hint, retry_after_s: _retryAfter, ...facts } = refusal;
  const reasoned = facts.reason === undefined ? row.message : `${row.message} Reason: ${facts.reason}.`;
  return {
    status: ERROR_STATUS[row.type],
    body: {
      type: "error",
      error: { type: row.type, message: message ?? reasoned, hint: hint ?? row.hint, details: { code, ...facts } },
      request_id: requestId,
    },
  };
}
