/** Why runs wait in a pool, in words for people. Pure. */
import { DEFAULT_POOL, type PoolWaits, type RunnerState, type WaitReason } from "#protocol/pool.ts";

export interface PoolState {
  name: string;
  /** How many containers the instance may run at once; 0 in a pool without. */
  containers: number;
  /** Those that have gone or were refused: the newest first. */
  runners: readonly { state: RunnerState; reason: string | null }[];
}

/** @returns why a pool that has no room has none. */
export function whyWaiting({ name, containers, runners }: PoolState): PoolWaits {
  const pool = name === DEFAULT_POOL ? "the default pool" : `the pool "${name}"`;
  const count = (state: RunnerState) => runners.filter((runner) => runner.state === state).length;
  const working = count("busy") + count("idle");
  const draining = count("draining");
  // One that was refused days ago says nothing where another has served since.
  const last = runners.find(({ state }) => state === "refused" || state === "lost");
  if (containers > 0 || working > 0) {
    const all = [
      ...(containers > 0 ? [`${containers} ${containers === 1 ? "container" : "containers"}`] : []),
      ...(working > 0 ? [`${working} ${working === 1 ? "runner" : "runners"}`] : []),
    ];
    return words("all_busy", `Everything in ${pool} is busy: ${all.join(" and ")}.`);
  }
  if (draining > 0) return words("all_draining", `No runner of ${pool} takes more work: all ${draining} are draining.`);
  if (last?.state === "refused") {
    return words("version_too_old", `No runner of ${pool} is served: ${last.reason ?? "its version is not known"}.`);
  }
  return words("no_runner", `There is no runner in ${pool}.`);
}

const HINTS: Record<WaitReason, string> = {
  no_runner: "Start a runner with the pool's token; its log says why it can't reach the instance.",
  version_too_old: "Bring runner and instance to the same version: the one that is behind is updated.",
  all_draining: "Start another runner, or start them again: a runner that drains ends with its last run.",
  all_busy: "Wait, or add a runner or capacity. No run is lost while it waits.",
};

function words(reason: WaitReason, message: string): PoolWaits {
  return { reason, message, hint: HINTS[reason] };
}
