/** What whoever asked hears when something was thrown: whether it passes by itself, and what to do. */
import { CallFailed } from "#instance/calls.ts";
import { NoAnswer } from "#instance/in-time.ts";
import type { Refusal } from "#protocol/errors.ts";
import { isSchemaFault } from "../health/readiness.ts";
import { BodyTooSlow } from "./body-pace.ts";

/** When to come again, in seconds. An object that was reset is back in a moment; one that has too much to do is not. */
const RETRY_AFTER_S = { unavailable: 2, no_answer: 10, overloaded: 10 } as const;

export function faultRefusal(fault: unknown): Refusal {
  // A library puts an error of its own around the one that tells.
  if (fault instanceof Error && fault.cause !== undefined && !(fault instanceof CallFailed)) {
    return faultRefusal(fault.cause);
  }
  if (fault instanceof CallFailed) return { code: fault.code, retry_after_s: RETRY_AFTER_S[fault.code] };
  if (fault instanceof BodyTooSlow) return { code: "body_too_slow", field: "body" };
  if (fault instanceof NoAnswer) return { code: "no_answer", retry_after_s: RETRY_AFTER_S.no_answer };
  // A write that a missing table refuses is to come again, when D1 has been brought up to date.
  return { code: isSchemaFault(fault) ? "not_ready" : "internal_error" };
}
