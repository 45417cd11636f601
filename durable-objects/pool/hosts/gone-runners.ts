/** The runners that have gone or were refused lately: shown to people, and offered nothing. */
import { desc, eq, lt } from "drizzle-orm";
import type { PoolDatabase } from "../database.ts";
import { goneRunners } from "../schema.ts";

export type GoneRunner = typeof goneRunners.$inferSelect;

/** Ids are the runners' own: so many are kept, the newest. */
const KEPT = 20;
const KEPT_MS = 7 * 24 * 3_600_000;
/** A runner that is refused dials again every few seconds: that is not written down each time. */
const NOTED_AGAIN_MS = 60_000;

export class GoneRunners {
  readonly #database: PoolDatabase;

  constructor(database: PoolDatabase) {
    this.#database = database;
  }

  note(gone: GoneRunner): void {
    const { id, ...rest } = gone;
    const known = this.#database.select().from(goneRunners).where(eq(goneRunners.id, id)).get();
    const isKnown = known?.state === gone.state && known.reason === gone.reason && gone.at - known.at < NOTED_AGAIN_MS;
    if (isKnown) return;
    this.#database.insert(goneRunners).values(gone).onConflictDoUpdate({ target: goneRunners.id, set: rest }).run();
    for (const { id: old } of this.#newest().slice(KEPT)) {
      this.#database.delete(goneRunners).where(eq(goneRunners.id, old)).run();
    }
    this.#database
      .delete(goneRunners)
      .where(lt(goneRunners.at, gone.at - KEPT_MS))
      .run();
  }

  /** The newest first. */
  list(nowMs: number): GoneRunner[] {
    return this.#newest().filter(({ at }) => at > nowMs - KEPT_MS);
  }

  #newest(): GoneRunner[] {
    return this.#database.select().from(goneRunners).orderBy(desc(goneRunners.at)).all();
  }
}
