/**
 * A container that waits for a lease, until it has been given one: it reaches nothing, and knows nothing but a token by which its
 * object brings it the lease. What is decided is stored before it is done, so that an eviction starts or gives nothing twice.
 */
import type { WarmOrder, WarmReport } from "#instance/object-contracts.ts";
import { CONTAINER_WAITS } from "#protocol/container-brief.ts";
import type { ContainerSize } from "#protocol/container-size.ts";
import { errorText, logTrouble } from "#protocol/log.ts";
import { isSameLease, type LeaseRef } from "#protocol/runner-link.ts";
import {
  nextWarmLife,
  nextWarmLook,
  READY_WITHIN_MS,
  type WarmLife,
  type WarmObservation,
} from "#rules/sandbox/warm-life.ts";
import type { ContainerCalls, ContainerExit } from "./container-calls.ts";
import { KeptLife } from "./kept-life.ts";

/** What a container was started from. */
export interface Build {
  /** As the platform names it; null where the deployment has one image for all. */
  image: string | null;
  size: ContainerSize;
}

interface Kept {
  v: 1;
  pool: string;
  name: string;
  /** With which the container takes its brief. */
  token: string;
  build: Build;
  /** Null until it is given one. */
  lease: LeaseRef | null;
  life: WarmLife;
}

export interface WarmParts {
  storage: Pick<DurableObjectStorage, "kv" | "setAlarm" | "deleteAll">;
  isRunning(): boolean;
  /** Calls to the container with an exit that lets nothing out. @throws Error in a deployment without containers. */
  calls(): ContainerCalls;
  /** Answers null when the pool could not be told. */
  tellPool(pool: string, report: WarmReport): Promise<"held" | "unknown" | null>;
  tendMs(): number;
  /** Told of the end of a container that is a run's by now. */
  onExit(how: ContainerExit): void;
}

const KEY = "warm";
const ASK_AGAIN_MS = 200;

export class WarmContainer {
  readonly #parts: WarmParts;
  readonly #life: KeptLife<WarmLife, Kept, WarmObservation>;
  #isStarting = false;
  #isEnding = false;

