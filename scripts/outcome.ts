/** How a step of a command ended: what it gives, or one line for the person at the terminal that says what to do. */
export type Outcome<Value> = { ok: true; value: Value } | { ok: false; message: string };

export function succeeded<Value>(value: Value): Outcome<Value> {
  return { ok: true, value };
}

export function failed(message: string): { ok: false; message: string } {
  return { ok: false, message };
}

/** The text of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's code of an error, for instance ENOENT; undefined when it has none. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
