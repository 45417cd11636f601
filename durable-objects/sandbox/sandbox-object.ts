/**
 * The object of one attempt's container, named `RUN_ID.GENERATION`: starts it once, keeps it alive while its lease is on, and
 * sees to its end. Whatever it decides is stored before it is done, so that an eviction starts nothing twice.
 */
import { DurableObject } from "cloudflare:workers";
import { readConfig, requireConfig } from "#instance/config.ts";
import { withinDeadline } from "#instance/in-time.ts";
import type { ContainerOrder, ContainerReport, RoutineForObjects } from "#instance/object-contracts.ts";
import type { ObjectEnv } from "#instance/object-env.ts";
import { type InNameOf, poolObject, routineObject } from "#instance/objects.ts";
import { CONTAINER_BRIEF, type ContainerBrief, INSTANCE_HOST } from "#protocol/container-brief.ts";
import type { ContainerSize } from "#protocol/container-size.ts";
import type { Network } from "#protocol/environment.ts";
import { errorText, logEvent, logTrouble } from "#protocol/log.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import {
  type ContainerLife,
  type ContainerObservation,
  HELLO_WITHIN_MS,
  nextLife,
  nextLook,
} from "#rules/sandbox/container-life.ts";
import { ContainerCalls, type ContainerExit, type ContainerPort } from "./container-calls.ts";
import { settingsFor } from "./sandbox-settings.ts";

/** What is stored. */
interface Kept {
  v: 1;
  lease: LeaseRef;
  pool: string;
  place: string;
  begunAtMs: number;
  size: ContainerSize;
  /** What it may reach; absent until that is known, and where an earlier version has begun it. */
  network?: Network;
  /** By when its first process has to have said hello to its run; null once it has. */
  helloByMs: number | null;
  /** When it was found gone; null while it is there. */
  goneAtMs: number | null;
  life: ContainerLife;
}

type Run = InNameOf<RoutineForObjects>;
type Ending = Extract<ContainerLife, { state: "ending" }>;

const KEY = "container";
/**
 * How often a container that works is looked after: it ends by itself after ten minutes without. A local worker that has been replaced has
 * forgotten where the traffic of its containers goes, and a runner is given up after 15 seconds.
 */
const TEND_MS = { deployed: 60_000, local: 4_000 } as const;
const REPORT_MS = 5_000;

export class SandboxObject extends DurableObject<ObjectEnv> {
  #kept: Kept | null;
  /** Whether this process has asked for the start and waits for it. */
  #isStarting = false;
  #isEnding = false;

