/** What has been told: the same once, and of each kind so many different things at most. */
export class ToldOnce {
  readonly #most: number;
  readonly #told = new Map<string, Set<string>>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether it is to be told. */
  isNew(kind: string, message: string): boolean {
    const told = this.#told.get(kind) ?? new Set();
    this.#told.set(kind, told);
    if (told.has(message) || told.size >= this.#most) return false;
    told.add(message);
    return true;
  }
}
