/**
 * Which failures of a call the platform calls passing, and how long to wait before the call is made again. Pure.
 * That an error is passing does not tell that nothing has been done: the call may have run and its answer been lost. So
 * only what may be done twice is asked again.
 */

/** `repeat`: it passes. `overloaded`: it passes, and asking again makes it worse. `final`: asking again changes nothing. */
export type Failure = "repeat" | "overloaded" | "final";

/** A call is made so often at most, the first time included. */
export const TRIES_AT_MOST = 3;
const FIRST_WAIT_MS = 100;

/** What the platform sets on an error that comes of a call to an object. */
interface MarkedError {
  /** A disconnect, or an object that could not be reached. */
  retryable?: unknown;
  overloaded?: unknown;
  /** The object was reset while it was asked, as at a deploy. Such an error has no `retryable`. */
  durableObjectReset?: unknown;
}

/** The object was reset because of what it was doing: the same call would have it reset again. */
const RESET_BY_ITS_WORK = /exceeded (its memory limit|its CPU|timeout)/;

/** @param error that a call to a Durable Object was answered with. */
export function objectFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return "final";
  const { retryable, overloaded, durableObjectReset } = error as Error & MarkedError;
  if (overloaded === true) return "overloaded";
  if (RESET_BY_ITS_WORK.test(error.message)) return "final";
  return retryable === true || durableObjectReset === true ? "repeat" : "final";
}

/** The errors for which D1's documentation recommends to repeat the query. */
const D1_PASSING = [
  "reset because its code was updated",
  "Internal error while starting up D1 DB storage caused object to be reset",
  "Network connection lost",
  "Internal error in D1 DB storage caused object to be reset",
  "Cannot resolve D1 DB due to transient issue on remote node",
  "Can't read from request stream because client disconnected",
];
const D1_OVERLOADED = "D1 DB is overloaded";

/** @param error that a query of D1 was answered with. */
export function d1Failure(error: unknown): Failure {
  const text = textOf(error);
  if (text.includes(D1_OVERLOADED)) return "overloaded";
  return D1_PASSING.some((passing) => text.includes(passing)) ? "repeat" : "final";
}

/** R2 ends its messages with a code: of an internal error, and of more writes to one key than it takes. */
const R2_PASSING = /\(10001\)$/;
const R2_OVERLOADED = /\(10058\)$/;

/** @param error that a call to R2 was answered with. */
export function r2Failure(error: unknown): Failure {
  const text = textOf(error);
  if (R2_OVERLOADED.test(text)) return "overloaded";
  return R2_PASSING.test(text) || text.includes("Network connection lost") ? "repeat" : "final";
}

/**
 * How long to wait before a call is made again: twice as long each time, and not all callers at once.
 * @param tries how often it has been made. @param random from 0 to just below 1. @returns milliseconds.
 */
export function waitBeforeNext(tries: number, random: number): number {
  return FIRST_WAIT_MS * 2 ** (tries - 1) * (0.5 + random / 2);
}

/** With its causes: a library may put an error of its own around the platform's. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message} ${textOf(error.cause)}`;
}
