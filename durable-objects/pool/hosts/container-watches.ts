/**
 * What a pool knows of the containers that have its leases. It is stored, because a pool that waits for a container to say something
 * leaves memory meanwhile: nobody else would notice that one is silent. Moments are Unix milliseconds.
 */
import type { LeaseRef } from "#protocol/runner-link.ts";

export interface Watch {
  /** Null where it is not known, for which there is only the place's name. */
  lease: LeaseRef | null;
  heardMs: number;
  /** When it was noticed that nothing has been heard for too long; null while that is not so. */
  doubtedMs: number | null;
  killedMs: number | null;
}

export type WatchStorage = Pick<SyncKvStorage, "list" | "put" | "delete">;

const PREFIX = "watch:";

export class ContainerWatches {
  readonly #storage: WatchStorage;
  readonly #watches = new Map<string, Watch>();

  constructor(storage: WatchStorage) {
    this.#storage = storage;
    for (const [key, watch] of storage.list<Watch>({ prefix: PREFIX })) {
      this.#watches.set(key.slice(PREFIX.length), watch);
    }
  }

  has(place: string): boolean {
    return this.#watches.has(place);
  }

  /** @returns the watch of a place; of one that is not known a new one begins. */
  of(place: string, nowMs: number): Watch {
    return (
      this.#watches.get(place) ?? this.#set(place, { lease: null, heardMs: nowMs, doubtedMs: null, killedMs: null })
    );
  }

  hear(place: string, lease: LeaseRef, nowMs: number): void {
    this.#set(place, { ...this.of(place, nowMs), lease, heardMs: nowMs, doubtedMs: null });
  }

  doubt(place: string, nowMs: number): void {
    this.#set(place, { ...this.of(place, nowMs), doubtedMs: nowMs });
  }

  kill(place: string, lease: LeaseRef, nowMs: number): void {
    const watch = this.of(place, nowMs);
    this.#set(place, { ...watch, lease, killedMs: watch.killedMs ?? nowMs });
  }

  drop(place: string): void {
    if (this.#watches.delete(place)) this.#storage.delete(PREFIX + place);
  }

  /** Drops the watches of places that have no lease any more. */
  keepOnly(places: readonly string[]): void {
    for (const place of [...this.#watches.keys()]) if (!places.includes(place)) this.drop(place);
  }

  #set(place: string, watch: Watch): Watch {
    this.#watches.set(place, watch);
    this.#storage.put(PREFIX + place, watch);
    return watch;
  }
}
