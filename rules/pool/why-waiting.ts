/** Why runs wait in a pool, in words for people. Pure. */
import { DEFAULT_POOL, type PoolWaits, type RunnerState, type WaitReason } from "#protocol/pool.ts";

/** `no_room`: the platform has none, or starts were asked for too fast. `silent`: nobody answers who starts containers. */
export type ContainerObstacle = "no_room" | "silent";

export interface PoolState {
  name: string;
  /** How many containers the instance may run at once; 0 in a pool without. */
  containers: number;
  /** Why no container is started just now, though not all are busy; null when that is not so. */
  obstacle: ContainerObstacle | null;
  /** Whether a run waits that needs what none of the runners that take work knows. By default not. */
  isUnmet?: boolean;
  /** Those that have gone or were refused: the newest first. */
  runners: readonly { state: RunnerState; reason: string | null }[];
}

/** @returns why a pool that has no room has none. */
export function whyWaiting({ name, containers, obstacle, runners, isUnmet = false }: PoolState): PoolWaits {
  const pool = name === DEFAULT_POOL ? "the default pool" : `the pool "${name}"`;
  const count = (state: RunnerState) => runners.filter((runner) => runner.state === state).length;
  const working = count("busy") + count("idle");
  const draining = count("draining");
  // One that was refused days ago says nothing where another has served since.
  const last = runners.find(({ state }) => state === "refused" || state === "lost");
  if (containers > 0 && obstacle === "no_room") {
    return waits("no_room", `The platform has no room for another container of ${pool} just now.`);
  }
  if (containers > 0 && obstacle === "silent") {
    return waits("containers_silent", `Whatever starts containers of ${pool} does not answer just now.`);
  }
  if (containers === 0 && working > 0 && isUnmet) {
    const message = `No runner of ${pool} knows environments and tool policies, and a run waits whose environment sets variables, a setup script or hosts, or whose routine says which tools its agent may call.`;
    return waits("runners_too_old", message);
  }
  if (containers > 0 || working > 0) {
    const all = [
      ...(containers > 0 ? [`${containers} ${containers === 1 ? "container" : "containers"}`] : []),
      ...(working > 0 ? [`${working} ${working === 1 ? "runner" : "runners"}`] : []),
    ];
    return waits("all_busy", `Everything in ${pool} is busy: ${all.join(" and ")}.`);
  }
  if (draining > 0) return waits("all_draining", `No runner of ${pool} takes more work: all ${draining} are draining.`);
  if (last?.state === "refused") {
    return waits("version_too_old", `No runner of ${pool} is served: ${last.reason ?? "its version is not known"}.`);
  }
  return waits("no_runner", `There is no runner in ${pool}.`);
}

const HINTS: Record<WaitReason, string> = {
  no_runner: "Start a runner with the pool's token; its log says why it can't reach the instance.",
  version_too_old: "Bring runner and instance to the same version: the one that is behind is updated.",
  runners_too_old:
    "Update the pool's runners: one of this version takes such a run at once. The older ones serve the others.",
  all_draining: "Start another runner, or start them again: a runner that drains ends with its last run.",
  no_room:
    "Wait: it is tried again within a minute, and no attempt is used up. A registered runner takes such runs at once.",
  containers_silent:
    "Wait: it is tried again within a minute; after a dozen tries a run ends as containers_unavailable. The instance's log tells more.",
  pool_silent: "Ask again soon; no run is lost while it waits.",
  all_busy: "Wait, or add a runner or capacity. No run is lost while it waits.",
};

/** With the hint that goes with the reason. */
export function waits(reason: WaitReason, message: string): PoolWaits {
  return { reason, message, hint: HINTS[reason] };
}
