/** Which GitHub repository each of the routine's addresses stands for, once something has come from it. */
export class RepositoryIds {
  readonly #sql: SqlStorage;
  #known: Map<string, number> | null = null;
  #isNew = false;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  all(): ReadonlyMap<string, number> {
    this.#known ??= new Map(
      this.#sql
        .exec<{ name: string; id: number }>("SELECT full_name AS name, repository_id AS id FROM repository_ids")
        .toArray()
        .map(({ name, id }) => [name, id]),
    );
    return this.#known;
  }

  /** Keeps the first id that a place stands for. @param fullName from `placeKey`. */
  keep(fullName: string, id: number): void {
    if (this.all().has(fullName)) return;
    this.#sql.exec("INSERT INTO repository_ids (full_name, repository_id) VALUES (?, ?)", fullName, id);
    this.#known?.set(fullName, id);
    this.#isNew = true;
  }

  /** Places that the routine has no more are forgotten: one that comes back may mean another repository. */
  retain(fullNames: readonly string[]): void {
    for (const name of this.all().keys()) {
      if (!fullNames.includes(name)) this.#sql.exec("DELETE FROM repository_ids WHERE full_name = ?", name);
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
}
