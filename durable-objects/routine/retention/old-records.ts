/** Occurrences that came long ago, and what else is left of long ago. What a repeat is known by stays as long as repeats come. */
import type { Keep } from "#instance/keep-variables.ts";
import { firstIdAt } from "#protocol/ids.ts";
import { IDEMPOTENCY_WINDOW_MS } from "#protocol/occurrence.ts";
import { monthStartMs } from "#rules/run/budget.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Tx } from "../work.ts";
import { beyondNumber, NEVER_YOUNGER_MS, type Slice } from "./slice.ts";

interface Parts {
  sql: SqlStorage;
  outbox: Outbox;
  definitions: DefinitionStore;
  keep: Keep;
}

const OCCURRENCES_AT_ONCE = 500;
/** How many rows of each of the other tables go at once. */
const AT_ONCE = 200;

export class OldRecords {
  readonly #parts: Parts;
  /** Undefined until it has been looked for. */
  #beyond: string | null | undefined;
  readonly occurrences: Slice = { look: (tx, cursor) => this.#lookAtOccurrences(tx, cursor) };
  readonly rest: Slice = { look: (tx) => this.#lookAtRest(tx) };

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  #lookAtOccurrences(tx: Tx, cursor: string): string | null {
    const { sql, keep } = this.#parts;
    if (cursor === "" || this.#beyond === undefined) this.#beyond = beyondNumber(sql, "occurrences", keep.occurrences);
    const old = firstIdAt("occurrence", tx.nowMs - keep.forMs);
    const young = firstIdAt("occurrence", tx.nowMs - NEVER_YOUNGER_MS);
    // Ids sort by time.
    const [tooMany = ""] = [this.#beyond ?? "", young].sort();
    const until = [tooMany, old].sort().at(-1) ?? old;
    const ids = sql.exec<{ id: string }>(READ, cursor, until, OCCURRENCES_AT_ONCE).toArray();
    const last = ids.at(-1)?.id;
    if (last !== undefined) tx.sql.exec(FORGET, cursor, last, tx.nowMs - IDEMPOTENCY_WINDOW_MS);
    return last === undefined || ids.length < OCCURRENCES_AT_ONCE ? null : last;
  }

  /** It comes again while one of the tables may have more. */
  #lookAtRest(tx: Tx): string | null {
    const { outbox, definitions, keep } = this.#parts;
    const { nowMs } = tx;
    const routineId = definitions.row()?.id;
    const gone = (statement: string, ...values: SqlStorageValue[]) =>
      tx.sql.exec(statement, ...values, AT_ONCE).toArray().length;
    const old = nowMs - keep.forMs;
    const letters = gone(LETTERS, firstIdAt("occurrence", old));
    const notifications = gone(NOTIFICATIONS, firstIdAt("notification", old));
    if (routineId !== undefined && letters > 0) outbox.owe(tx, "project_dead_letters", routineId);
    if (routineId !== undefined && notifications > 0) outbox.owe(tx, "project_notifications", routineId);
    const counts = [
      letters,
      notifications,
      gone(KEYS, nowMs - IDEMPOTENCY_WINDOW_MS),
      gone(DIFFS, old),
      gone(DEEDS, old),
      // A call whose cost nobody has told counts against the budgets of its month, and is told of in the next.
      gone(CALLS, Math.min(old, monthStartMs(monthStartMs(nowMs) - 1))),
      gone(TICKETS, nowMs),
      gone(ACCESSES, nowMs),
    ];
    if (counts.some((count) => count >= AT_ONCE)) return "again";
    // A part that was written to R2 when the object was ended before it could note it is nobody's.
    if (routineId !== undefined) outbox.owe(tx, "tidy_transcript", routineId);
    return null;
  }
}

const READ = "SELECT id FROM occurrences WHERE id > ? AND id <= ? ORDER BY id LIMIT ?";
/** Whatever a key stands for stays, and what a dead letter is made of. */
const FORGET = `DELETE FROM occurrences WHERE id > ? AND id <= ?
  AND id NOT IN (SELECT occurrence_id FROM idempotency_keys WHERE at > ?) AND id NOT IN (SELECT id FROM dead_letters)`;
const some = (table: string, key: string, where: string, columns = key) =>
  `DELETE FROM ${table} WHERE ${key} IN (SELECT ${columns} FROM ${table} WHERE ${where} LIMIT ?) RETURNING 1`;
const LETTERS = some("dead_letters", "id", "id < ?");
/** What is still to be sent is kept, however old. */
const NOTIFICATIONS = some("notifications", "id", "id < ? AND due_at IS NULL");
const KEYS = some("idempotency_keys", "key", "at <= ?");
const DIFFS = some("session_diffs", "session_id", "at <= ?");
const DEEDS = some("github_deeds", "id", "begun_at <= ? AND run_id NOT IN (SELECT id FROM runs)");
const CALLS = some(
  "open_model_calls",
  "(run_id, call)",
  "at < ? AND run_id NOT IN (SELECT id FROM runs)",
  "run_id, call",
);
const TICKETS = some("tickets", "hash", "expires_at <= ?");
const ACCESSES = some("revoked_accesses", "access", "until <= ?");
