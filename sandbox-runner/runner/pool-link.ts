/** The runner's socket to its pool: registers, takes or declines offers, and says when a lease's work has ended. */
import { RUNNER_FEATURES } from "#protocol/runner-features.ts";
import { type LeaseRef, poolToRunnerSchema, RUNNER_PROTOCOL, type RunnerToPool } from "#protocol/runner-link.ts";
import packageJson from "../../package.json" with { type: "json" };
import { type LinkRefusal, LinkSocket } from "../link/link-socket.ts";

export interface Offer {
  lease: LeaseRef;
  link_token: string;
  proxy_token: string;
}

export type Answer = "taken" | "full" | "draining";

export interface PoolLinkOptions {
  instanceUrl: string;
  token: string;
  runnerId: string;
  /** Drawn anew with each start of the runner. */
  boot: string;
  capacity: number;
  /** Leases in hand. */
  leases(): LeaseRef[];
  /** @param features options of the link that are in force until it breaks. */
  onRegistered(features: readonly string[]): void;
  /** @returns `taken` when the work has begun, or is in hand already; else why nothing has been begun. */
  onOffer(offer: Offer): Answer;
  onStop(lease: LeaseRef): void;
  /** The work has to end by force. */
  onKill(lease: LeaseRef): void;
  /** @param status of an HTTP answer that was no WebSocket. */
  onDown(why: string, status?: number): void;
  /** @returns whether to go on asking. */
  onRefused(refusal: LinkRefusal): boolean;
}

const BACKOFF = { firstMs: 200, lastMs: 2_000 };

export class PoolLink {
  readonly #options: PoolLinkOptions;
  readonly #socket: LinkSocket;
  #registered = false;
  #isDraining = false;
  /** Said again after each registration until it could be said once. */
  #ended: LeaseRef[] = [];

  constructor(options: PoolLinkOptions) {
    this.#options = options;
    this.#socket = new LinkSocket({
      url: `${options.instanceUrl}/runner/pool`,
      token: options.token,
      backoff: BACKOFF,
      onOpen: () => this.#register(),
      onMessage: (text) => this.#hear(text),
      onDown: (why, status) => {
        this.#registered = false;
        options.onDown(why, status);
      },
      onRefused: (refusal) => options.onRefused(refusal),
    });
  }

  /** Every process of this lease's work is gone. */
  ended(lease: LeaseRef): void {
    this.#ended.push(lease);
    this.#sayEnded();
  }

  /** No more work is wanted: said now, and after each registration from now on. */
  drain(): void {
    this.#isDraining = true;
    if (this.#registered) this.#say({ type: "draining" });
  }

  async close(): Promise<void> {
    await this.#socket.close();
  }

  #register(): void {
    const { runnerId, boot, capacity, leases } = this.#options;
    const runner = { kind: "local" as const, id: runnerId };
    const features = [...RUNNER_FEATURES];
    const told = { protocol: RUNNER_PROTOCOL, version: packageJson.version, runner, boot, capacity, features };
    this.#say({ type: "register", ...told, leases: leases() });
  }

  #hear(text: string): void {
    const message = parseMessage(text);
    switch (message?.type) {
      case "registered":
        this.#registered = true;
        if (this.#isDraining) this.#say({ type: "draining" });
        this.#sayEnded();
        this.#options.onRegistered(message.features);
        break;
      case "offer":
        this.#answer(message.lease, this.#options.onOffer(message));
        break;
      case "stop":
        this.#options.onStop(message.lease);
        break;
      case "kill":
        this.#options.onKill(message.lease);
        break;
      case "probe":
        this.#say({ type: "alive" });
    }
  }

  #answer(lease: LeaseRef, answer: Answer): void {
    if (answer === "taken") this.#say({ type: "accept", lease });
    else this.#say({ type: "decline", lease, why: answer });
  }

  #sayEnded(): void {
    if (!this.#registered) return;
    this.#ended = this.#ended.filter((lease) => !this.#say({ type: "ended", lease }));
  }

  #say(message: RunnerToPool): boolean {
    return this.#socket.send(JSON.stringify(message));
  }
}

/** @returns null for a message that this version does not know. */
function parseMessage(text: string) {
  try {
    return poolToRunnerSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