  constructor(context: DurableObjectState, env: ObjectEnv) {
    super(context, env);
    this.#kept = context.storage.kv.get<Kept>(KEY) ?? null;
    if (this.#kept?.life.state === "running") void this.#tend(this.#kept);
    if (this.#kept !== null) void this.#keepTime();
  }

  begin(order: ContainerOrder): void {
    const { lease, pool, place, start_within_ms: withinMs } = order;
    if (this.#kept !== null) {
      this.#keep({ ...this.#kept, pool, place });
      return;
    }
    const nowMs = Date.now();
    const size = requireConfig(this.env).containerSize;
    const life: ContainerLife = { state: "starting", byMs: nowMs + withinMs };
    const helloByMs = nowMs + withinMs + HELLO_WITHIN_MS;
    this.#keep({ v: 1, lease, pool, place, begunAtMs: nowMs, size, helloByMs, goneAtMs: null, life });
    void this.#start(order);
  }

  stop(): void {
    if (this.#kept === null) return;
    const { life } = this.#kept;
    if (life.state === "running" && !life.isStopping) this.#signal(this.#kept);
    this.#observe({ type: "stop" });
  }

  kill(): void {
    this.#observe({ type: "kill" });
  }

  look(): void {
    this.#observe({ type: "link_closed" });
    this.#lookAtIt();
  }

  override async alarm(): Promise<void> {
    this.#lookAtIt();
    const kept = this.#kept;
    if (kept === null) return;
    this.#arm(kept.life);
    if (kept.life.state === "running") await this.#tend(kept);
    if (this.#kept?.life.state === "ending") await this.#end();
  }

  /** The container as the platform gives it; undefined in a deployment without containers. */
  get container(): ContainerPort | undefined {
    return this.ctx.container;
  }

  get #isRunning(): boolean {
    return this.container?.running ?? false;
  }

  /** Arms the alarm that the platform drops when the object could not be made, as while an engine is off, six times. */
  async #keepTime(): Promise<void> {
    const isLost = (await this.ctx.storage.getAlarm()) === null;
    if (isLost && this.#kept !== null) this.#arm(this.#kept.life);
  }

  async #start(order: ContainerOrder): Promise<void> {
    const { lease, link_token, proxy_token, start_within_ms } = order;
    const brief: ContainerBrief = { instance_url: `http://${INSTANCE_HOST}`, lease, link_token, proxy_token };
    // A later start of the same lease is another one.
    const begunAtMs = this.#kept?.begunAtMs;
    const isWanted = () => this.#kept?.life.state === "starting" && this.#kept.begunAtMs === begunAtMs;
    this.#isStarting = true;
    try {
      const settings = await settingsFor(() => this.#ask("settings", lease, (run) => run.sandboxFor(lease)));
      if (!isWanted()) return;
      const size = settings.size ?? requireConfig(this.env).containerSize;
      if (this.#kept !== null) this.#keep({ ...this.#kept, network: settings.network, size });
      await this.#calls(lease).start({
        env: { [CONTAINER_BRIEF]: JSON.stringify(brief) },
        size,
        withinMs: start_within_ms,
        isWanted,
        onExit: (how) => this.#hearExit(how),
      });
      if (isWanted()) this.#observe({ type: "started" });
    } catch (error) {
      logTrouble("container_call_failed", { ...lease, call: "start" }, error);
      if (isWanted()) this.#observe({ type: "start_failed", reason: errorText(error) });
    } finally {
      if (this.#kept === null || this.#kept.begunAtMs === begunAtMs) this.#isStarting = false;
    }
  }

  #hearExit(how: ContainerExit): void {
    if (this.#isRunning) return;
    if (how === "well") this.#observe({ type: "exited" });
    // Made anew, which the alarm or the next call does, the object is told again whether its container runs.
    else if (how === "unknown" && this.#kept?.life.state === "running")
      this.ctx.abort("The container can't be watched.");
    else this.#lookAtIt();
  }

  #lookAtIt(): void {
    if (this.#kept === null) return;
    this.#observe({ type: "looked", isRunning: this.#isRunning, isStartKnown: this.#isStarting });
  }

  /** Keeps the container alive, and asks the pool whether it is still to work. */
  async #tend(kept: Kept): Promise<void> {
    if (!this.#isRunning) return;
    const renewed = this.#calls(kept.lease)
      .renew()
      .catch((error) => logTrouble("container_call_failed", { ...kept.lease, call: "renew" }, error));
    const answer = await this.#report({ place: kept.place, lease: kept.lease, end: null });
    await Promise.all([renewed, this.#listen(kept)]);
    if (answer === "unknown" && this.#kept?.place === kept.place) this.#observe({ type: "disowned" });
  }

  /** Whether the container does anything at all: it can run without its program having got anywhere. */
  async #listen({ lease, helloByMs }: Kept): Promise<void> {
    if (helloByMs === null) return;
    const hasSaidHello = await this.#ask("listen", lease, (run) => run.hasSaidHello(lease));
    if (hasSaidHello === true && this.#kept !== null) this.#keep({ ...this.#kept, helloByMs: null });
    if (hasSaidHello === false && helloByMs <= Date.now()) this.#observe({ type: "speechless" });
  }

  #signal({ lease }: Kept): void {
    try {
      this.#calls(lease).stop();
    } catch (error) {
      logTrouble("container_call_failed", { ...lease, call: "stop" }, error);
    }
  }

  /** Ends the container, tells pool and run, and leaves nothing behind. What does not go through is tried again by the alarm. */
  async #end(): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    try {
      while (this.#kept?.life.state === "ending" && (await this.#settle(this.#kept, this.#kept.life))) {}
    } finally {
      this.#isEnding = false;
    }
    this.#observe({ type: "not_settled" });
  }

  /** @returns whether to go on at once: the lease has come back under another place meanwhile. */
  async #settle({ place, lease }: Kept, { end, hasRun }: Ending): Promise<boolean> {
    await this.#destroy(lease);
    // The pool may give the place to another as soon as it is told.
    if (this.#isRunning && end === "work_ended") return false;
    const isTold = (await this.#report({ place, lease, end })) !== null;
    const kept = this.#kept;
    if (!isTold || this.#isRunning || kept === null) return false;
    if (hasRun && !(await this.#tellUse(kept))) return false;
    if (this.#kept?.place !== place) return true;
    this.#kept = null;
    await this.ctx.storage.deleteAll();
    logEvent("container_ended", { ...lease, end, lasted_ms: lastedMs(kept) });
    return false;
  }

  async #destroy(lease: LeaseRef): Promise<void> {
    try {
      if (this.container !== undefined) await this.#calls(lease).destroy();
    } catch (error) {
      logTrouble("container_call_failed", { ...lease, call: "destroy" }, error);
    }
    const kept = this.#kept;
    if (kept?.goneAtMs === null && !this.#isRunning) this.#keep({ ...kept, goneAtMs: Date.now() });
  }

  /** @returns null when the pool could not be told. */
  async #report(report: ContainerReport): Promise<"held" | "unknown" | null> {
    try {
      const pool = poolObject(this.env, requireConfig(this.env).jurisdiction, this.#kept?.pool ?? "");
      return await withinDeadline(pool.hearContainer(report), REPORT_MS, "the pool");
    } catch (error) {
      logTrouble("container_call_failed", { ...report.lease, call: "report" }, error);
      return null;
    }
  }

  /** Tells the run what its container has used. @returns whether that is done. */
  async #tellUse(kept: Kept): Promise<boolean> {
    const { lease, size } = kept;
    const seconds = lastedMs(kept) / 1_000;
    return (await this.#ask("meter", lease, (run) => run.noteContainer(lease, { size, seconds }))) !== null;
  }

  /** @returns null when the run could not be asked. */
  async #ask<Answer>(call: string, lease: LeaseRef, ask: (run: Run) => Promise<Answer>): Promise<Answer | null> {
    try {
      const run = routineObject(this.env, requireConfig(this.env).jurisdiction, lease.run_id);
      return await withinDeadline(ask(run), REPORT_MS, "the run");
    } catch (error) {
      logTrouble("container_call_failed", { ...lease, call }, error);
      return null;
    }
  }

  #observe(observation: ContainerObservation): void {
    if (this.#kept === null) return;
    const life = nextLife(this.#kept.life, observation, Date.now());
    if (life === null) return;
    const wasEnding = this.#kept.life.state === "ending";
    this.#keep({ ...this.#kept, life });
    if (life.state === "ending" && !wasEnding) void this.#end();
  }

  #keep(kept: Kept): void {
    this.#kept = kept;
    this.ctx.storage.kv.put(KEY, kept);
    this.#arm(kept.life);
  }

  #arm(life: ContainerLife): void {
    const check = readConfig(this.env);
    const tendMs = check.ok && check.config.isLocal ? TEND_MS.local : TEND_MS.deployed;
    void this.ctx.storage.setAlarm(nextLook(life, tendMs, Date.now()));
  }

  #calls({ run_id, generation }: LeaseRef): ContainerCalls {
    const { container } = this;
    if (container === undefined) throw new Error("this instance has no containers");
    const network = this.#kept?.network;
    const props = { run_id, generation, ...(network === undefined ? {} : { network }) };
    return new ContainerCalls(container, () => this.ctx.exports.SandboxExit({ props }));
  }
}

/** From the moment at which the start was asked for until the container was found gone; what is told later does not count. */
function lastedMs({ begunAtMs, goneAtMs }: Kept): number {
  return Math.max(0, (goneAtMs ?? Date.now()) - begunAtMs);
}
