/**
 * Where leases are worked on: the port behind which a pool's runners stand.
 *
 * A host has places, each with room for one lease or more: runners that have registered over a socket
 * (`registered-runners.ts`), or places that it makes when one is wanted. A place is named by its host, and its name is
 * not used twice for two things. Whatever the host, the pool offers a lease to a place, and hears of its end once the work
 * can no longer go on.
 */
import type { PoolRunner } from "#protocol/pool.ts";
import type { RunnerKind } from "#protocol/run.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { LeaseEnd } from "#rules/run/inputs.ts";

/** What a runner needs to dial the run of a lease. */
export interface Grant {
  lease: LeaseRef;
  link_token: string;
  proxy_token: string;
}

/** How many leases each place of a host has in hand, by the place's name. */
export type Held = ReadonlyMap<string, number>;

/** Work that was killed is gone within this time. Longer than two pings of a runner are apart: one that lives is heard of. */
export const KILL_DEADLINE_MS = 6_000;

/** Moments are Unix milliseconds. All methods but `offer` answer at once. */
export interface LeaseHost {
  readonly kind: RunnerKind;
  /** Whether a lease that is offered to it twice begins once. One whose offer has expired may then be offered again. */
  readonly beginsOnce: boolean;
  /**
   * A place with room for one lease more, given what is held; null when there is none now. Asking changes nothing. A
   * place that has declined or was gone is not named again before something has changed, or some time has passed.
   * @param needs options of the link that the lease needs: only a place that knows them is named. By default none.
   */
  place(held: Held, nowMs: number, needs?: readonly string[]): string | null;
  /** How many places there could be, busy or not. */
  size(): number;
  /**
   * Hands a lease to a place, which tells whether it accepts.
   * @returns "gone" when the place can't be reached, and nothing has begun: the lease waits on, and no attempt is used up.
   */
  offer(place: string, grant: Grant): Promise<"sent" | "gone">;
  /** Asks for the work of a lease to be stopped, which is then told as `ended`. Asking twice changes nothing. */
  stop(place: string, lease: LeaseRef): void;
  /** Ends the work of a lease by force, and no other's. A place that gives no sign within KILL_DEADLINE_MS is lost. */
  kill(place: string, lease: LeaseRef, nowMs: number): void;
  /**
   * When `look` has to be called; null while there is nothing to watch. It is asked after each change, and the pool's alarm is
   * armed for it. @param held places with leases: it has to be noticed when one of them falls silent.
   */
  next(nowMs: number, held: Held): number | null;
  /** Looks after the places, and gives up those that are lost. Nothing is due afterwards. @param held as for `next`. */
  look(nowMs: number, held: Held): void;
}

/** A host whose runners dial in. */
export interface SocketHost extends LeaseHost {
  /** Takes in a runner's socket. @param tokenId of the pool's token, which the worker has checked; null for RUNNER_TOKEN. */
  accept(tokenId: string | null, nowMs: number): Response;
  /** Closes the sockets that were let in by other tokens of the pool than these. Done twice, it changes nothing. */
  keepOnly(tokenIds: readonly string[], nowMs: number): void;
  /** Whether any runner that takes work knows all these options of the link. */
  knows(needs: readonly string[]): boolean;
  /** The runners that there are, and those that have gone or were refused lately. */
  runners(held: Held, nowMs: number): PoolRunner[];
  receive(socket: WebSocket, text: string, nowMs: number): void;
  /** The socket has closed, or has failed. */
  closed(socket: WebSocket, nowMs: number): void;
}

/** What a host tells its pool. The same report twice changes nothing. */
export interface HostReports {
  /** @returns false when the pool has given the lease to another, or to nobody: the host has its work stopped. */
  accepted(place: string, lease: LeaseRef): boolean;
  /**
   * The work of a lease goes on at the place, whatever became of its offer. To be told by hosts that begin a lease once.
   * @returns false when it has to be stopped, as for `accepted`.
   */
  atWork(place: string, lease: LeaseRef): boolean;
  /**
   * The place has no room, or wants no more work: nothing of the lease's work has begun. @param why `unanswered`: it is not known
   * whether it has begun, but if the lease is offered again it is not begun twice.
   */
  declined(place: string, lease: LeaseRef, why?: "no_room" | "unanswered"): void;
  /** All processes of the lease's work are gone. @param end why, where it is not that the work was over. */
  ended(place: string, lease: LeaseRef, end?: LeaseEnd): void;
  /** The place has come, or has come back, with exactly these leases in hand. @returns those whose work has to be stopped. */
  present(place: string, inHand: readonly LeaseRef[]): readonly LeaseRef[];
  /** The place is gone, with whatever it had in hand. */
  lost(place: string): void;
}
