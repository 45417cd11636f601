/** A host of runners in memory. It keeps the same contract as the real ones: `test/contracts/runner-host.ts`. */
import type { Grant, HostReports, LeaseHost } from "#durable-objects/pool/hosts/lease-host.ts";
import { type LeaseRef, type PoolToRunner, RUNNER_GRACE_MS } from "#protocol/runner-link.ts";

interface FakeRunnerState {
  boot: string;
  capacity: number;
  /** The offers and stops that its present connection has brought. */
  received: PoolToRunner[];
  /** Until when it may come back; null while it is there. */
  lostAtMs: number | null;
}

export class FakeRunnerHost implements LeaseHost {
  readonly #reports: HostReports;
  readonly #runners = new Map<string, FakeRunnerState>();

  constructor(reports: HostReports) {
    this.#reports = reports;
  }

  /** A runner comes, or comes back. @returns what will reach it over this connection. */
  join(start: { id: string; boot: string; capacity: number; leases: readonly LeaseRef[] }): readonly PoolToRunner[] {
    const { id, boot, capacity, leases } = start;
    const before = this.#runners.get(id);
    if (before !== undefined && before.boot !== boot) this.#reports.lost(id);
    const received: PoolToRunner[] = [];
    this.#runners.set(id, { boot, capacity, received, lostAtMs: null });
    this.#reports.present(id, leases);
    return received;
  }

  leave(runnerId: string, nowMs: number): void {
    const runner = this.#present(runnerId);
    if (runner !== null) runner.lostAtMs = nowMs + RUNNER_GRACE_MS;
  }

  accept(runnerId: string, lease: LeaseRef): void {
    this.#reports.accepted(runnerId, lease);
  }

  decline(runnerId: string, lease: LeaseRef): void {
    this.#reports.declined(runnerId, lease);
  }

  end(runnerId: string, lease: LeaseRef): void {
    this.#reports.ended(runnerId, lease);
  }

  /** Gives up runners that have not come back. */
  check(nowMs: number): void {
    for (const [id, { lostAtMs }] of this.#runners) {
      if (lostAtMs === null || lostAtMs > nowMs) continue;
      this.#runners.delete(id);
      this.#reports.lost(id);
    }
  }

  runnerCount(): number {
    return [...this.#runners.values()].filter(({ lostAtMs }) => lostAtMs === null).length;
  }

  freeRunner(leaseCounts: ReadonlyMap<string, number>): string | null {
    for (const [id, { capacity, lostAtMs }] of this.#runners) {
      if (lostAtMs === null && capacity > (leaseCounts.get(id) ?? 0)) return id;
    }
    return null;
  }

  offer(runnerId: string, grant: Grant): boolean {
    return this.#send(runnerId, { type: "offer", ...grant });
  }

  stop(runnerId: string, lease: LeaseRef): boolean {
    return this.#send(runnerId, { type: "stop", lease });
  }

  kill(runnerId: string, lease: LeaseRef): boolean {
    return this.#send(runnerId, { type: "kill", lease });
  }

  #send(runnerId: string, message: PoolToRunner): boolean {
    const runner = this.#present(runnerId);
    runner?.received.push(message);
    return runner !== null;
  }

  #present(runnerId: string): FakeRunnerState | null {
    const runner = this.#runners.get(runnerId);
    return runner === undefined || runner.lostAtMs !== null ? null : runner;
  }
}
