/**
 * Calls that the object owes to others: a row for each, until it has gone through. A row's `due_at` is when it is taken up
 * at the latest: a call that is under way is not made again before, and one that failed waits until then, longer each time.
 *
 * Nearly every call is claimed as it becomes owed, and goes through: its row is written and struck off again. So only rows that
 * wait for their time are in the index by time. Which rows are claimed is kept in memory, since no claim outlives the object's
 * stay there: they are found without looking through all that waits beside them.
 */
import { CALL_DEADLINE_MS } from "#instance/in-time.ts";
import type { Draft, Remembered, Tx, Work } from "../work.ts";

/** All kinds of calls that can be owed; `assemble.ts` names the receiver of each. */
const OWED_KINDS = [
  "read_environment",
  "ask_pool",
  "release_lease",
  "project_routine",
  "forget_routine",
  "project_run",
  "tell_run_ended",
  "tell_health",
  "project_dead_letters",
  "notify",
  "project_notifications",
  "enter_roster",
  "leave_roster",
  "move_conversation",
  "tidy_conversation",
  "tidy_artifacts",
  "move_transcript",
  "tidy_transcript",
  "forget_run",
  "tell_slack",
  "report_spending",
  "look_at_watch",
  "ask_gate",
] as const;
export type OwedKind = (typeof OWED_KINDS)[number];

/** A call that is owed, and claimed: nobody else makes it, nor does the alarm come for it, before it is due. */
export interface Owed {
  kind: OwedKind;
  ref: string;
  /** How often it has been tried in vain. */
  tries: number;
  /** Another number for a call that is owed anew while one like it is under way. */
  stamp: number;
  /** Unix milliseconds. */
  due_at: number;
}

/** The longest that a call waits for others, and a second until its own deadline has been noticed. */
const SLACK_MS = 3_000;
/** A claim lasts until the call must have ended. */
const CLAIM_MS = CALL_DEADLINE_MS + SLACK_MS;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

type Row = Owed & Record<string, SqlStorageValue>;

export class Outbox {
  readonly #sql: SqlStorage;
  readonly #work: Work;
  /** The calls that the open transaction has owed so far. */
  readonly #fresh: Draft<Map<string, Owed>>;
  /** When the earliest call is due that waits. */
  readonly #earliest: Remembered<number | null>;
  /** All calls that are claimed, by `keyOf`, as stored; a call that is not claimed any more may be among them until its time is over. */
  readonly #claims = new Map<string, Owed>();
  /** What the open transaction changes of them: null for a claim that it ends. */
  readonly #claimChanges: Draft<Map<string, Owed | null>>;
  /** Not later than when the first claim ends. */
  #claimEnds: number | null = null;
  #take: (owed: readonly Owed[], quietMs: number) => void = () => {};
  /** So long what becomes owed now may wait before it sets out. */
  #quietMs = 0;

  constructor(sql: SqlStorage, work: Work) {
    this.#sql = sql;
    this.#work = work;
    this.#fresh = work.draft(() => new Map());
    this.#claimChanges = work.draft(() => new Map());
    this.#earliest = work.remember(() => (this.isEmpty() ? null : sql.exec<{ at: number | null }>(EARLIEST).one().at));
  }

  /** @param take is given what has become owed, once the transaction has gone through, and how long that may wait: it is claimed already. */
  onOwed(take: (owed: readonly Owed[], quietMs: number) => void): void {
    this.#take = take;
  }

  /**
   * What becomes owed in a piece of work may wait for so long before it sets out, and stays claimed for as much longer. An object that
   * is opened anew meanwhile makes the calls at once.
   */
  unhurried<Value>(quietMs: number, work: () => Value extends PromiseLike<unknown> ? never : Value): Value {
    this.#quietMs = quietMs;
    try {
      return work();
    } finally {
      this.#quietMs = 0;
    }
  }

  /** Owes a call, which sets out at once. Owing it again while it is under way makes it go out once more. */
  owe(tx: Tx, kind: OwedKind, ref: string): void {
    const quietMs = this.#quietMs;
    const due_at = tx.nowMs + CLAIM_MS + quietMs;
    // Nearly always it is a new row, of which nothing has to be asked back: an answer costs more than the row.
    const isNew = tx.sql.exec(OWE, kind, ref, due_at).rowsWritten > 0;
    const stamp = isNew ? 1 : tx.sql.exec<{ stamp: number }>(OWE_ANEW, due_at, kind, ref).one().stamp;
    // The one that it was may have waited.
    if (!isNew) this.#earliest.forget();
    const owed = { kind, ref, tries: 0, stamp, due_at };
    this.#claimed(tx, [owed]);
    const fresh = this.#fresh.of(tx);
    fresh.set(keyOf(owed), owed);
    this.#work.afterwards(tx, "owed", () => this.#take([...fresh.values()], quietMs));
  }

