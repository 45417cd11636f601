/**
 * How a routine's object comes to life from its tables, what it says while that can't be, and to whom it is
 * given: what asks, asks in the name of an id, and gets nothing unless the routine owns it.
 */

import { type ObjectEnv, readConfig } from "#instance/config.ts";
import { ownResidenceFault } from "#instance/residence.ts";
import { authorityOf } from "#instance/secrets.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { errorText, logLine } from "#protocol/log.ts";
import type { Routine } from "#protocol/routine.ts";
import { MIGRATE_RETRY_MS } from "../migrate.ts";
import { type RoutineParts, routineParts } from "./assemble.ts";
import { hasTables, openDatabase } from "./database.ts";
import { changeRow } from "./definition/create-and-remove.ts";
import type { RoutineRow } from "./definition/definition-store.ts";
import { owns } from "./ownership.ts";
import { RoutineLife } from "./routine-life.ts";
import type { Told } from "./runs/run-engine.ts";
import type { Tx } from "./work.ts";

/** A routine that is not deleted. */
export interface Open {
  routine: RoutineRow;
  life: RoutineLife;
  parts: RoutineParts;
}

type Refused = Extract<Result<never>, { ok: false }>;

export class RoutineOpening {
  readonly #context: DurableObjectState;
  readonly #env: ObjectEnv;
  readonly #told: Told = {
    grown: (sessionId) => this.#life?.viewers.sendNew(sessionId, Date.now()),
    cancel: (lease, reason) => this.#life?.links.cancel(lease, reason),
  };
  #life: RoutineLife | null = null;
  #fault: Refused | null = null;

  constructor(context: DurableObjectState, env: ObjectEnv) {
    this.#context = context;
    this.#env = env;
  }

  /** For what comes in nobody's name: alarms, and sockets that were let in. Null where nothing lives, or there is a fault. */
  get life(): RoutineLife | null {
    return this.#life;
  }

  /** Why there is no life: the configuration is wrong, or the tables can't be brought up to date. */
  get fault(): Refused | null {
    return this.#fault;
  }

  /** @throws Error while there is a fault: whoever calls owes the call, and makes it again. */
  require(): void {
    if (this.#fault === null) return;
    const { code, message } = this.#fault.refusal;
    throw new Error(message === undefined ? code : `${code}: ${message}`);
  }

  /**
   * Makes or updates the tables, and arms the alarm for what is written down. Where that fails the alarm tries again, so
   * that the object keeps time afterwards. Never throws: an object that can't be made loses its alarm after six tries.
   */
  async open(): Promise<Result<RoutineLife>> {
    if (this.#life !== null) return success(this.#life);
    const opened = await this.#tryToOpen();
    this.#fault = opened.ok ? null : opened;
    if (!opened.ok) await this.#retryLater();
    return opened;
  }

  /** The alarm rings. Never throws: the platform drops the alarm of an object that fails six times. */
  async ring(): Promise<void> {
    try {
      if (this.#life === null && hasTables(this.#context.storage)) await this.open();
      this.#life?.alarm.ring();
    } catch (error) {
      logLine("error", { what: "alarm", outcome: errorText(error) });
      await this.#retryLater();
    }
  }

  /** Has the alarm armed again, should it have been lost, whatever the object knows of it. */
  async keepTime(): Promise<void> {
    this.#life?.alarm.know(await this.#context.storage.getAlarm());
    this.#life?.alarm.arm();
  }

  async #tryToOpen(): Promise<Result<RoutineLife>> {
    const { storage } = this.#context;
    const check = readConfig(this.#env);
    if (!check.ok) return refuseMisconfigured(check.issues);
    const elsewhere = ownResidenceFault(check.config.jurisdiction, this.#context.id);
    if (elsewhere !== null) return refuseMisconfigured([elsewhere]);
    try {
      const database = openDatabase(storage);
      if (!database.ok) return database;
      const known = { ownerKey: this.#context.id.name ?? "", authority: await authorityOf(check.config) };
      const parts = routineParts(database.value, storage, check.config, this.#told, known);
      const alarmAt = await storage.getAlarm();
      this.#life ??= new RoutineLife(this.#context, this.#env, check.config, parts, alarmAt);
      this.#life.viewers.closeAccess((access) => parts.accesses.isForeign(access));
      return success(this.#life);
    } catch (error) {
      logLine("error", { what: "open", outcome: errorText(error) });
      return refuse("internal_error");
    }
  }

  async #retryLater(): Promise<void> {
    try {
      if (hasTables(this.#context.storage)) await this.#context.storage.setAlarm(Date.now() + MIGRATE_RETRY_MS);
    } catch (error) {
      logLine("error", { what: "alarm", outcome: errorText(error) });
    }
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
  proxied<Value>(id: string, read: (parts: RoutineParts) => Result<Value>): Result<Value> {
    const life = this.lifeOf(id);
    return life === null ? (this.#fault ?? refuse("proxy_token_refused")) : read(life.parts);
  }

  /** The same for what writes. */
  proxy<Value>(id: string, change: (tx: Tx, parts: RoutineParts) => Result<Value>): Result<Value> {
    return this.proxied(id, (parts) => parts.work.change((tx): Result<Value> => change(tx, parts)));
  }

  /** Changes what is no part of a revision. */
  update(id: string, change: Partial<RoutineRow>): Promise<Result<Routine>> {
    return this.changeRoutine(id, (tx, { parts, routine }) => success(parts.definitions.update(tx, routine, change)));
  }

  /** Pauses or resumes: what has come due before is decided by what the routine was until then. */
  changeStatus(id: string, change: Pick<RoutineRow, "status" | "pausedReason">): Promise<Result<Routine>> {
    return this.changeRoutine(id, (tx, { parts, routine }) => {
      parts.clock.claimBeforeChange(tx, routine, routine.definition.triggers);
      return success(parts.definitions.update(tx, routine, change));
    });
  }

  /** Changes the routine's own row, and answers when D1 has it. */
  async changeRoutine(id: string, change: (tx: Tx, open: Open) => Result<RoutineRow>): Promise<Result<Routine>> {
    const open = this.routine(id);
    if (!open.ok) return open;
    return changeRow(open.value.life, open.value.routine, (tx) => change(tx, open.value));
  }
}

function refuseMisconfigured(issues: { field: string; message: string }[]): Refused {
  logLine("error", { what: "misconfigured", outcome: issues.map(({ field }) => field).join(", ") });
  return refuse("misconfigured", { issues });
}

/** What is not there is `not_found`. */
export function found<Value>(value: Value | null | undefined): Result<Value> {
  return value === null || value === undefined ? refuse("not_found") : success(value);
}
