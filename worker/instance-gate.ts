/** Keeps to the rate limit of the whole instance, with few calls: each isolate takes permits for several requests. */
import type { Permits } from "#durable-objects/peers.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { errorText, logLine } from "#protocol/log.ts";

export interface InstanceGate {
  /** Whether one more request may start something. Refuses with `instance_rate_limited`. */
  enter(nowMs: number): Promise<Result<null>>;
  /** The request has started nothing after all: its permit is the next one's. */
  giveBack(): void;
}

const PERMITS_AT_ONCE = 20;
/** Permits that nobody uses in this time are no more: else many isolates could save them up. */
const PERMIT_MS = 10_000;

/** @param take asks the instance's counter for permits. */
export function instanceGate(take: (count: number) => Promise<Permits>): InstanceGate {
  let permits = 0;
  let endsAtMs = 0;
  return {
    enter: async (nowMs) => {
      if (nowMs >= endsAtMs) permits = 0;
      if (permits > 0) {
        permits -= 1;
        return success(null);
      }
      try {
        const { taken, retry_after_s } = await take(PERMITS_AT_ONCE);
        if (taken === 0) return refuse("instance_rate_limited", { retry_after_s });
        permits += taken - 1;
        endsAtMs = nowMs + PERMIT_MS;
      } catch (error) {
        // A counter that can't be reached stops nobody: each routine still has a limit of its own.
        logLine("warn", { what: "instance_gate", outcome: errorText(error) });
      }
      return success(null);
    },
    giveBack: () => {
      permits += 1;
    },
  };
}
