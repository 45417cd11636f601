/** How the worker's host has the containers of objects run, and what it does about those that are left. */
import { setTimeout as delay } from "node:timers/promises";
import { containerKey, LeftContainers } from "#scripts/containers/left-containers.ts";
import { messageOf } from "#scripts/outcome.ts";
import type { HostOrder } from "./host-order.ts";

/** An engine that does not answer holds up neither start nor end. */
const ENGINE_DEADLINE_MS = 5_000;
const LOOK_MS = 60_000;

/** Miniflare's options of an object, as far as they are about containers. */
interface ObjectOptions {
  unsafeUniqueKey?: string;
  /** Images by name, or one for all, as the configuration's scheduling policy has it. */
  container?: { images: { name: string; image: string }[] } | { imageName: string };
}

/** The engine, as an option of Miniflare. */
export function engineOption({ containers }: HostOrder) {
  if (containers === null) return {};
  const { engine, sidecar } = containers;
  return { containerEngine: { localDocker: { socketPath: engine, containerEgressInterceptorImage: sidecar } } };
}

/**
 * Objects with containers get the image that is there in place of the one that wrangler would build, or none, and a key by
 * which this instance finds its containers.
 */
export function withContainers(
  objects: Record<string, ObjectOptions>,
  { containers, storage }: HostOrder,
): Record<string, ObjectOptions> {
  return Object.fromEntries(
    Object.entries(objects).map(([name, { container, ...options }]) => {
      if (container === undefined) return [name, options];
      const keyed = { ...options, unsafeUniqueKey: containerKey(storage) };
      if (containers === null) return [name, keyed];
      const { image } = containers;
      const own =
        "images" in container ? { images: container.images.map((one) => ({ ...one, image })) } : { imageName: image };
      return [name, { ...keyed, container: own }];
    }),
  );
}

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
