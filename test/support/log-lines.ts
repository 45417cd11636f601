/** What the worker and its objects write into the log, for tests in workerd. */
import { vi } from "vitest";
import { writeWaitingLines } from "#protocol/log.ts";
import { LOG_EVENTS, type LogEvent, type LogFields } from "#protocol/log-events.ts";
import { TROUBLES, type TroubleCode, type TroubleFields } from "#protocol/troubles.ts";

import { noteSaid } from "./canaries.ts";

interface Line extends Record<string, unknown> {
  at: string;
  level: string;
  what: string;
}

export interface Log {
  /** All of it as text. */
  text(): string;
  /** Every line, checked against the tables: a field that they do not name is a fault. */
  lines(): Line[];
  of<What extends LogEvent>(what: What): LogFields<What>[];
  troubles<Code extends TroubleCode>(code: Code): TroubleFields<Code>[];
}

/** Listens from here on, until the mocks are restored. */
export function listen(): Log {
  // What was told before.
  writeWaitingLines();
  const written: string[] = [];
  for (const level of ["debug", "log", "info", "warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((...words) => {
      const line = words.map(String).join(" ");
      noteSaid("the log", line);
      written.push(line);
    });
  }
  const text = () => {
    writeWaitingLines();
    return written.join("\n");
  };
  const lines = () =>
    text()
      .split("\n")
      .filter((line) => line !== "")
      .map((line): Line => JSON.parse(line));
  return {
    text,
    lines: () => {
      for (const line of lines()) fieldsOf(line);
      return lines();
    },
    of: (what) => lines().flatMap((line) => (line.what === what ? [fieldsOf(line) as never] : [])),
    troubles: (code) => lines().flatMap((line) => (line["code"] === code ? [fieldsOf(line) as never] : [])),
  };
}

/** @throws ZodError for a line that is not as the tables say. */
function fieldsOf({ at, level, what, ...fields }: Line): unknown {
  if (Number.isNaN(Date.parse(at))) throw new Error(`no time: ${at}`);
  if (what !== "trouble") {
    if (level !== "info") throw new Error(`${what} has the level ${level}`);
    return LOG_EVENTS[what as LogEvent].parse(fields);
  }
  const { code, reason, means, ...carried } = fields;
  const row = TROUBLES[code as TroubleCode];
  if (level !== row.level || means !== row.means || typeof reason !== "string") throw new Error(`not a ${code}`);
  return row.carries.parse(carried);
}
