/** What a git server's answer that is not git's says: whether it passes by itself, and when to ask again. Pure. */

/** `limited`: too many requests, for now. `passing`: a fault that goes away by itself. `lasting`: asking again changes nothing. */
export type GitFailure = "limited" | "passing" | "lasting";

/** Request Timeout, Misdirected Request, Too Early. */
const PASSING_REFUSALS = [408, 421, 425];
/** Not Implemented, and HTTP Version Not Supported. */
const LASTING_FAULTS = [501, 505];

/** @param status of an answer that is no success and no redirect. */
export function gitFailure(status: number, headers: Headers): GitFailure {
  if (status === 429 || (status === 403 && saysLimit(headers))) return "limited";
  if (PASSING_REFUSALS.includes(status)) return "passing";
  return status >= 500 && !LASTING_FAULTS.includes(status) ? "passing" : "lasting";
}

/** GitHub answers 403 also where its limit is reached, and then tells when that is over. */
function saysLimit(headers: Headers): boolean {
  return headers.has("retry-after") || headers.get("x-ratelimit-remaining") === "0";
}

/**
 * @returns for how many seconds the server wants to be left alone, by `Retry-After` (seconds or a date) or else by the end of
 * GitHub's limit; null when it does not tell.
 */
export function retryAfterSeconds(headers: Headers, nowMs: number): number | null {
  const told = headers.get("retry-after")?.trim() ?? "";
  if (/^[0-9]{1,9}$/.test(told)) return Number(told);
  const date = told === "" ? Number.NaN : Date.parse(told);
  if (!Number.isNaN(date)) return secondsUntil(date, nowMs);
  const reset = headers.get("x-ratelimit-reset") ?? "";
  const isOver = headers.get("x-ratelimit-remaining") === "0" && /^[0-9]{1,12}$/.test(reset);
  return isOver ? secondsUntil(Number(reset) * 1_000, nowMs) : null;
}

function secondsUntil(atMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((atMs - nowMs) / 1_000));
}
