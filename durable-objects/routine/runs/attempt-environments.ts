/** What attempts that are on got of their environments, in the object's SQLite; secrets are written as `{{NAME}}`. */
import { eq } from "drizzle-orm";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { KeptEnvironment } from "#rules/environment/kept-environment.ts";
import type { Database } from "../database.ts";
import { attemptEnvironments as table } from "../schema.ts";
import type { Tx } from "../work.ts";

export class AttemptEnvironments {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Null for an attempt that has ended, or that an earlier version began. */
  of({ run_id, generation }: LeaseRef): KeptEnvironment | null {
    const row = this.#database.select().from(table).where(eq(table.runId, run_id)).get();
    return row?.attempt === generation ? row.doc : null;
  }

  /** Which attempt of the run has got an environment last; null where none has. */
  attemptOf(runId: string): number | null {
    const { runId: key, attempt } = table;
    return this.#database.select({ attempt }).from(table).where(eq(key, runId)).get()?.attempt ?? null;
  }

  /** In place of what an earlier attempt of the run got. */
  keep(tx: Tx, { run_id: runId, generation: attempt }: LeaseRef, doc: KeptEnvironment): void {
    tx.sql.exec(KEEP, runId, attempt, JSON.stringify(doc));
  }

  /** The run has settled. */
  drop(tx: Tx, runId: string): void {
    tx.database.delete(table).where(eq(table.runId, runId)).run();
  }
}

const KEEP = `INSERT INTO attempt_environments (run_id, attempt, doc) VALUES (?, ?, ?)
  ON CONFLICT (run_id) DO UPDATE SET attempt = excluded.attempt, doc = excluded.doc`;
