/** Which GitHub repository each of the routine's addresses stands for, once something has come from it. */

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
  #known: Map<string, KnownId> | null = null;
  #isNew = false;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** By place. */
  all(): ReadonlyMap<string, number> {
    return new Map([...this.#all()].map(([place, { id }]) => [place, id]));
  }

  /** Keeps the first id that a place stands for. @param place from `placeKey`. */
  keep(place: string, id: number): void {
    if (!this.#all().has(place)) this.#write(place, { id, isNewcomer: false });
  }

  /**
   * Learns who had the place's name while the routine named it. That is who the routine means, also where another
   * that came to the name later was heard first.
   * @param namedSince Unix milliseconds.
   */
  learn(place: string, { id, at, kind }: RepositoryLesson, namedSince: number): void {
    const known = this.#all().get(place);
    const isFree = known === undefined || (known.isNewcomer && kind === "had");
    if (!isFree || at < namedSince || (id === 0 && known !== undefined)) return;
    this.#write(place, { id, isNewcomer: kind === "came" || id === 0 });
  }

  /** Places that the routine has no more are forgotten: one that comes back may mean another repository. */
  retain(places: readonly string[]): void {
    for (const place of this.#all().keys()) {
      if (!places.includes(place)) this.#sql.exec("DELETE FROM repository_ids WHERE full_name = ?", place);
    }
    this.#known = null;
  }

  /** Whether an id has been learned since the last call: what is matched by changes with it. */
  takeNew(): boolean {
    const isNew = this.#isNew;
    this.#isNew = false;
    return isNew;
  }

  /** After a transaction that was rolled back: what is kept of it is wrong. */
  forget(): void {
    this.#known = null;
    this.#isNew = false;
  }

  #all(): Map<string, KnownId> {
    this.#known ??= new Map(
      this.#sql
        .exec<{ place: string; id: number; is_newcomer: number }>(READ)
        .toArray()
        .map(({ place, id, is_newcomer }) => [place, { id, isNewcomer: is_newcomer === 1 }]),
    );
    return this.#known;
  }

  #write(place: string, known: KnownId): void {
    this.#sql.exec(WRITE, place, known.id, known.isNewcomer ? 1 : 0);
    this.#all().set(place, known);
    this.#isNew = true;
  }
}

const READ = "SELECT full_name AS place, repository_id AS id, is_newcomer FROM repository_ids";
const WRITE = "INSERT OR REPLACE INTO repository_ids (full_name, repository_id, is_newcomer) VALUES (?, ?, ?)";
