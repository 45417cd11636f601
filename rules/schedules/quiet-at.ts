/** When a routine's silence becomes worth telling: nothing has succeeded for longer than its schedule means. Pure. */
import type { ScheduleTrigger } from "#protocol/triggers.ts";
import { jitterMs, nextSlots, type Timing } from "./schedule.ts";

/** For a runner to be found, and for what is tried again. */
export const QUIET_GRACE_MS = 15 * 60_000;

type AwaitedTrigger = Pick<ScheduleTrigger, "id" | "jitter"> & Timing;

/**
 * The first time that comes after the last success has to bring another one: within its jitter, the longest that a run may
 * take, and a while. @param watchedSinceMs the last success, or since when one is awaited.
 * @returns Unix milliseconds; null when no schedule has a time to come.
 */
export function quietAt(triggers: readonly AwaitedTrigger[], watchedSinceMs: number, timeoutMs: number): number | null {
  const moments = triggers.flatMap((trigger) =>
    nextSlots(trigger, watchedSinceMs, 1).map((slot) => slot + jitterMs(trigger.id, trigger.jitter)),
  );
  return moments.length === 0 ? null : Math.min(...moments) + timeoutMs + QUIET_GRACE_MS;
}
