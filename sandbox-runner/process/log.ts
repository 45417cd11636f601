/** One JSON line of log per piece of work, scrubbed, with the keys `at`, `level` and `what` as the worker has them. */
import { escapeUnseen } from "#protocol/unseen-characters.ts";
import { wellFormedJson } from "#protocol/well-formed.ts";
import type { Redactor } from "#rules/secrets/redactor.ts";

type Facts = Record<string, string | number | boolean | null | undefined>;
export type Log = (what: string, facts?: Facts, level?: "info" | "warn") => void;

/** @param write takes one line, without its end. */
export function createLog(redactor: Redactor, write: (line: string) => void, now: () => number = Date.now): Log {
  return (what, facts = {}, level = "info") => {
    write(
      escapeUnseen(
        wellFormedJson(JSON.stringify(redactor.value({ at: new Date(now()).toISOString(), level, what, ...facts }))),
      ),
    );
  };
}
