/** What the object of an attempt's container has stored of it. */
import type { ContainerSize } from "#protocol/container-size.ts";
import type { Network } from "#protocol/environment.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { ContainerLife } from "#rules/sandbox/container-life.ts";

export interface Kept {
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

/** From the moment at which the start was asked for until the container was found gone; what is told later does not count. */
export function lastedMs({ begunAtMs, goneAtMs }: Kept): number {
  return Math.max(0, (goneAtMs ?? Date.now()) - begunAtMs);
}
