/** Runs that ended long ago, and those that are too many. The last one of a session goes with the session. */
import type { Keep } from "#instance/keep-variables.ts";
import { firstIdAt } from "#protocol/ids.ts";
import { isSettled } from "#protocol/run.ts";
import type { RunRecord } from "#rules/run/record.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { RunStore } from "../runs/run-store.ts";
import type { Tx, Work } from "../work.ts";
import { forgetRun } from "./forget.ts";
import { beyondNumber, NEVER_YOUNGER_MS, pastUnreadable, type Slice } from "./slice.ts";

interface Parts {
  sql: SqlStorage;
  work: Work;
  runs: RunStore;
  outbox: Outbox;
  keep: Keep;
}

/** How many runs are looked at in one slice. */
const AT_ONCE = 100;

export class OldRuns implements Slice {
  readonly #parts: Parts;
  /** Undefined until it has been looked for. */
  #beyond: string | null | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  look(tx: Tx, cursor: string): string | null {
    const { sql, work, runs, outbox, keep } = this.#parts;
    // Counted once for all slices of a day.
    if (cursor === "") this.#beyond = undefined;
    const beyond = this.#beyondNumber();
    const old = firstIdAt("run", tx.nowMs - keep.forMs);
    const until = beyond !== null && beyond >= old ? beyond : old;
    const ids = sql.exec<{ id: string }>(READ, cursor, until, AT_ONCE).toArray();
    for (const { id } of ids) {
      const isOver = pastUnreadable(tx, work, () => this.#isOver(id, tx.nowMs));
      if (isOver === true) forgetRun(tx, { runs, outbox }, id);
    }
    return ids.length < AT_ONCE ? null : (ids.at(-1)?.id ?? null);
  }

  /** Whether a run may go: it has ended long ago, or is one too many, and nobody is owed anything of it. */
  isOld({ id, doc }: { id: string; doc: RunRecord }, nowMs: number): boolean {
    if (!isSettled(doc)) return false;
    const endedMs = Date.parse(doc.timings.finished_at);
    const { keep, outbox } = this.#parts;
    const beyond = this.#beyondNumber();
    const isTooMany = beyond !== null && id <= beyond && endedMs <= nowMs - NEVER_YOUNGER_MS;
    return (isTooMany || endedMs <= nowMs - keep.forMs) && !outbox.hasAny(id);
  }

  /** Looked for again after an eviction, whatever stage that came in: the sessions' asks too. It takes as long as there are rows. */
  #beyondNumber(): string | null {
    const { sql, keep } = this.#parts;
    if (this.#beyond === undefined) this.#beyond = beyondNumber(sql, "runs", keep.runs);
    return this.#beyond;
  }

  #isOver(id: string, nowMs: number): boolean {
    const { runs } = this.#parts;
    const row = runs.get(id);
    return (
      row !== null &&
      this.isOld(row, nowMs) &&
      (!runs.sessions.has(row.sessionId) || runs.newest(row.sessionId)?.id !== id)
    );
  }
}

const READ = "SELECT id FROM runs WHERE id > ? AND id <= ? ORDER BY id LIMIT ?";
