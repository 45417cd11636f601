/** What becomes of leases: asked for, offered to a host that has room, stopped, killed, and ended. */

import type { LeaseRequest } from "#instance/object-contracts.ts";
import { logTrouble } from "#protocol/log.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { chooseHost } from "#rules/pool/choose-host.ts";
import type { Grant, LeaseHost } from "./hosts/lease-host.ts";
import { type LeaseRow, type Leases, needsOf, refOf } from "./leases.ts";
import { decline, putOff } from "./take-reports.ts";

export interface LeaseEngineParts {
  leases: Leases;
  /** In the order in which they are preferred. */
  hosts: readonly LeaseHost[];
  /** Makes the tokens that go with an offer. They are not stored. */
  grant(lease: LeaseRef): Promise<Grant>;
  /** A lease waits again, or is due earlier, though nobody has called. */
  onChange(): void;
}

export class LeaseEngine {
  readonly #leases: Leases;
  readonly #hosts: readonly LeaseHost[];
  readonly #grant: LeaseEngineParts["grant"];
  readonly #onChange: () => void;

  constructor({ leases, hosts, grant, onChange }: LeaseEngineParts) {
    this.#leases = leases;
    this.#hosts = hosts;
    this.#grant = grant;
    this.#onChange = onChange;
  }

  /** Puts requests at the end of the queue. Asking twice for one is asking once. */
  ask(requests: readonly LeaseRequest[], nowMs: number): void {
    for (const { lease, routine_id, needs = [] } of requests) this.#leases.ask(lease, routine_id, needs, nowMs);
  }

  /** Takes a lease back: at once where nobody works on it, else as soon as the work has stopped. */
  release(lease: LeaseRef, nowMs: number): "freed" | "stopping" {
    const row = this.#leases.get(lease);
    if (row === null) return "freed";
    if (row.status === "waiting") {
      this.#leases.remove(lease);
      return "freed";
    }
    if (row.status === "offered" || row.status === "accepted") {
      this.#leases.stop(row, nowMs);
      if (row.place !== null) this.#hostOf(row)?.stop(row.place, lease);
    }
    return "stopping";
  }

  /** Hands waiting leases to hosts with room, the oldest first. */
  match(nowMs: number): void {
    for (;;) {
      const chosen = this.#choose(nowMs);
      if (chosen === null) return;
      const { row, host, place } = chosen;
      this.#leases.offer(row, host.kind, place, nowMs);
      void this.#offer(host, place, refOf(row));
    }
  }

  /**
   * The oldest lease that a host has room for: one that only some runners may have holds up no other. Of leases that nobody has
   * room for none is read, however many are asked for meanwhile.
   */
  #choose(nowMs: number) {
    const found = new Map<string, ReturnType<typeof chooseHost<LeaseHost>>>();
    const hostFor = (needs: string) => {
      const known = found.get(needs);
      if (known !== undefined) return known;
      const candidates = this.#hosts.map((host) => ({
        host,
        place: host.place(this.#leases.held(host.kind), nowMs, needsOf({ needs })),
      }));
      const chosen = chooseHost(candidates);
      found.set(needs, chosen);
      return chosen;
    };
    const [row] = this.#leases.nextWaiting((needs) => hostFor(needs) !== null);
    const chosen = row === undefined ? null : hostFor(row.needs);
    return row === undefined || chosen === null ? null : { row, ...chosen };
  }

  /** Sees to offers that nobody has answered, and to work that has not stopped. */
  seeToOverdue(nowMs: number): void {
    for (const row of this.#leases.due(nowMs)) {
      if (row.status === "offered") this.#expire(row, nowMs);
      if (row.status === "stopping") this.#force(row, nowMs);
    }
  }

  async #offer(host: LeaseHost, place: string, lease: LeaseRef): Promise<void> {
    try {
      const grant = await this.#grant(lease);
      const isOn = this.#rowAt(host, place, lease)?.status === "offered";
      if (isOn && (await host.offer(place, grant)) === "sent") return;
      const row = this.#rowAt(host, place, lease);
      if (row !== null && row.status !== "accepted") decline(this.#leases, row);
      this.#onChange();
    } catch (error) {
      // Nobody knows whether the offer has reached the place. If it has not, it expires.
      logTrouble("offer_failed", lease, error);
    }
  }

  #expire(row: LeaseRow, nowMs: number): void {
    const host = this.#hostOf(row);
    if (host?.beginsOnce) {
      // Whoever waited for the answer may have left memory, and the offer may have been taken.
      putOff(this.#leases, row);
      return;
    }
    if (row.place !== null) host?.stop(row.place, refOf(row));
    this.#leases.end(row, "offer_expired", nowMs);
  }

  /**
   * Work that does not stop is killed. Where even the kill shows no effect, its lease is ended; other leases of the place go
   * on.
   */
  #force(row: LeaseRow, nowMs: number): void {
    if (row.tries > 0 || row.place === null) {
      this.#leases.end(row, "runner_lost", nowMs);
      return;
    }
    this.#hostOf(row)?.kill(row.place, refOf(row), nowMs);
    this.#leases.kill(row, nowMs);
  }

  #rowAt(host: LeaseHost, place: string, lease: LeaseRef): LeaseRow | null {
    const row = this.#leases.get(lease);
    return row?.host === host.kind && row.place === place ? row : null;
  }

  #hostOf(row: LeaseRow): LeaseHost | undefined {
    return this.#hosts.find(({ kind }) => kind === row.host);
  }
}
