/**
 * How a routine's object comes to life from its tables, what it says while they can't be brought up to date, and to whom it
 * is given: what asks, asks in the name of an id, and gets nothing unless the routine owns it.
 */
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { Routine } from "#protocol/routine.ts";
import type { RoutineRow } from "./definition-store.ts";
import type { Config, ObjectEnv } from "./environment.ts";
import { MIGRATE_RETRY_MS } from "./migrate.ts";
import { owns } from "./ownership.ts";
import { changeRow } from "./routine-birth.ts";
import { type NotMigrated, openDatabase } from "./routine-database.ts";
import { RoutineLife } from "./routine-life.ts";
import { type RoutineParts, routineParts } from "./routine-parts.ts";
import { authorityOf } from "./secrets.ts";

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

  /** For what comes in nobody's name: alarms, and sockets that were let in. Null where nothing lives, or there is a fault. */
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
    const known = { ownerKey: this.#context.id.name ?? "", authority: await authorityOf(this.#config) };
    const parts = routineParts(database.value, storage.sql, this.#config, known);
    const alarmAt = await storage.getAlarm();
    this.#life ??= new RoutineLife(this.#context, this.#env, this.#config, parts, alarmAt);
    this.#life.viewers.closeAccess((access) => parts.accesses.isForeign(access));
    return success(this.#life);
  }

  /** What lives here, also what is left of a deleted routine, if it owns the id. */
  lifeOf(id: string): RoutineLife | null {
    return this.#life !== null && owns(this.#life.parts, id) ? this.#life : null;
  }

  /** @returns the routine; `not_found` where there is none that owns the id, or it is deleted. */
  routine(id: string): Result<Open> {
    if (this.#fault !== null) return this.#fault;
    const life = this.lifeOf(id);
    const routine = life?.parts.definitions.row() ?? null;
    if (life === null || routine === null || routine.status === "deleted") return refuse("not_found");
    return success({ routine, life, parts: life.parts });
  }

  with<Value>(id: string, work: (open: Open) => Result<Value>): Result<Value> {
    const open = this.routine(id);
    return open.ok ? work(open.value) : open;
  }

  /** For what goes on until the last run has stopped, also in a deleted routine. */
  proxy<Value>(id: string, work: (parts: RoutineParts, nowMs: number) => Result<Value>): Result<Value> {
    const life = this.lifeOf(id);
    if (life === null) return this.#fault ?? refuse("proxy_token_refused");
    return life.change((nowMs) => work(life.parts, nowMs));
  }

  /** Changes what is no part of a revision. */
  update(id: string, change: Partial<RoutineRow>): Promise<Result<Routine>> {
    return this.changeRoutine(id, ({ parts, routine }, nowMs) =>
      success(parts.definitions.update(routine, change, nowMs)),
    );
  }

  /** Changes the routine's own row, and answers when D1 has it. */
  async changeRoutine(id: string, work: (open: Open, nowMs: number) => Result<RoutineRow>): Promise<Result<Routine>> {
    const open = this.routine(id);
    if (!open.ok) return open;
    return changeRow(open.value.life, open.value.routine, (nowMs) => work(open.value, nowMs));
  }
}
