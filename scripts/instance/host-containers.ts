/** How the worker's host has the containers of objects run. */
import { containerKey } from "#scripts/containers/container-key.ts";
import type { HostOrder } from "./host-order.ts";

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
