/** How a routine's object comes to life from its tables, and what it says while they can't be brought up to date. */
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { RoutineRow } from "./definition-store.ts";
import type { Config, ObjectEnv } from "./environment.ts";
import { MIGRATE_RETRY_MS } from "./migrate.ts";
import { type NotMigrated, openDatabase } from "./routine-database.ts";
import { RoutineLife } from "./routine-life.ts";
import { type RoutineParts, routineParts } from "./routine-parts.ts";

/** A routine that is not deleted. */
export interface Open {
  routine: RoutineRow;
  life: RoutineLife;
  parts: RoutineParts;
}

export class RoutineOpening {
  readonly #context: DurableObjectState;
  readonly #env: ObjectEnv;
  readonly #config: Config;
  #life: RoutineLife | null = null;
  #fault: NotMigrated | null = null;

  constructor(context: DurableObjectState, env: ObjectEnv, config: Config) {
    this.#context = context;
    this.#env = env;
    this.#config = config;
  }

  /** Null where nothing has been created, and while there is a fault. */
  get life(): RoutineLife | null {
    return this.#life;
  }

  /** Why there is no life though there are tables. */
  get fault(): NotMigrated | null {
    return this.#fault;
  }

  /** Makes or updates the tables. Where that fails the alarm tries again, so that the object keeps time afterwards. */
  async open(): Promise<Result<RoutineLife>> {
    if (this.#life !== null) return success(this.#life);
    const { storage } = this.#context;
    const database = openDatabase(storage);
    this.#fault = database.ok ? null : database;
    if (!database.ok) {
      await storage.setAlarm(Date.now() + MIGRATE_RETRY_MS);
      return database;
    }
    const parts = routineParts(database.value, storage.sql, this.#config, this.#context.id.name ?? "");
    const alarmAt = await storage.getAlarm();
    this.#life ??= new RoutineLife(this.#context, this.#env, this.#config, parts, alarmAt);
    return success(this.#life);
  }

  /** @returns the routine; `not_found` where there is none, or it is deleted. */
  routine(): Result<Open> {
    if (this.#fault !== null) return this.#fault;
    const routine = this.#life?.parts.definitions.row() ?? null;
    if (this.#life === null || routine === null || routine.status === "deleted") return refuse("not_found");
    return success({ routine, life: this.#life, parts: this.#life.parts });
  }
}
