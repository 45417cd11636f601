/** A runner from its start to its end: checks what it needs, joins its pool, and has an executor work on each lease. */
import { randomBytes } from "node:crypto";
import { errorText } from "#protocol/log.ts";
import { Redactor } from "#rules/secrets/redactor.ts";
import type { LinkRefusal } from "../link/link-socket.ts";
import { createLog, type Log } from "../process/log.ts";
import { Executors } from "./executors.ts";
import { PoolLink } from "./pool-link.ts";
import { keptRunnerId } from "./runner-id.ts";
import type { RunnerSettings } from "./settings.ts";
import { takeStateFolder } from "./state-folder.ts";
import { type Workshop, workshopFor } from "./workshop.ts";

export interface RunnerHooks {
  /** Takes each line of the log, without its end. */
  write(line: string): void;
  /** The pool has taken the runner in, and its first spare is ready: once. */
  onReady(runnerId: string): void;
  /** The instance can't be reached, or has no place under this id: told when the reason changes. The runner goes on asking. */
  onDown(why: string): void;
  /**
   * The instance does not accept this runner, or what answers is no instance.
   * @param isFirst whether the runner was never accepted since its start.
   * @returns whether to go on asking.
   */
  onRefused(refusal: RunnerRefusal, isFirst: boolean): boolean;
}

/** `address`: what answers there has no pool. */
export interface RunnerRefusal {
  cause: LinkRefusal["cause"] | "address";
  why: string;
}

/** `drained`: all runs came to their end; `stopped`: they were stopped; else the refusal after which it does not ask again. */
export type RunnerEnd = "drained" | "stopped" | RunnerRefusal;

type Settings = RunnerSettings & { runnerId: string };

/** @returns the runner at work, or every fault for which it can't start, a line each. */
export async function startRunner(
  settings: RunnerSettings,
  hooks: RunnerHooks,
): Promise<{ ok: true; runner: Runner } | { ok: false; faults: string[] }> {
  const log = createLog(new Redactor([settings.token]), hooks.write);
  const workshop = workshopFor(settings, log);
  const taken = await takeStateFolder(settings.stateFolder);
  // What a check tries, it tries in the folder.
  if (!taken.ok) return { ok: false, faults: [taken.fault] };
  const faults = (await workshop.check()).filter((fault) => fault !== null);
  if (faults.length > 0) {
    taken.release();
    return { ok: false, faults };
  }
  try {
    await workshop.removeLeftovers();
    const runnerId = settings.runnerId ?? (await keptRunnerId(settings.stateFolder));
    const runner = new Runner({ ...settings, runnerId }, workshop, hooks, log);
    void runner.ended.then(taken.release);
    return { ok: true, runner };
  } catch (error) {
    taken.release();
    return { ok: false, faults: [`REVEILLE_STATE: ${settings.stateFolder} can't be used: ${errorText(error)}`] };
  }
}

export class Runner {
  readonly #settings: Settings;
  readonly #hooks: RunnerHooks;
  readonly #log: Log;
  readonly #executors: Executors;
  readonly #pool: PoolLink;
  readonly #ended = Promise.withResolvers<RunnerEnd>();
  #wasRegistered = false;
  #lastTrouble = "";
  #isDraining = false;
  #isStopping = false;

  constructor(settings: Settings, workshop: Workshop, hooks: RunnerHooks, log: Log) {
    this.#settings = settings;
    this.#hooks = hooks;
    this.#log = log;
    this.#executors = new Executors({
      capacity: settings.capacity,
      spares: workshop.spares,
      agents: workshop.agents,
      routines: workshop.routines,
      log,
      start: (one) => workshop.start({ ...one, runnerId: settings.runnerId }),
      onEnded: (lease) => this.#pool.ended(lease),
    });
    this.#pool = new PoolLink({
      instanceUrl: settings.url,
      token: settings.token,
      runnerId: settings.runnerId,
      boot: randomBytes(12).toString("hex"),
      capacity: settings.capacity,
      leases: () => this.#executors.leases(),
      onRegistered: () => this.#registered(),
      onOffer: (offer) => this.#executors.take(offer),
      onStop: (lease) => this.#executors.stop(lease),
      onKill: (lease) => this.#executors.kill(lease),
      onDown: (why, status) => this.#down(why, status),
      onRefused: (refusal) => this.#refused(refusal),
    });
  }

  /** Settles when all its processes are gone and its link is closed. */
  get ended(): Promise<RunnerEnd> {
    return this.#ended.promise;
  }

  /** Takes no more runs, and ends with those that it has; after the time that its settings give them it stops them. */
  drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    const { drainMs, runnerId } = this.#settings;
    if (drainMs === 0) {
      this.stop();
      return;
    }
    this.#log("draining", { runner_id: runnerId, runs: this.#executors.leases().length });
    this.#pool.drain();
    const deadline = setTimeout(() => this.stop(), drainMs);
    void this.#executors.drain().then(async () => {
      clearTimeout(deadline);
      if (!this.#isStopping) await this.#leave("drained");
    });
  }

  /** Takes no more runs, stops those that it has, and ends. */
  stop(): void {
    if (!this.#isStopping) void this.#stopAll("stopped");
  }

  async #stopAll(end: RunnerEnd): Promise<void> {
    this.#isStopping = true;
    this.#pool.drain();
    await this.#executors.stopAll();
    await this.#leave(end);
  }

  async #leave(end: RunnerEnd): Promise<void> {
    await this.#pool.close();
    this.#log("stopped", { runner_id: this.#settings.runnerId });
    this.#ended.resolve(end);
  }

  #registered(): void {
    const { url, runnerId, capacity } = this.#settings;
    this.#lastTrouble = "";
    this.#log("registered", { url, runner_id: runnerId, capacity });
    if (!this.#wasRegistered) void this.#executors.warm.then(() => this.#hooks.onReady(runnerId));
    this.#wasRegistered = true;
  }

  #down(why: string, status: number | undefined): void {
    if (status !== undefined && hasNoPool(status)) {
      this.#refused({ cause: "address", why });
    } else if (this.#isNew(why)) {
      this.#log("pool_link_down", { url: this.#settings.url, why }, "warn");
      this.#hooks.onDown(why);
    }
  }

  /** @returns whether to go on asking. */
  #refused(refusal: RunnerRefusal): boolean {
    const { cause, why } = refusal;
    if (this.#isNew(why)) this.#log("pool_link_refused", { url: this.#settings.url, cause, why }, "warn");
    const goesOn = this.#hooks.onRefused(refusal, !this.#wasRegistered);
    if (!goesOn && !this.#isStopping) void this.#stopAll(refusal);
    return goesOn;
  }

  /** The same trouble is told once, however often it is met. */
  #isNew(why: string): boolean {
    const isNew = why !== this.#lastTrouble;
    this.#lastTrouble = why;
    return isNew;
  }
}

/** Whether a page, another address or nothing at all answers where an instance has its pool. */
function hasNoPool(status: number): boolean {
  return status < 400 || status === 404 || status === 405 || status === 410;
}