  /** Owes the lists all runs that there are, due at once. @returns how many. */
  oweRuns(tx: Tx): number {
    tx.sql.exec(OWE_RUNS, tx.nowMs);
    this.#earliest.forget();
    return this.#sql.exec<{ count: number }>("SELECT COUNT(*) AS count FROM runs").one().count;
  }

  /** Whether a call has not gone through yet. */
  has(kind: OwedKind, ref: string): boolean {
    return this.#sql.exec("SELECT 1 FROM outbox WHERE kind = ? AND ref = ?", kind, ref).toArray().length > 0;
  }

  /** Whether any call in the name of this is owed. */
  hasAny(ref: string): boolean {
    return this.#sql.exec(ANY_OF, ref).toArray().length > 0;
  }

  /** How many calls of a kind are owed. */
  count(kind: OwedKind): number {
    return this.#sql.exec<{ count: number }>("SELECT COUNT(*) AS count FROM outbox WHERE kind = ?", kind).one().count;
  }

  isEmpty(): boolean {
    return this.#sql.exec("SELECT 1 FROM outbox LIMIT 1").toArray().length === 0;
  }

  /** The kinds of which something is due now. Nearly always there is none: what was owed has gone through before. */
  due(): Set<OwedKind> {
    this.#endClaims();
    const due = this.#sql.exec<{ kind: OwedKind }>(DUE_KINDS, Date.now()).toArray();
    return new Set(due.map(({ kind }) => kind));
  }

  /** Takes up what is due of these kinds, the oldest debt first, at most so much. */
  claim(kinds: readonly OwedKind[], limit: number): Owed[] {
    const claimed = this.#work.change((tx) => {
      const endsAt = tx.nowMs + CLAIM_MS;
      const rows = tx.sql.exec<Row>(CLAIM, endsAt, JSON.stringify(kinds), tx.nowMs, limit).toArray();
      this.#claimed(tx, rows);
      this.#earliest.forget();
      return rows;
    });
    return claimed.sort((one, other) => keyOf(one).localeCompare(keyOf(other)));
  }

  /** A claim that has waited for its turn is made to last as long as its call. @returns those that are still owed so. */
  renew(owed: readonly Owed[]): Owed[] {
    return this.#work.change((tx) => {
      const endsAt = tx.nowMs + CLAIM_MS;
      const renewed = tx.sql.exec<Row>(RENEW, endsAt, named(owed)).toArray();
      this.#claimed(tx, renewed);
      return renewed;
    });
  }

  /** Strikes off calls that went through, but for those that have been owed anew meanwhile. */
  settle(tx: Tx, owed: readonly Owed[]): void {
    if (owed.length === 0) return;
    tx.sql.exec(SETTLE, named(owed));
    this.#unclaimed(tx, owed);
  }

  /** Calls that failed wait, longer each time. */
  postpone(tx: Tx, owed: readonly Owed[]): void {
    if (owed.length === 0) return;
    tx.sql.exec(POSTPONE, tx.nowMs, named(owed));
    this.#unclaimed(tx, owed);
    this.#earliest.forget();
  }

  /** Calls that have not been tried wait for a moment. */
  release(tx: Tx, owed: readonly Owed[]): void {
    if (owed.length === 0) return;
    tx.sql.exec(RELEASE, tx.nowMs + FIRST_RETRY_MS, named(owed));
    this.#unclaimed(tx, owed);
    this.#earliest.forget();
  }

  /** The object is opened: nobody makes the calls any more that were claimed before. */
  giveBack(tx: Tx): void {
    if (this.isEmpty()) return;
    tx.sql.exec(GIVE_BACK, tx.nowMs);
    this.#earliest.forget();
  }

  /** A moment at which nothing has been overlooked, if the object looks again; null when nothing is owed. */
  earliest(): number | null {
    const moments = [this.#earliest.get(), this.#claimEnds].filter((moment) => moment !== null);
    return moments.length === 0 ? null : Math.min(...moments);
  }

  #claimed(tx: Tx, rows: readonly Owed[]): void {
    const changes = this.#changesOf(tx);
    for (const row of rows) changes.set(keyOf(row), row);
  }

  /** One that has been owed anew meanwhile is claimed still. */
  #unclaimed(tx: Tx, rows: readonly Owed[]): void {
    const changes = this.#changesOf(tx);
    for (const row of rows) {
      const key = keyOf(row);
      const claim = changes.get(key) ?? this.#claims.get(key);
      if (claim?.stamp === row.stamp) changes.set(key, null);
    }
  }

  /** They hold once the transaction has gone through. */
  #changesOf(tx: Tx): Map<string, Owed | null> {
    const changes = this.#claimChanges.of(tx);
    this.#work.afterwards(tx, "claims", () => {
      for (const [key, claim] of changes) {
        if (claim === null) this.#claims.delete(key);
        else this.#claims.set(key, claim);
        if (claim !== null) this.#claimEnds = Math.min(this.#claimEnds ?? claim.due_at, claim.due_at);
      }
      if (this.#claims.size === 0) this.#claimEnds = null;
    });
    return changes;
  }

  /** A claim whose time is over holds nothing any more: whoever had it has not said what became of its call. */
  #endClaims(): void {
    const nowMs = Date.now();
    if (this.#claimEnds === null || this.#claimEnds > nowMs) return;
    const over = [...this.#claims.values()].filter(({ due_at }) => due_at <= nowMs);
    if (over.length === 0) {
      this.#findFirstEnd();
      return;
    }
    this.#work.change((tx) => {
      tx.sql.exec(END_CLAIMS, named(over));
      this.#unclaimed(tx, over);
      this.#earliest.forget();
      this.#work.afterwards(tx, "claim ends", () => this.#findFirstEnd());
    });
  }

  #findFirstEnd(): void {
    this.#claimEnds = null;
    for (const { due_at } of this.#claims.values()) this.#claimEnds = Math.min(this.#claimEnds ?? due_at, due_at);
  }
}

