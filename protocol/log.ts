/** The log of the worker and its objects: one line of JSON per event, as `log-events.ts` and `troubles.ts` list them. */
import { z } from "zod";
import type { LogEvent, LogFields } from "./log-events.ts";
import { TROUBLES, type TroubleCode, type TroubleFields } from "./troubles.ts";
import { escapeUnseen } from "./unseen-characters.ts";
import { wellFormedJson } from "./well-formed.ts";

/** What has happened. Inside a transaction it is said by `afterwards`: what is rolled back has not happened. */
export function logEvent<What extends LogEvent>(what: What, fields: LogFields<What>): void {
  write("info", { what, ...fields });
}

/** @param fault what was thrown, or words of our own: never text from outside. */
export function logTrouble<Code extends TroubleCode>(code: Code, fields: TroubleFields<Code>, fault: unknown): void {
  const { level, means } = TROUBLES[code];
  write(level, { what: "trouble", code, ...fields, reason: errorText(fault), means });
}

function write(level: "info" | "warn" | "error", fields: object): void {
  writeWaitingLines();
  console[level](lineOf(level, fields));
}

function lineOf(level: "info" | "warn" | "error", fields: object): string {
  return escapeUnseen(wellFormedJson(JSON.stringify({ at: new Date().toISOString(), level, ...fields })));
}

/** So long lines wait for others, in milliseconds; 0 where each is written by itself. */
let gatherMs = 0;
/** So many are written at once at most. */
const MOST_WAITING = 64;
const waiting: string[] = [];
/** When the first of them began to wait, in Unix milliseconds. */
let waitingSince = 0;

/**
 * From now on lines of `logSoon` wait for others for so long, and are written together. For an instance on one machine, where a
 * write is taken on by two programs more, and lines that are written together spare a fire a twelfth of its time. A log that
 * keeps each write as an entry, as Workers Logs does, has to get each line by itself.
 */
export function gatherLines(ms: number): void {
  gatherMs = ms;
}

/**
 * As `logEvent`, for lines of which there are many at a time, in an object: a timer of the request that a worker answers ends with
 * it. What is said by `logEvent` or `logTrouble` meanwhile comes after what waits.
 */
export function logSoon<What extends LogEvent>(what: What, fields: LogFields<What>): void {
  const nowMs = Date.now();
  waiting.push(lineOf("info", { what, ...fields }));
  if (waiting.length === 1) {
    waitingSince = nowMs;
    if (gatherMs > 0) setTimeout(writeWaitingLines, gatherMs);
  }
  // The object that was to write them may be gone, and its timer with it.
  const isOver = Math.abs(nowMs - waitingSince) > 2 * gatherMs;
  if (gatherMs === 0 || isOver || waiting.length >= MOST_WAITING) writeWaitingLines();
}

/** Writes what waits now, for a moment at which nothing may: the timer that was to write it ends with the object that set it. */
export function writeWaitingLines(): void {
  if (waiting.length === 0) return;
  console.info(waiting.join("\n"));
  waiting.length = 0;
}

/** Enough to know the fault; what failed may have been about long texts. */
const ERROR_TEXT_LIMIT = 300;

/**
 * The text of something that was thrown, without what it was about: the text of a failed query holds all its parameters, so
 * that of its cause is taken, and that of a failed `JSON.parse` quotes what was parsed, so only its name is.
 */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, ERROR_TEXT_LIMIT);
  if (error.cause instanceof Error) return errorText(error.cause);
  if (error instanceof SyntaxError) return error.name;
  // It names keys of what did not fit, which may be anybody's.
  if (error instanceof z.ZodError) return `${error.name}: ${error.issues.map(({ code }) => code).join(", ")}`;
  return `${error.name}: ${error.message}`.slice(0, ERROR_TEXT_LIMIT);
}
