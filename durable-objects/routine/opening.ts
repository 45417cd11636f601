/**
 * Opens a routine's object from its tables, says what it answers while that fails, and gives its parts to callers: each asks in
 * the name of an id, and gets nothing unless the routine owns that id.
 */

import { readConfig } from "#instance/config.ts";
import type { ObjectEnv } from "#instance/object-env.ts";
import { ownResidenceFault } from "#instance/residence.ts";
import { authoritiesOf } from "#instance/secrets.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { kindOf } from "#protocol/ids.ts";
import { logTrouble } from "#protocol/log.ts";
import { MIGRATE_RETRY_MS } from "../migrate.ts";
import { type Assembled, assemble } from "./assemble.ts";
import { hasTables, openDatabase } from "./database.ts";
import type { RoutineRow } from "./definition/definition-store.ts";
import type { Tx } from "./work.ts";

/** A routine that is not deleted. */
export interface Open {
  routine: RoutineRow;
  parts: Assembled;
}

type Refused = Extract<Result<never>, { ok: false }>;

export class RoutineOpening {
  readonly #context: DurableObjectState;
  readonly #env: ObjectEnv;
  #parts: Assembled | null = null;
  #fault: Refused | null = null;

  constructor(context: DurableObjectState, env: ObjectEnv) {
    this.#context = context;
    this.#env = env;
  }

  /**
   * The parts, for sockets that were let in before, whose messages come without an id. Null without a routine, or while
   * there is a fault.
   */
  get parts(): Assembled | null {
    return this.#parts;
  }

  /** Why the object is not open: the configuration is wrong, or the tables can't be brought up to date. */
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
  async open(): Promise<Result<Assembled>> {
    if (this.#parts !== null) return success(this.#parts);
    const opened = await this.#tryToOpen();
    this.#fault = opened.ok ? null : opened;
    if (!opened.ok) await this.#retryLater();
    return opened;
  }

  /** The alarm rings. Never throws: the platform drops the alarm of an object that fails six times. */
  async ring(): Promise<void> {
    try {
      if (this.#parts === null && hasTables(this.#context.storage)) await this.open();
      this.#parts?.alarm.ring();
    } catch (error) {
      logTrouble("alarm_failed", { object: this.#name, concern: "ring", failures: 1 }, error);
      await this.#retryLater();
    }
  }

  /** Arms the alarm again in case the platform has lost it. */
  async keepTime(): Promise<void> {
    this.#parts?.alarm.know(await this.#context.storage.getAlarm());
    this.arm();
  }

  /** Arms the alarm after a socket's message, which may have brought a deadline. */
  arm(): void {
    this.#parts?.alarm.arm();
  }

  get #name(): string {
    return this.#context.id.name ?? "";
  }

  async #tryToOpen(): Promise<Result<Assembled>> {
    const { storage } = this.#context;
    const check = readConfig(this.#env);
    if (!check.ok) return refuseMisconfigured(check.issues);
    const elsewhere = ownResidenceFault(check.config.jurisdiction, this.#context.id);
    if (elsewhere !== null) return refuseMisconfigured([elsewhere]);
    try {
      const database = openDatabase(storage);
      if (!database.ok) return database;
      const { config } = check;
      const known = { ownerKey: this.#name, authorities: await authoritiesOf(config) };
      const alarmAt = await storage.getAlarm();
      // Another call has opened it while this one waited.
      if (this.#parts !== null) return success(this.#parts);
      const surroundings = { context: this.#context, env: this.#env, config, database: database.value };
      const parts = assemble({ ...surroundings, ...known, alarmAt });
      const { viewers, accesses, outbox, work, definitions, shared } = parts;
      const routine = definitions.living();
      work.change((tx) => {
        outbox.giveBack(tx);
        if (routine !== null) shared.open(tx, routine.id);
      });
      // Not before: where this fails, all of it is done again.
      this.#parts = parts;
      viewers.closeAccess((access) => accesses.isForeign(access));
      return success(parts);
    } catch (error) {
      logTrouble("object_not_opened", { object: this.#name }, error);
      return refuse("internal_error");
    }
  }

  async #retryLater(): Promise<void> {
    try {
      if (hasTables(this.#context.storage)) await this.#context.storage.setAlarm(Date.now() + MIGRATE_RETRY_MS);
    } catch (error) {
      logTrouble("alarm_failed", { object: this.#name, concern: "arm", failures: 1 }, error);
    }
  }

  /** The parts, also those of a deleted routine, if it owns the id. */
  owner(id: string): Assembled | null {
    return this.#parts !== null && owns(this.#parts, id) ? this.#parts : null;
  }

  /** @returns the routine; `not_found` where there is none that owns the id, or it is deleted. */
  routine(id: string): Result<Open> {
    if (this.#fault !== null) return this.#fault;
    const parts = this.owner(id);
    const routine = parts?.definitions.living() ?? null;
    return parts === null || routine === null ? refuse("not_found") : success({ routine, parts });
  }

  /** The parts; null where the routine does not own the id, or is deleted. */
  living(id: string): Assembled | null {
    const open = this.routine(id);
    return open.ok ? open.value.parts : null;
  }

  /** Asks the routine. */
  with<Answer extends Result<unknown> | Promise<Result<unknown>>>(
    id: string,
    ask: (parts: Assembled, routine: RoutineRow) => Answer,
  ): Answer | Refused {
    const open = this.routine(id);
    return open.ok ? ask(open.value.parts, open.value.routine) : open;
  }

  /** For reads of runs, which go on in a deleted routine until the last one has stopped. */
  proxied<Answer extends Result<unknown> | Promise<Result<unknown>>>(
    id: string,
    read: (parts: Assembled) => Answer,
  ): Answer | Refused {
    const parts = this.owner(id);
    return parts === null ? (this.#fault ?? refuse("proxy_token_refused")) : read(parts);
  }

  /** The same for changes, in a transaction. */
  proxy<Value>(id: string, change: (tx: Tx, parts: Assembled) => Result<Value>): Result<Value> {
    return this.proxied(id, (parts) => parts.work.change((tx): Result<Value> => change(tx, parts)));
  }
}

/**
 * Whether the object owns what an id names. The whole id counts, though only its owner key has led here. @param id of any
 * form.
 */
function owns({ definitions, runs, log, occurrences, notifications }: Assembled, id: string): boolean {
  const routine = definitions.row();
  switch (kindOf(id)) {
    case "routine":
      return routine?.id === id;
    case "trigger":
      return routine?.definition.triggers.some((trigger) => trigger.id === id) ?? false;
    case "run":
      return runs.get(id) !== null;
    case "session":
      return log.end(id) !== null;
    case "occurrence":
      return occurrences.has(id);
    case "notification":
      return notifications.get(id) !== null;
    // These belong to the instance, and no routine owns them.
    case "delivery":
    case "sign_in":
    case "environment":
    case "connector":
    case null:
      return false;
  }
}

function refuseMisconfigured(issues: { field: string; message: string }[]): Refused {
  logTrouble("misconfigured", { fields: issues.map(({ field }) => field).join(", ") }, "misconfigured");
  return refuse("misconfigured", { issues });
}

/** @returns `not_found` for null and undefined. */
export function found<Value>(value: Value | null | undefined): Result<Value> {
  return value === null || value === undefined ? refuse("not_found") : success(value);
}