export function keyOf({ kind, ref }: Pick<Owed, "kind" | "ref">): string {
  return `${kind} ${ref}`;
}

const COLUMNS = "kind, ref, tries, stamp, due_at";
/** As in the condition of the index `outbox_waiting`. */
const IS_WAITING = "is_claimed = 0";
const OWE = `INSERT INTO outbox (kind, ref, due_at, stamp, is_claimed) VALUES (?, ?, ?, 1, 1) ON CONFLICT DO NOTHING`;
const OWE_ANEW = `UPDATE outbox SET due_at = ?, stamp = stamp + 1, tries = 0, is_claimed = 1 WHERE kind = ? AND ref = ?
  RETURNING stamp`;
const OWE_RUNS = `INSERT INTO outbox (kind, ref, due_at, stamp) SELECT 'project_run', id, ?, 1 FROM runs WHERE true
  ON CONFLICT (kind, ref) DO UPDATE SET due_at = excluded.due_at, stamp = stamp + 1, tries = 0, is_claimed = 0`;
const CLAIM = `UPDATE outbox SET due_at = ?, is_claimed = 1 WHERE (kind, ref) IN (
  SELECT kind, ref FROM outbox WHERE ${IS_WAITING} AND kind IN (SELECT value FROM json_each(?)) AND due_at <= ?
  ORDER BY due_at, kind, ref LIMIT ?) RETURNING ${COLUMNS}`;
const ALL_KINDS = `json_each('${JSON.stringify(OWED_KINDS)}')`;
const ANY_OF = `SELECT 1 FROM ${ALL_KINDS} JOIN outbox ON kind = value AND ref = ? LIMIT 1`;
const DUE_KINDS = `SELECT value AS kind FROM ${ALL_KINDS}
  WHERE EXISTS (SELECT 1 FROM outbox WHERE ${IS_WAITING} AND kind = value AND due_at <= ?)`;
/** One seek for each kind. What this version does not know is left to the one that does. */
const EARLIEST = `SELECT MIN((SELECT MIN(due_at) FROM outbox WHERE ${IS_WAITING} AND kind = value)) AS at
  FROM ${ALL_KINDS}`;

/** Rows by what they are and how they were when they were read, as one text. */
const IS_NAMED = `(kind, ref, stamp) IN (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?))`;
const END_CLAIMS = `UPDATE outbox SET is_claimed = 0 WHERE is_claimed = 1 AND ${IS_NAMED}`;
const RENEW = `UPDATE outbox SET due_at = ?, is_claimed = 1 WHERE ${IS_NAMED} RETURNING ${COLUMNS}`;
const SETTLE = `DELETE FROM outbox WHERE ${IS_NAMED}`;
const POSTPONE = `UPDATE outbox SET tries = tries + 1, is_claimed = 0,
  due_at = ? + MIN(${LONGEST_RETRY_MS}, ${FIRST_RETRY_MS} * (1 << MIN(tries, 16))) WHERE ${IS_NAMED}`;
const RELEASE = `UPDATE outbox SET due_at = ?, is_claimed = 0 WHERE ${IS_NAMED}`;
/** What has failed before waits on. */
const GIVE_BACK = `UPDATE outbox SET is_claimed = 0, due_at = iif(tries = 0, min(due_at, ?1), due_at)
  WHERE is_claimed = 1 OR (tries = 0 AND due_at > ?1)`;

function named(owed: readonly Owed[]): string {
  return JSON.stringify(owed.map(({ kind, ref, stamp }) => [kind, ref, stamp]));
}
