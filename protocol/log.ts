/** One line of JSON per piece of work, with the same keys in all three programs. */
import { escapeUnseen } from "./unseen-characters.ts";

export interface LogFields {
  /** The piece of work, for instance `fire`, `run`, `owed_call`. */
  what: string;
  outcome?: string;
  ms?: number;
  run_id?: string;
  routine_id?: string;
  session_id?: string;
  request_id?: string;
  [key: string]: string | number | boolean | null | undefined;
}

/** Writes a line. Callers pass ids, codes and durations: never a token, and never text from outside. */
export function logLine(level: "info" | "warn" | "error", fields: LogFields): void {
  console[level](escapeUnseen(JSON.stringify({ at: new Date().toISOString(), level, ...fields })));
}

/** Enough to know the fault; what failed may have been about long texts. */
const ERROR_TEXT_LIMIT = 300;

/**
 * The text of something that was thrown. Of an error with a cause, the cause's: the text of a failed query holds all its
 * parameters, and those are people's texts.
 */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, ERROR_TEXT_LIMIT);
  if (error.cause instanceof Error) return errorText(error.cause);
  return `${error.name}: ${error.message}`.slice(0, ERROR_TEXT_LIMIT);
}
