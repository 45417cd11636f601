/** For how long no container is started for a lease, after one could not be. Moments are Unix milliseconds. */
import { backoffMs } from "#rules/backoff.ts";
import type { ContainerObstacle } from "#rules/pool/why-waiting.ts";

const LONGEST_MS = 60_000;

export class StartPause {
  #untilMs = 0;
  /** How often in a row. */
  #failures = 0;
  #why: ContainerObstacle = "no_room";
  /** A lease has come that does not fit the containers that wait for one. */
  #isMisfit = false;

  begin(why: ContainerObstacle, nowMs: number): void {
    this.#failures += 1;
    this.#untilMs = nowMs + Math.min(LONGEST_MS, backoffMs(this.#failures + 1));
    this.#why = why;
    this.#isMisfit = false;
  }

  end(): void {
    this.#untilMs = 0;
  }

  /** Work goes on: the next pause is a short one. */
  succeeded(): void {
    this.#failures = 0;
  }

  /** The lease that is next fits nothing that waits for one: until the pause ends it is not tried again. */
  misfit(): void {
    this.#isMisfit = true;
  }

  /** When it ends; null when there is none. */
  until(nowMs: number): number | null {
    return this.#untilMs > nowMs ? this.#untilMs : null;
  }

  why(nowMs: number): ContainerObstacle | null {
    return this.#untilMs > nowMs ? this.#why : null;
  }

  /** Whether leases can be given to containers that are there already. */
  sparesWarm(nowMs: number): boolean {
    return this.why(nowMs) === "no_room" && !this.#isMisfit;
  }
}
