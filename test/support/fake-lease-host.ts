/** A host of leases in memory. It keeps the same contract as the real ones: `test/contracts/lease-host.ts`. */
import {
  type Grant,
  type Held,
  type HostReports,
  KILL_DEADLINE_MS,
  type LeaseHost,
} from "#durable-objects/pool/hosts/lease-host.ts";
import type { RunnerKind } from "#protocol/run.ts";
import { type LeaseRef, type PoolToRunner, RUNNER_GRACE_MS } from "#protocol/runner-link.ts";

interface FakeRunnerState {
  boot: string;
  capacity: number;
  /** The offers, stops and kills that its present connection has brought. */
  received: PoolToRunner[];
  isGone: boolean;
  /** Until when it has to come back, or to be heard of. */
  lostAtMs: number;
  /** Until when it has to give a sign after a kill. */
  killedAtMs: number;
  fullUntilMs: number;
}

const FULL_MS = 5_000;
const NEVER = Number.POSITIVE_INFINITY;

export class FakeLeaseHost implements LeaseHost {
  readonly kind: RunnerKind;
  readonly beginsOnce: boolean;
  readonly #reports: HostReports;
  readonly #runners = new Map<string, FakeRunnerState>();

  constructor(reports: HostReports, kind: RunnerKind = "local") {
    this.#reports = reports;
    this.kind = kind;
    this.beginsOnce = kind === "container";
  }

  /** A runner comes, or comes back. @returns what will reach it over this connection. */
  join(start: { id: string; boot: string; capacity: number; leases: readonly LeaseRef[] }): readonly PoolToRunner[] {
    const { id, boot, capacity, leases } = start;
    const before = this.#runners.get(id);
    if (before !== undefined && before.boot !== boot) this.#reports.lost(id);
    const received: PoolToRunner[] = [];
    const lostAtMs = Date.now() + RUNNER_GRACE_MS;
    this.#runners.set(id, { boot, capacity, received, isGone: false, lostAtMs, killedAtMs: NEVER, fullUntilMs: 0 });
    for (const lease of this.#reports.present(id, leases)) this.stop(id, lease);
    return received;
  }

  leave(place: string, nowMs: number): void {
    const runner = this.#present(place);
    if (runner !== null) Object.assign(runner, { isGone: true, lostAtMs: nowMs + RUNNER_GRACE_MS, killedAtMs: NEVER });
  }

  accept(place: string, lease: LeaseRef): void {
    this.#hear(place);
    if (!this.#reports.accepted(place, lease)) this.stop(place, lease);
  }

  decline(place: string, lease: LeaseRef): void {
    const runner = this.#hear(place);
    if (runner !== null) runner.fullUntilMs = Date.now() + FULL_MS;
    this.#reports.declined(place, lease);
  }

  end(place: string, lease: LeaseRef): void {
    this.#hear(place);
    this.#reports.ended(place, lease);
  }

  place(held: Held, nowMs: number): string | null {
    for (const [id, { capacity, isGone, fullUntilMs }] of this.#runners) {
      if (!isGone && fullUntilMs <= nowMs && capacity > (held.get(id) ?? 0)) return id;
    }
    return null;
  }

  size(): number {
    return [...this.#runners.values()].filter(({ isGone }) => !isGone).length;
  }

  async offer(place: string, grant: Grant): Promise<"sent" | "gone"> {
    return this.#send(place, { type: "offer", ...grant }) ? "sent" : "gone";
  }

  stop(place: string, lease: LeaseRef): void {
    this.#send(place, { type: "stop", lease });
  }

  kill(place: string, lease: LeaseRef, nowMs: number): void {
    const runner = this.#present(place);
    if (runner !== null) runner.killedAtMs = nowMs + KILL_DEADLINE_MS;
    this.#send(place, { type: "kill", lease });
  }

  next(nowMs: number, held: Held): number | null {
    const moments = [...this.#runners].flatMap(([id, { isGone, lostAtMs, killedAtMs, fullUntilMs }]) => [
      isGone || held.has(id) ? lostAtMs : NEVER,
      killedAtMs,
      fullUntilMs > nowMs ? fullUntilMs : NEVER,
    ]);
    const next = Math.min(...moments);
    return Number.isFinite(next) ? next : null;
  }

  look(nowMs: number): void {
    for (const [id, { lostAtMs, killedAtMs }] of this.#runners) {
      if (Math.min(lostAtMs, killedAtMs) > nowMs) continue;
      this.#runners.delete(id);
      this.#reports.lost(id);
    }
  }

  #hear(place: string): FakeRunnerState | null {
    const runner = this.#present(place);
    if (runner !== null) Object.assign(runner, { lostAtMs: Date.now() + RUNNER_GRACE_MS, killedAtMs: NEVER });
    return runner;
  }

  #send(place: string, message: PoolToRunner): boolean {
    const runner = this.#present(place);
    runner?.received.push(message);
    return runner !== null;
  }

  #present(place: string): FakeRunnerState | null {
    const runner = this.#runners.get(place);
    return runner === undefined || runner.isGone ? null : runner;
  }
}
