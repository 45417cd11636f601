/** A host of containers whose objects do as the tests say. */
import { vi } from "vitest";
import { type AskedContainer, ContainerHost } from "#durable-objects/pool/hosts/container-host.ts";
import type { WatchStorage } from "#durable-objects/pool/hosts/container-watches.ts";
import type { AskedWarm, WarmStorage } from "#durable-objects/pool/hosts/warm-containers.ts";
import type { BeginAnswer, ContainerOrder } from "#instance/object-contracts.ts";
import type { LeaseRef, PoolToRunner } from "#protocol/runner-link.ts";
import { type HostUnderTest, LEASE, type PlaceUnderTest, recordReports } from "#test/contracts/lease-host.ts";

/** The object of one lease's container: what it was asked, and the answer to `begin`. */
export class FakeAsked implements AskedContainer, AskedWarm {
  readonly received: PoolToRunner[] = [];
  orders: ContainerOrder[] = [];
  looks = 0;
  prepared = 0;
  begun = Promise.withResolvers<BeginAnswer>();

  async begin(order: ContainerOrder): Promise<BeginAnswer> {
    const { lease, link_token, proxy_token } = order;
    this.orders.push(order);
    this.received.push({ type: "offer", lease, link_token, proxy_token });
    return await this.begun.promise;
  }

  async prepare(): Promise<void> {
    this.prepared += 1;
  }

  async stop(): Promise<void> {
    this.received.push({ type: "stop", lease: this.#lease });
  }

  async kill(): Promise<void> {
    this.received.push({ type: "kill", lease: this.#lease });
  }

  async look(): Promise<void> {
    this.looks += 1;
  }

  get #lease(): LeaseRef {
    return this.orders[0]?.lease ?? LEASE;
  }
}

export interface ContainersUnderTest extends HostUnderTest<ContainerHost> {
  asked(lease: LeaseRef): FakeAsked;
  /** The objects of containers that were started before there was a lease, by their names. */
  warm(): [string, FakeAsked][];
  changes(): number;
  /** For so long a run that has been given a container has the machine to itself. */
  yieldFor(ms: number): void;
  /** The pool has left memory, and is opened anew. */
  reopen(): ContainerHost;
}

function kvStorage(): WatchStorage & WarmStorage {
  const stored = new Map<string, unknown>();
  return {
    get: <Value>(key: string) => structuredClone(stored.get(key)) as Value | undefined,
    list: <Value>({ prefix = "" } = {}) =>
      [...stored]
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, value]): [string, Value] => [key, structuredClone(value) as Value]),
    put: (key, value) => void stored.set(key, structuredClone(value)),
    delete: (key) => stored.delete(key),
  };
}

export async function makeContainerHost(): Promise<ContainersUnderTest> {
  const { reports, disowned, sink } = recordReports();
  const objects = new Map<string, FakeAsked>();
  let capacity = 0;
  let changes = 0;
  let yieldMs = 0;
  const named = (name: string) => {
    const known = objects.get(name) ?? new FakeAsked();
    objects.set(name, known);
    return known;
  };
  const asked = ({ run_id, generation }: LeaseRef) => named(`${run_id}.${generation}`);
  const storage = kvStorage();
  const open = () =>
    new ContainerHost({
      pool: "default",
      capacity: () => capacity,
      containerOf: asked,
      warmOf: named,
      storage,
      yieldMs: () => yieldMs,
      reports: sink,
      onChange: () => {
        changes += 1;
      },
    });
  const host = open();
  const at = (place: string): PlaceUnderTest => {
    const object = () => [...objects.values()].find(({ orders }) => orders.some((order) => order.place === place));
    return {
      received: async (count) => vi.waitUntil(() => (object()?.received.length ?? 0) >= count && object()?.received),
      accept: async () => {
        const before = changes;
        object()?.begun.resolve("begun");
        await vi.waitUntil(() => changes > before);
      },
      decline: async (lease) => void host.hear({ place, lease, end: "declined" }, Date.now()),
      ended: async (lease) => void host.hear({ place, lease, end: "work_ended" }, Date.now()),
      // A container that vanishes with its object says nothing more.
      leave: async () => {},
    };
  };
  return {
    reports,
    disowned,
    asked,
    warm: () => [...objects].filter(([name]) => name.startsWith("warm-")),
    at,
    changes: () => changes,
    reopen: open,
    use: async (work) => work(host),
    makeRoom: async (places) => {
      capacity = places;
    },
    yieldFor: (ms) => {
      yieldMs = ms;
    },
  };
}
