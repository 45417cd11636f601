/** What a try at sending a notification has come to. It quotes neither secrets nor what was answered. */
import { retryAfterSeconds } from "#rules/calls/git-answers.ts";
import { NoAnswer } from "../in-time.ts";

/**
 * Null when it went through. `isUnsent`: what has failed is this instance's own, and tells nothing of the address. `afterMs`: how
 * long the receiver asks to be left alone.
 */
export type PostFailure = { error: string; isGone: boolean; isUnsent?: true; afterMs?: number } | null;

/** Of one try. */
export const POST_DEADLINE_MS = 10_000;
const GONE = 410;

export function failureOf({ status, headers }: Response, nowMs: number): PostFailure {
  if (status >= 200 && status < 300) return null;
  if (status >= 300 && status < 400) return { error: `Answered ${status}: redirects are not followed.`, isGone: false };
  const after = retryAfterSeconds(headers, nowMs);
  return {
    error: `Answered ${status}.`,
    isGone: status === GONE,
    ...(after === null ? {} : { afterMs: after * 1_000 }),
  };
}

export function unansweredFailure(error: unknown): PostFailure {
  const isLate = error instanceof NoAnswer || (error instanceof Error && error.name === "TimeoutError");
  return { error: isLate ? "No answer within 10 seconds." : "No connection, or it broke off.", isGone: false };
}
