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
  console[level](escapeUnseen(wellFormedJson(JSON.stringify({ at: new Date().toISOString(), level, ...fields }))));
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
