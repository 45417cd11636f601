/**
 * The transactions of a routine's object: what is written together, what is kept of it in memory, and what follows once it
 * is stored. This stands at the bottom: whatever writes takes a `Tx`.
 */
import { logTrouble } from "#protocol/log.ts";
import type { Database } from "./database.ts";

/**
 * An open transaction, and the only way to write: who takes one is called inside a transaction, as the compiler sees.
 * Used after its transaction has ended, it throws.
 */
export class Tx {
  readonly #database: Database;
  readonly #sql: SqlStorage;
  readonly #nowMs: number;
  readonly #state: { isOver: boolean };

  constructor(database: Database, sql: SqlStorage, nowMs: number, state: { isOver: boolean }) {
    this.#database = database;
    this.#sql = sql;
    this.#nowMs = nowMs;
    this.#state = state;
  }

  /** The one moment of all that is written together, in Unix milliseconds. */
  get nowMs(): number {
    this.requireOpen();
    return this.#nowMs;
  }

  /** For writes as text. */
  get sql(): SqlStorage {
    this.requireOpen();
    return this.#sql;
  }

  /** For writes by Drizzle. */
  get database(): Database {
    this.requireOpen();
    return this.#database;
  }

  /** @throws Error when the transaction has ended. */
  requireOpen(): void {
    if (this.#state.isOver) throw new Error("the transaction has ended");
  }
}

/** Something kept in memory as it was last read or written. What is read of it is never changed in place. */
export interface Remembered<Value> {
  get(): Value;
  /** In the transaction that writes it. */
  set(tx: Tx, value: Value): void;
  /** `get` looks again. */
  forget(): void;
}

/** The same by key. Nothing is kept of a key that is not there. */
export interface RememberedEach<Value> {
  get(key: string): Value | null;
  set(tx: Tx, key: string, value: Value): void;
  forget(key: string): void;
}

/** What one transaction collects before it is written; the next one begins with nothing. */
export interface Draft<Value> {
  of(tx: Tx): Value;
  /** Null while nothing has been gathered. */
  peek(): Value | null;
}

export class Work {
  readonly #storage: DurableObjectStorage;
  readonly #database: Database;
  readonly #forgets: (() => void)[] = [];
  readonly #drops: (() => void)[] = [];
  readonly #lasts: ((tx: Tx) => void)[] = [];
  #follow: () => void = () => {};
  /** What the open transaction has to be followed by; null while none is open. */
  #afterwards: Map<string, () => void> | null = null;
  #hasEmptied = false;

  constructor(storage: DurableObjectStorage, database: Database) {
    this.#storage = storage;
    this.#database = database;
  }

  /**
   * Everything in one transaction: all of it is written or nothing, and nothing in it may wait, as the type says. What has
   * to follow comes after it, and changes nothing of what is written.
   */
  change<Value>(work: (tx: Tx) => Value extends PromiseLike<unknown> ? never : Value): Value {
    if (this.#afterwards !== null) throw new Error("a transaction is open already");
    const afterwards = new Map<string, () => void>();
    this.#afterwards = afterwards;
    const value = this.#inTransaction(work);
    for (const [key, say] of afterwards) quietly(key, say);
    quietly("follow", this.#follow);
    return value;
  }

  /** Said once the transaction has gone through, once per key; not at all when it has not. One that throws stops no other. */
  afterwards(tx: Tx, key: string, say: () => void): void {
    tx.requireOpen();
    if (this.#afterwards?.has(key) === false) this.#afterwards.set(key, say);
  }

  /** The last writes of every transaction. */
  last(write: (tx: Tx) => void): void {
    this.#lasts.push(write);
  }

  /** What follows every transaction: what is owed goes out, and the alarm is armed. */
  followedBy(follow: () => void): void {
    this.#follow = follow;
  }

  /** @param forget called when what is kept of the tables in memory may be wrong: a transaction was rolled back, or has emptied them. */
  whenForgotten(forget: () => void): void {
    this.#forgets.push(forget);
  }

  /** @param load reads it from the tables. It is read again after a transaction that was rolled back. */
  remember<Value>(load: () => Value): Remembered<Value> {
    let kept: { value: Value } | null = null;
    const forget = () => {
      kept = null;
    };
    this.#forgets.push(forget);
    return {
      get: () => {
        kept ??= { value: load() };
        return kept.value;
      },
      set: (tx, value) => {
        tx.requireOpen();
        kept = { value };
      },
      forget,
    };
  }

  /** @param load null where there is nothing of the key. @param limit how many are kept at most. */
  rememberEach<Value>(load: (key: string) => Value | null, limit: number): RememberedEach<Value> {
    const kept = new Map<string, Value>();
    const keep = (key: string, value: Value) => {
      if (kept.size >= limit && !kept.has(key)) kept.clear();
      kept.set(key, value);
    };
    this.#forgets.push(() => kept.clear());
    return {
      get: (key) => {
        const known = kept.get(key);
        if (known !== undefined) return known;
        const value = load(key);
        if (value !== null) keep(key, value);
        return value;
      },
      set: (tx, key, value) => {
        tx.requireOpen();
        keep(key, value);
      },
      forget: (key) => void kept.delete(key),
    };
  }

  /** @param begin what a transaction begins with. */
  draft<Value>(begin: () => Value): Draft<Value> {
    let draft: Value | null = null;
    this.#drops.push(() => {
      draft = null;
    });
    return {
      of: (tx) => {
        tx.requireOpen();
        draft ??= begin();
        return draft;
      },
      peek: () => draft,
    };
  }

  /** The tables are emptied: whatever is kept of them is wrong. */
  forgetAll(tx: Tx): void {
    tx.requireOpen();
    this.#hasEmptied = true;
  }

  #inTransaction<Value>(work: (tx: Tx) => Value): Value {
    const state = { isOver: false };
    const tx = new Tx(this.#database, this.#storage.sql, Date.now(), state);
    let isKept = false;
    try {
      const value = this.#storage.transactionSync(() => {
        const made = work(tx);
        for (const write of this.#lasts) write(tx);
        return made;
      });
      isKept = !this.#hasEmptied;
      return value;
    } finally {
      state.isOver = true;
      this.#afterwards = null;
      this.#hasEmptied = false;
      for (const drop of this.#drops) drop();
      if (!isKept) for (const forget of this.#forgets) forget();
    }
  }
}

function quietly(key: string, say: () => void): void {
  try {
    say();
  } catch (error) {
    logTrouble("follow_up_failed", { key }, error);
  }
}
