/** Which GitHub repository each of the routine's addresses stands for, once something has come from it. */

import type { Remembered, Tx, Work } from "../work.ts";

/** What GitHub has told of a name, in lower case. */
export interface RepositoryLesson {
  name: string;
  /** In lower case; null where it was not told. */
  host: string | null;
  /** 0 where it is only known that it is not the one that has the name now. */
  id: number;
  /** Until when the repository had the name, or since when, in Unix milliseconds. */
  at: number;
  /** `had`: until then. `came`: it got the name then. */
  kind: "had" | "came";
}

interface KnownId {
  id: number;
  isNewcomer: boolean;
}

export class RepositoryIds {
  readonly #sql: SqlStorage;
  readonly #known: Remembered<ReadonlyMap<string, KnownId>>;

  constructor(sql: SqlStorage, work: Work) {
    this.#sql = sql;
    this.#known = work.remember(() => this.#read());
  }

  /** By place. */
  all(): ReadonlyMap<string, number> {
    return new Map([...this.#known.get()].map(([place, { id }]) => [place, id]));
  }

  /** Keeps the first id that a place stands for. @param place from `placeKey`. @returns whether it was learned now. */
  keep(tx: Tx, place: string, id: number): boolean {
    if (this.#known.get().has(place)) return false;
    this.#write(tx, place, { id, isNewcomer: false });
    return true;
  }

  /**
   * Learns who had the place's name while the routine named it. That is who the routine means, also where another
   * that came to the name later was heard first.
   * @param namedSince Unix milliseconds. @returns whether anything was learned.
   */
  learn(tx: Tx, place: string, { id, at, kind }: RepositoryLesson, namedSince: number): boolean {
    const known = this.#known.get().get(place);
    const isFree = known === undefined || (known.isNewcomer && kind === "had");
    if (!isFree || at < namedSince || (id === 0 && known !== undefined)) return false;
    this.#write(tx, place, { id, isNewcomer: kind === "came" || id === 0 });
    return true;
  }

  /** Places that the routine has no more are forgotten: one that comes back may mean another repository. */
  retain(tx: Tx, places: readonly string[]): void {
    for (const place of this.#known.get().keys()) {
      if (!places.includes(place)) tx.sql.exec("DELETE FROM repository_ids WHERE full_name = ?", place);
    }
    this.#known.forget();
  }

  #read(): ReadonlyMap<string, KnownId> {
    return new Map(
      this.#sql
        .exec<{ place: string; id: number; is_newcomer: number }>(READ)
        .toArray()
        .map(({ place, id, is_newcomer }) => [place, { id, isNewcomer: is_newcomer === 1 }]),
    );
  }

  #write(tx: Tx, place: string, known: KnownId): void {
    const all = new Map(this.#known.get()).set(place, known);
    tx.sql.exec(WRITE, place, known.id, known.isNewcomer ? 1 : 0);
    this.#known.set(tx, all);
  }
}

const READ = "SELECT full_name AS place, repository_id AS id, is_newcomer FROM repository_ids";
const WRITE = "INSERT OR REPLACE INTO repository_ids (full_name, repository_id, is_newcomer) VALUES (?, ?, ?)";
