/** What an object keeps of its container, and what becomes of that: stored before anything is done of it, so that an eviction loses nothing. */

interface Parts<Life, Observation> {
  storage: Pick<DurableObjectStorage, "kv">;
  /** Under which it is stored. */
  key: string;
  /** @returns null where an observation changes nothing. */
  next(life: Life, observation: Observation, nowMs: number): Life | null;
  /** Sets the alarm that a life needs. */
  arm(life: Life): void;
  /** Is called once it is to end. */
  end(): void;
}

export class KeptLife<Life extends { state: string }, Kept extends { life: Life }, Observation> {
  readonly #parts: Parts<Life, Observation>;
  #kept: Kept | null;

  constructor(parts: Parts<Life, Observation>) {
    this.#parts = parts;
    this.#kept = parts.storage.kv.get<Kept>(parts.key) ?? null;
  }

  /** Null where there is no container. */
  get kept(): Kept | null {
    return this.#kept;
  }

  keep(kept: Kept): void {
    this.#kept = kept;
    this.#parts.storage.kv.put(this.#parts.key, kept);
    this.#parts.arm(kept.life);
  }

  observe(observation: Observation): void {
    if (this.#kept === null) return;
    const life = this.#parts.next(this.#kept.life, observation, Date.now());
    if (life === null) return;
    const wasEnding = this.#kept.life.state === "ending";
    this.keep({ ...this.#kept, life });
    if (life.state === "ending" && !wasEnding) this.#parts.end();
  }

  /** There is none any more. */
  forget(): void {
    this.#kept = null;
    this.#parts.storage.kv.delete(this.#parts.key);
  }
}
