/**
 * The object of one attempt's container: starts it once, keeps it alive while its lease is on, and sees to its end. It is named
 * `RUN_ID.GENERATION`, or as its pool has named it where the container was started before there was a lease.
 * Whatever it decides is stored before it is done, so that an eviction starts nothing twice.
 */
import { DurableObject } from "cloudflare:workers";
import { readConfig, requireConfig } from "#instance/config.ts";
import type { BeginAnswer, ContainerOrder, WarmOrder } from "#instance/object-contracts.ts";
import type { ObjectEnv } from "#instance/object-env.ts";
import { isWarmName } from "#instance/objects.ts";
import { CONTAINER_BRIEF, type ContainerBrief, INSTANCE_HOST } from "#protocol/container-brief.ts";
import type { ContainerSize } from "#protocol/container-size.ts";
import type { Network } from "#protocol/environment.ts";
import { errorText, logEvent, logTrouble } from "#protocol/log.ts";
import { isSameLease, type LeaseRef } from "#protocol/runner-link.ts";
import {
  type ContainerLife,
  type ContainerObservation,
  HELLO_WITHIN_MS,
  nextLife,
  nextLook,
} from "#rules/sandbox/container-life.ts";
import { assembleWaiting, type Waiting } from "./assemble-waiting.ts";
import { ContainerCalls, type ContainerExit, type ContainerPort } from "./container-calls.ts";
import { type Kept, lastedMs } from "./kept.ts";
import { KeptLife } from "./kept-life.ts";
import { Parties } from "./parties.ts";
import { settingsFor } from "./sandbox-settings.ts";

type Ending = Extract<ContainerLife, { state: "ending" }>;

const KEY = "container";
/**
 * How often a container that works is looked after: it ends by itself after ten minutes without. A local worker that has been replaced has
 * forgotten where the traffic of its containers goes, and a runner is given up after 15 seconds.
 */
const TEND_MS = { deployed: 60_000, local: 4_000 } as const;

export class SandboxObject extends DurableObject<ObjectEnv> {
  readonly #parties: Parties;
  /** The container while it waits for a lease. */
  readonly #waiting: Waiting;
  readonly #life: KeptLife<ContainerLife, Kept, ContainerObservation>;
  /** Whether this process has asked for the start and waits for it. */
  #isStarting = false;
  #isEnding = false;

