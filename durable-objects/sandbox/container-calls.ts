/** The calls to an object's container. Each has a deadline: calls to one that has vanished may never be answered. */
import { withinDeadline } from "#instance/in-time.ts";
import { type ContainerBrief, WAITING_PORT } from "#protocol/container-brief.ts";

/** What is used of the platform's container. */
export type ContainerPort = Pick<
  Container,
  | "running"
  | "images"
  | "start"
  | "monitor"
  | "destroy"
  | "signal"
  | "setInactivityTimeout"
  | "interceptAllOutboundHttp"
  | "interceptOutboundHttps"
  | "getTcpPort"
>;

export interface StartOptions {
  env: Record<string, string>;
  size: NonNullable<ContainerStartupOptions["instance"]>;
  /** How long it may take, in milliseconds. */
  withinMs: number;
  /** Asked right before the start: the container may have been given up meanwhile. */
  isWanted(): boolean;
  /** Called when the platform tells that the container has ended, which it does not always do, or that it can't tell any more. */
  onExit(how: ContainerExit): void;
}

/** `unknown`: what would have told of the end has broken off. For its object the container does not run from then on, true or not. */
export type ContainerExit = "well" | "badly" | "unknown";

/** The image of runners, as wrangler.toml calls it. */
const IMAGE = "runner";
/** How long a container goes on without its object: nothing that it does itself counts as activity. */
const UNTENDED_MS = 600_000;
const CALL_MS = 5_000;
/** What stands between a run and its container: if it takes longer, the run gets another. */
const SHORTLY_MS = 1_500;
/** The platform ends a container by force. */
const DESTROY_MS = 10_000;
/** A container that could not be started counts as running for a moment. */
const SETTLE_MS = 50;
/** At once: SIGTERM, which the platform sends when it needs the machine, lets the run go on for a while. */
const SIGINT = 2;

export class ContainerCalls {
  readonly #container: ContainerPort;
  readonly #exit: () => Fetcher;

  /** @param exit where everything goes that leaves the container. */
  constructor(container: ContainerPort, exit: () => Fetcher) {
    this.#container = container;
    this.#exit = exit;
  }

  get isRunning(): boolean {
    return this.#container.running;
  }

  /**
   * Starts the container, and resolves when it runs. @throws Error with the platform's reason, as far as it gives one; NoAnswer
   * when that takes too long.
   */
  async start({ env, size, withinMs, isWanted, onExit }: StartOptions): Promise<void> {
    await this.#intercept();
    if (!isWanted()) return;
    const image = this.#container.images?.[IMAGE];
    // Where images are not chosen at the start, the deployment has one image and one size for all.
    const chosen = image === undefined ? {} : { image, instance: size };
    this.#container.start({ ...chosen, enableInternet: false, env });
    const { promise: refused, reject } = Promise.withResolvers<never>();
    this.#container.monitor().then(
      () => onExit("well"),
      (error: unknown) => {
        reject(error);
        onExit(error instanceof Error && "exitCode" in error ? "badly" : "unknown");
      },
    );
    await withinDeadline(Promise.race([this.#settled(), refused]), withinMs, "the container");
  }

  /** Keeps the container and its only way out for a while longer. Has to be done again and again. */
  async renew(): Promise<void> {
    await this.#intercept();
    await this.#call(this.#container.setInactivityTimeout(UNTENDED_MS));
  }

  /** Asks the first process to end. */
  stop(): void {
    this.#container.signal(SIGINT);
  }

  async destroy(): Promise<void> {
    await withinDeadline(this.#container.destroy(), DESTROY_MS, "the container");
  }

  /** Whether a container that waits has done all that needs no lease. @throws Error when it does not answer. */
  async isReady(token: string): Promise<boolean> {
    return (await this.#atPort("/ready", token)).ok;
  }

  /** Brings its brief to a container that waits. @throws Error when it is not known that it has been taken. */
  async bring(brief: ContainerBrief, token: string): Promise<void> {
    const { ok, status } = await this.#atPort("/brief", token, { method: "POST", body: JSON.stringify(brief) });
    if (!ok) throw new Error(`the container answered ${status}`);
  }

  /** Has all that leaves a container that runs already go to another exit. @throws NoAnswer when that takes too long. */
  async divert(): Promise<void> {
    await withinDeadline(this.#intercept(), SHORTLY_MS, "the container");
  }

  /** Whatever exit it had before. */
  async #intercept(): Promise<void> {
    const exit = this.#exit();
    await this.#call(
      Promise.all([this.#container.interceptAllOutboundHttp(exit), this.#container.interceptOutboundHttps("*", exit)]),
    );
  }

  /** It is known whether the container runs. */
  async #settled(): Promise<void> {
    await this.#container.setInactivityTimeout(UNTENDED_MS);
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    if (!this.#container.running) throw new Error("the container ended as soon as it had been started");
  }

  async #atPort(path: string, token: string, init: RequestInit = {}): Promise<Response> {
    const port = this.#container.getTcpPort(WAITING_PORT);
    const headers = { authorization: `Bearer ${token}` };
    const cut = new AbortController();
    const answered = port.fetch(`http://container${path}`, { ...init, headers, signal: cut.signal });
    try {
      return await withinDeadline(answered, SHORTLY_MS, "the container");
    } catch (error) {
      cut.abort();
      throw error;
    }
  }

  #call<Value>(call: Promise<Value>): Promise<Value> {
    return withinDeadline(call, CALL_MS, "the container");
  }
}
