/** How often fires were turned away that leave no occurrence. */
import { sql } from "drizzle-orm";
import { counters } from "../schema.ts";
import type { Tx, Work } from "../work.ts";

/** Counts are written together, so that a flood of refusals is not a flood of writes. */
const DELAY_MS = 1_000;

export class RefusalCounts {
  readonly #work: Work;
  readonly #counted = new Map<string, number>();

  constructor(work: Work) {
    this.#work = work;
  }

  count(name: "routine_token_invalid" | "rate_limited" | "queue_full"): void {
    if (this.#counted.size === 0) setTimeout(() => this.#write(), DELAY_MS);
    this.#counted.set(name, (this.#counted.get(name) ?? 0) + 1);
  }

  #write(): void {
    const counted = [...this.#counted];
    this.#counted.clear();
    this.#work.change((tx) => {
      for (const [name, count] of counted) add(tx, name, count);
    });
  }
}

function add(tx: Tx, name: string, count: number): void {
  tx.database
    .insert(counters)
    .values({ name, count })
    .onConflictDoUpdate({ target: counters.name, set: { count: sql`${counters.count} + ${count}` } })
    .run();
}
