/** What is done about the containers that an instance has left at its engine. */
import { setTimeout as delay } from "node:timers/promises";
import { containerKey } from "#scripts/containers/container-key.ts";
import { LeftContainers } from "#scripts/containers/left-containers.ts";
import { messageOf } from "#scripts/outcome.ts";
import type { HostOrder } from "./host-order.ts";

/** An engine that does not answer holds up neither start nor end. */
const ENGINE_DEADLINE_MS = 5_000;
const LOOK_MS = 60_000;

export interface Broom {
  /** Removes every container of the instance; a fault is told, and holds nothing up. */
  sweep: () => Promise<void>;
  /** Removes once a minute what is left of containers that have ended. */
  watch: () => Promise<never>;
}

/** @param tell takes lines for the log. */
export function broom({ containers, storage }: HostOrder, tell: (line: string) => void): Broom | null {
  if (containers === null) return null;
  const left = new LeftContainers(containers.engine, containerKey(storage), ENGINE_DEADLINE_MS);
  const say = async (removing: Promise<number>) => {
    try {
      const count = await removing;
      if (count > 0) tell(`containers that were left are removed: ${count}`);
    } catch (error) {
      tell(`containers that were left could not be removed: ${messageOf(error)}`);
    }
  };
  return {
    sweep: () => say(left.removeAll()),
    watch: async () => {
      for (;;) {
        await delay(LOOK_MS);
        await say(left.removeLeft());
      }
    },
  };
}
