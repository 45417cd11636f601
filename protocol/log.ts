/** One line of JSON per piece of work, with the same keys in all three programs. */

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
  console[level](JSON.stringify({ at: new Date().toISOString(), level, ...fields }));
}

/** The text of something that was thrown. */
export function errorText(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