  constructor(context: DurableObjectState, env: ObjectEnv) {
    super(context, env);
    this.#parties = new Parties(env);
    this.#waiting = assembleWaiting({
      context,
      env,
      parties: this.#parties,
      container: () => this.container,
      callsFor: (lease, network) => this.#calls(lease, network),
      tendMs: () => this.#tendMs,
      take: (order, { size }, network) => this.#take(order, size, network),
      onExit: (how) => this.#hearExit(how),
    });
    this.#life = new KeptLife({
      storage: context.storage,
      key: KEY,
      next: nextLife,
      arm: (life) => this.#arm(life),
      end: () => void this.#end(),
    });
    if (this.#kept?.life.state === "running") void this.#tend(this.#kept);
    if (this.#kept !== null) void this.#keepTime();
    else void this.#waiting.container.tend();
  }

  begin(order: ContainerOrder): BeginAnswer | Promise<BeginAnswer> {
    const { lease, pool, place, start_within_ms: withinMs } = order;
    if (this.#waiting.container.isThere) return this.#waiting.handOver.begin(order);
    if (this.#kept !== null) {
      if (!isSameLease(this.#kept.lease, lease)) return "gone";
      this.#life.keep({ ...this.#kept, pool, place });
      return "begun";
    }
    // The container that has waited here is gone.
    if (isWarmName(this.ctx.id.name ?? "")) return "gone";
    const nowMs = Date.now();
    const size = requireConfig(this.env).containerSize;
    const life: ContainerLife = { state: "starting", byMs: nowMs + withinMs };
    const helloByMs = nowMs + withinMs + HELLO_WITHIN_MS;
    this.#life.keep({ v: 1, lease, pool, place, begunAtMs: nowMs, size, helloByMs, goneAtMs: null, life });
    void this.#start(order);
    return "begun";
  }

  prepare(order: WarmOrder): void {
    if (this.#kept === null) this.#waiting.container.prepare(order, this.#waiting.build(null));
  }

  stop(): void {
    if (this.#kept === null) return;
    const { life } = this.#kept;
    if (life.state === "running" && !life.isStopping) this.#signal(this.#kept);
    this.#life.observe({ type: "stop" });
  }

  kill(): void {
    this.#waiting.container.kill();
    this.#life.observe({ type: "kill" });
  }

  look(): void {
    this.#life.observe({ type: "link_closed" });
    this.#lookAtIt();
  }

  override async alarm(): Promise<void> {
    if (this.#waiting.container.isThere) return await this.#waiting.container.tend();
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

  get #kept(): Kept | null {
    return this.#life.kept;
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
      const settings = await settingsFor(() => this.#parties.ask("settings", lease, (run) => run.sandboxFor(lease)));
      if (!isWanted()) return;
      const size = settings.size ?? requireConfig(this.env).containerSize;
      if (this.#kept !== null) this.#life.keep({ ...this.#kept, network: settings.network, size });
      await this.#calls(lease).start({
        env: { [CONTAINER_BRIEF]: JSON.stringify(brief) },
        size,
        withinMs: start_within_ms,
        isWanted,
        onExit: (how) => this.#hearExit(how),
      });
      if (isWanted()) this.#life.observe({ type: "started" });
    } catch (error) {
      logTrouble("container_call_failed", { ...lease, call: "start" }, error);
      if (isWanted()) this.#life.observe({ type: "start_failed", reason: errorText(error) });
    } finally {
      if (this.#kept === null || this.#kept.begunAtMs === begunAtMs) this.#isStarting = false;
    }
  }

  #hearExit(how: ContainerExit): void {
    if (this.#isRunning) return;
    if (how === "well") this.#life.observe({ type: "exited" });
    // Made anew, which the alarm or the next call does, the object is told again whether its container runs.
    else if (how === "unknown" && this.#kept?.life.state === "running")
      this.ctx.abort("The container can't be watched.");
    else this.#lookAtIt();
  }

  #lookAtIt(): void {
    if (this.#kept === null) return;
    this.#life.observe({ type: "looked", isRunning: this.#isRunning, isStartKnown: this.#isStarting });
  }

  /** Keeps the container alive, and asks the pool whether it is still to work. */
  async #tend(kept: Kept): Promise<void> {
    if (!this.#isRunning) return;
    const renewed = this.#calls(kept.lease)
      .renew()
      .catch((error) => logTrouble("container_call_failed", { ...kept.lease, call: "renew" }, error));
    const answer = await this.#parties.report(kept.pool, { place: kept.place, lease: kept.lease, end: null });
    await Promise.all([renewed, this.#listen(kept)]);
    if (answer === "unknown" && this.#kept?.place === kept.place) this.#life.observe({ type: "disowned" });
  }

  /** Whether the container does anything at all: it can run without its program having got anywhere. */
  async #listen({ lease, helloByMs }: Kept): Promise<void> {
    if (helloByMs === null) return;
    const hasSaidHello = await this.#parties.ask("listen", lease, (run) => run.hasSaidHello(lease));
    if (hasSaidHello === true && this.#kept !== null) this.#life.keep({ ...this.#kept, helloByMs: null });
    if (hasSaidHello === false && helloByMs <= Date.now()) this.#life.observe({ type: "speechless" });
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
    this.#life.observe({ type: "not_settled" });
  }

  /** @returns whether to go on at once: the lease has come back under another place meanwhile. */
  async #settle({ pool, place, lease }: Kept, { end, hasRun }: Ending): Promise<boolean> {
    await this.#destroy(lease);
    // The pool may give the place to another as soon as it is told.
    if (this.#isRunning && end === "work_ended") return false;
    const isTold = (await this.#parties.report(pool, { place, lease, end })) !== null;
    const kept = this.#kept;
    if (!isTold || this.#isRunning || kept === null) return false;
    if (hasRun && !(await this.#tellUse(kept))) return false;
    if (this.#kept?.place !== place) return true;
    this.#life.forget();
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
    if (kept?.goneAtMs === null && !this.#isRunning) this.#life.keep({ ...kept, goneAtMs: Date.now() });
  }

  /** Tells the run what its container has used. @returns whether that is done. */
  async #tellUse(kept: Kept): Promise<boolean> {
    const { lease, size } = kept;
    const seconds = lastedMs(kept) / 1_000;
    return (await this.#parties.ask("meter", lease, (run) => run.noteContainer(lease, { size, seconds }))) !== null;
  }

  #arm(life: ContainerLife): void {
    void this.ctx.storage.setAlarm(nextLook(life, this.#tendMs, Date.now()));
  }

  get #tendMs(): number {
    const check = readConfig(this.env);
    return check.ok && check.config.isLocal ? TEND_MS.local : TEND_MS.deployed;
  }

  /** The container is a run's now. */
  #take({ lease, pool, place }: ContainerOrder, size: ContainerSize, network: Network): void {
    const nowMs = Date.now();
    const life: ContainerLife = { state: "running", isStopping: false, closelyUntilMs: 0 };
    const helloByMs = nowMs + HELLO_WITHIN_MS;
    this.#life.keep({ v: 1, lease, pool, place, begunAtMs: nowMs, size, network, helloByMs, goneAtMs: null, life });
    this.#lookAtIt();
  }

  #calls({ run_id, generation }: LeaseRef, network = this.#kept?.network): ContainerCalls {
    const { container } = this;
    if (container === undefined) throw new Error("this instance has no containers");
    const props = { run_id, generation, ...(network === undefined ? {} : { network }) };
    return new ContainerCalls(container, () => this.ctx.exports.SandboxExit({ props }));
  }
}
