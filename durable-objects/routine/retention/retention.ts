/**
 * Once a day the object goes through what it has, a bounded slice at a time, and takes out what is too old or too much.
 * How far it has come is a row, so that an eviction costs no more than the slice that it interrupts.
 */
import type { Keep } from "#instance/keep-variables.ts";
import { timeOf } from "#protocol/ids.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Remembered, Tx, Work } from "../work.ts";
import type { OldRecords } from "./old-records.ts";
import type { OldRuns } from "./old-runs.ts";
import type { OldSessions } from "./old-sessions.ts";
import type { Slice } from "./slice.ts";

interface Parts {
  sql: SqlStorage;
  work: Work;
  outbox: Outbox;
  definitions: DefinitionStore;
  keep: Keep;
  oldRuns: OldRuns;
  oldSessions: OldSessions;
  oldRecords: OldRecords;
}

/** In this order: a session goes when its runs but the last have gone. */
const STAGES = ["runs", "sessions", "occurrences", "rest"] as const;
type Stage = (typeof STAGES)[number];

interface Progress {
  stage: Stage;
  cursor: string;
  due_at: number;
}

const DAY_MS = 24 * 3_600_000;
/** While D1 has not been told of so many runs that are gone, no more go. */
const OWED_AT_MOST = 500;
const WAIT_MS = 60_000;

export class Retention {
  readonly #parts: Parts;
  readonly #due: Remembered<number | null>;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#due = parts.work.remember(() => this.#readDue());
  }

  /** When it looks next, in Unix milliseconds; null where there is nothing to look at. */
  next(): number | null {
    if (this.#parts.definitions.living() === null) return null;
    // What has come since may grow old.
    if (this.#due.get() === null) this.#due.forget();
    return this.#due.get();
  }

  /** Looks at one slice. What is left is for the next time. */
  look(nowMs: number): void {
    const { work, outbox } = this.#parts;
    work.change((tx) => {
      const at = this.#progress() ?? { stage: STAGES[0], cursor: "", due_at: 0 };
      if (outbox.count("forget_run") >= OWED_AT_MOST) {
        this.#save(tx, { ...at, due_at: nowMs + WAIT_MS });
        return;
      }
      const cursor = this.#sliceOf(at.stage).look(tx, at.cursor);
      if (cursor !== null) {
        this.#save(tx, { ...at, cursor, due_at: nowMs });
        return;
      }
      const next = STAGES[STAGES.indexOf(at.stage) + 1];
      this.#save(tx, { stage: next ?? STAGES[0], cursor: "", due_at: next === undefined ? nowMs + DAY_MS : nowMs });
    });
    this.#due.forget();
  }

  #sliceOf(stage: Stage): Slice {
    const { oldRuns, oldSessions, oldRecords } = this.#parts;
    switch (stage) {
      case "runs":
        return oldRuns;
      case "sessions":
        return oldSessions;
      case "occurrences":
        return oldRecords.occurrences;
      case "rest":
        return oldRecords.rest;
    }
  }

  #progress(): Progress | null {
    const [row] = this.#parts.sql.exec<Progress & Record<string, SqlStorageValue>>(READ).toArray();
    // Where another version has stood, it begins anew.
    return row === undefined || STAGES.includes(row.stage) ? (row ?? null) : { ...row, stage: STAGES[0], cursor: "" };
  }

  #save(tx: Tx, { stage, cursor, due_at }: Progress): void {
    tx.sql.exec(SAVE, stage, cursor, due_at);
  }

  /** Before it has ever looked: when the first thing is old enough for anything to be done about it. */
  #readDue(): number | null {
    const progress = this.#progress();
    if (progress !== null) return progress.due_at;
    const { sql, keep } = this.#parts;
    const { id } = sql.exec<{ id: string | null }>(FIRST).one();
    return id === null ? null : timeOf(id) + Math.min(keep.forMs, keep.transcriptsHereForMs);
  }
}

const READ = "SELECT stage, cursor, due_at FROM retention WHERE id = 1";
const SAVE = "INSERT OR REPLACE INTO retention (id, stage, cursor, due_at) VALUES (1, ?, ?, ?)";
/** Every run has an occurrence of about the same time, which may be all that there is. */
const FIRST = "SELECT COALESCE((SELECT MIN(id) FROM occurrences), (SELECT MIN(id) FROM sessions)) AS id";
