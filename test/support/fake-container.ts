/** Containers that do as the tests say, in place of the platform's, which the tests' runtime does not have. */
import { vi } from "vitest";
import type { ContainerPort } from "#durable-objects/sandbox/container-calls.ts";
import type { SandboxSettings } from "#instance/object-contracts.ts";
import { CONTAINER_WAITS, type ContainerBrief, containerBriefSchema } from "#protocol/container-brief.ts";
import { SandboxObject } from "#worker/index.ts";

/** What a routine says of a sandbox for which it has nothing else to say. */
export const USUAL_SANDBOX: SandboxSettings = { network: { level: "trusted", allow: [] }, size: null };

type Call = "setInactivityTimeout" | "interceptAllOutboundHttp" | "interceptOutboundHttps" | "destroy" | "port";

/** It outlives the eviction of its object, as a real one does. Of a forced end it tells nobody by itself. */
export class FakeContainer implements ContainerPort {
  running = false;
  images: Record<string, string> = { runner: "runner@sha256:0" };
  readonly started: ContainerStartupOptions[] = [];
  readonly signals: number[] = [];
  /** How often each has been called. */
  readonly calls: Record<Call, number> = {
    setInactivityTimeout: 0,
    interceptAllOutboundHttp: 0,
    interceptOutboundHttps: 0,
    destroy: 0,
    port: 0,
  };
  /** Where its traffic goes. */
  way: Fetcher | null = null;
  /** What its first process answers while it waits for a brief, and the briefs that it has taken. */
  waiting: { ready: number; brief: number } = { ready: 200, brief: 204 };
  readonly briefs: ContainerBrief[] = [];
  /** Calls that are answered when this resolves. */
  readonly slow = new Map<Call, Promise<void>>();
  /** Calls that are never answered. */
  readonly silent = new Set<Call>();
  /** What a start does: it throws at once, or is refused, or the first process ends at once. */
  failure: { how: "throws" | "is refused" | "exits"; message: string } | null = null;
  #exit = Promise.withResolvers<void>();

  start(options: ContainerStartupOptions = {}): void {
    if (this.running) throw new Error("start() cannot be called on a container that is already running");
    this.started.push(options);
    if (this.failure?.how === "throws") throw new Error(this.failure.message);
    this.running = this.failure === null;
    this.#exit = Promise.withResolvers<void>();
    this.#exit.promise.catch(() => {});
    if (this.failure?.how === "is refused") this.#exit.reject(new Error(this.failure.message));
  }

  monitor(): Promise<void> {
    return this.#exit.promise;
  }

  signal(signal: number): void {
    this.signals.push(signal);
  }

  destroy(): Promise<void> {
    return this.#call("destroy", () => {
      this.running = false;
    });
  }

  setInactivityTimeout(): Promise<void> {
    return this.#call("setInactivityTimeout");
  }

  interceptAllOutboundHttp(way: Fetcher): Promise<void> {
    this.way = way;
    return this.#call("interceptAllOutboundHttp");
  }

  interceptOutboundHttps(): Promise<void> {
    return this.#call("interceptOutboundHttps");
  }

  getTcpPort(): Fetcher {
    const answer = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
      const { method, url, headers } = new Request(input, init);
      const token = this.started.at(-1)?.env?.[CONTAINER_WAITS];
      if (!this.running || headers.get("authorization") !== `Bearer ${token}`) throw new Error("connection refused");
      if (method === "GET" && url.endsWith("/ready")) return new Response(null, { status: this.waiting.ready });
      if (this.waiting.brief === 204) this.briefs.push(containerBriefSchema.parse(JSON.parse(String(init?.body))));
      return new Response(null, { status: this.waiting.brief });
    };
    const fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
      await this.#call("port");
      return answer(input, init);
    };
    return { fetch } as unknown as Fetcher;
  }

  /** Its first process ends well, and the platform tells. */
  exit(): void {
    this.running = false;
    this.#exit.resolve();
  }

  /** What told of its end breaks off: for its object it does not run any more, and whether that is so nobody says. */
  lose(): void {
    this.running = false;
    this.#exit.reject(new Error("Network connection lost."));
  }

  /** It is gone without a word. */
  vanish(): void {
    this.running = false;
  }

  #call(name: Call, work = () => {}): Promise<void> {
    this.calls[name] += 1;
    if (this.silent.has(name)) return new Promise(() => {});
    work();
    return this.slow.get(name) ?? Promise.resolve();
  }
}

/** Gives every container's object a fake one, while a test is on. @param prepare each before it is used. @returns the one of an object by the object's name. */
export function fakeContainers(
  prepare: (container: FakeContainer) => void = () => {},
): (name: string) => FakeContainer {
  const containers = new Map<string, FakeContainer>();
  const containerOf = (name: string) => {
    const known = containers.get(name);
    if (known !== undefined) return known;
    const made = new FakeContainer();
    prepare(made);
    containers.set(name, made);
    return made;
  };
  vi.spyOn(SandboxObject.prototype, "container", "get").mockImplementation(function (this: unknown) {
    const { ctx } = this as { ctx: DurableObjectState };
    return containerOf(ctx.id.name ?? "");
  });
  return containerOf;
}