  constructor(parts: WarmParts) {
    this.#parts = parts;
    this.#life = new KeptLife({
      storage: parts.storage,
      key: KEY,
      next: nextWarmLife,
      arm: (life) => this.#arm(life),
      end: () => void this.#end(),
    });
  }

  get #kept(): Kept | null {
    return this.#life.kept;
  }

  /** Whether there is one that has not been handed over. */
  get isThere(): boolean {
    return this.#kept !== null;
  }

  get name(): string {
    return this.#kept?.name ?? "";
  }

  get token(): string {
    return this.#kept?.token ?? "";
  }

  /** Starts the container, once. */
  prepare({ pool, name, start_within_ms: withinMs }: WarmOrder, build: Build): void {
    if (this.#kept !== null) return;
    const life: WarmLife = { state: "starting", byMs: Date.now() + withinMs + READY_WITHIN_MS };
    const token = `${crypto.randomUUID()}${crypto.randomUUID()}`;
    this.#life.keep({ v: 1, pool, name, token, build, lease: null, life });
    void this.#start(withinMs);
  }

  /** @returns whether the lease may be handed to the container now: no other is from then on. */
  give(lease: LeaseRef, wanted: Build): "given" | "unfit" | "gone" {
    this.#look();
    const kept = this.#kept;
    if (kept === null) return "gone";
    const { life, build } = kept;
    if (life.state === "given") return kept.lease !== null && isSameLease(kept.lease, lease) ? "given" : "gone";
    if (life.state !== "ready") return "gone";
    if (build.image !== wanted.image) {
      this.#life.observe({ type: "disowned" });
      return "gone";
    }
    if (build.size !== wanted.size) return "unfit";
    this.#life.keep({ ...kept, lease });
    this.#life.observe({ type: "given" });
    return "given";
  }

  /** The container has taken its lease, and is a run's from now on. To be stored together with what it becomes. */
  forget(): void {
    this.#life.forget();
  }

  /** Its lease could not be handed over, and will not be. */
  notTaken(reason: string): void {
    this.#life.observe({ type: "not_taken", reason });
  }

  kill(): void {
    this.#life.observe({ type: "kill" });
  }

  /** To be called by the alarm, and when the object is made anew. */
  async tend(): Promise<void> {
    this.#look();
    if (this.#kept === null) return;
    this.#arm(this.#kept.life);
    const { state } = this.#kept.life;
    if (state === "ending") return await this.#end();
    if (state === "given") return;
    // The first start after a deploy takes longer than the pool waits for a word.
    if (!this.#isStarting) {
      await this.#renew();
      await this.#ask();
    }
    await this.#tell();
  }

  async #start(withinMs: number): Promise<void> {
    const kept = this.#kept;
    if (kept === null) return;
    const { token, build } = kept;
    const isWanted = () => this.#kept?.life.state === "starting";
    this.#isStarting = true;
    try {
      await this.#parts.calls().start({
        env: { [CONTAINER_WAITS]: token },
        size: build.size,
        withinMs,
        isWanted,
        onExit: (how) => this.#hearExit(how),
      });
      while (isWanted() && this.#parts.isRunning()) {
        await this.#ask();
        if (isWanted()) await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
      }
    } catch (error) {
      this.#trouble("start", error);
      if (isWanted()) this.#life.observe({ type: "start_failed", reason: errorText(error) });
    } finally {
      this.#isStarting = false;
    }
    this.#look();
    await this.#tell();
  }

  #hearExit(how: ContainerExit): void {
    if (this.#kept === null) {
      this.#parts.onExit(how);
      return;
    }
    if (this.#parts.isRunning()) return;
    if (how === "well") this.#life.observe({ type: "exited" });
    else this.#look();
  }

  #look(): void {
    if (this.#kept === null) return;
    this.#life.observe({ type: "looked", isRunning: this.#parts.isRunning(), isStartKnown: this.#isStarting });
  }

  async #renew(): Promise<void> {
    try {
      await this.#parts.calls().renew();
    } catch (error) {
      this.#trouble("renew", error);
    }
  }

  async #ask(): Promise<void> {
    const isReady = await this.#parts
      .calls()
      .isReady(this.token)
      .catch(() => null);
    this.#life.observe({ type: "asked", isReady });
  }

  /** Tells the pool how it is. What does not go through is told again by the alarm. */
  async #tell(): Promise<boolean> {
    const kept = this.#kept;
    if (kept === null) return true;
    const { pool, name, life } = kept;
    if (life.state === "given") return true;
    const state = life.state === "ending" ? "ended" : life.state;
    const report: WarmReport = { name, state, reason: life.state === "ending" ? life.reason : null };
    const answer = await this.#parts.tellPool(pool, report);
    if (answer === "unknown") this.#life.observe({ type: "disowned" });
    return answer !== null;
  }

  /** Ends the container, tells the pool, and leaves nothing behind. */
  async #end(): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    try {
      await this.#destroy();
      if (!this.#parts.isRunning() && (await this.#tell()) && this.#kept !== null) {
        this.#life.forget();
        await this.#parts.storage.deleteAll();
      }
    } finally {
      this.#isEnding = false;
    }
    this.#life.observe({ type: "not_settled" });
  }

  async #destroy(): Promise<void> {
    try {
      await this.#parts.calls().destroy();
    } catch (error) {
      this.#trouble("destroy", error);
    }
  }

  #arm(life: WarmLife): void {
    void this.#parts.storage.setAlarm(nextWarmLook(life, this.#parts.tendMs(), Date.now()));
  }

  #trouble(call: string, error: unknown): void {
    logTrouble("warm_container_failed", { container: this.name, call }, error);
  }
}
