/** What runs of containers need on this machine, looked for before the instance starts. */
import { faultOfEngine, hasImage } from "#scripts/containers/engine.ts";
import type { ImageRecipe } from "#scripts/containers/runner-image.ts";
import { failed, messageOf, type Outcome, succeeded } from "#scripts/outcome.ts";
import type { HostOrder } from "./host-order.ts";
import type { ContainerSettings } from "./settings.ts";

const LOOK_DEADLINE_MS = 10_000;
const WITHOUT = "or start without REVEILLE_CONTAINERS";

/**
 * @param build has the runner's image made when the engine lacks it. @returns its name.
 * @returns what the worker's host has to know; null where runs get no containers. What is missing is told together with what to do.
 */
export async function prepareContainers(
  settings: ContainerSettings | null,
  build: (recipe: ImageRecipe, engine: string) => Promise<Outcome<string>>,
): Promise<Outcome<HostOrder["containers"]>> {
  if (settings === null) return succeeded(null);
  const { engine, sidecar, image: given } = settings;
  const fault = await faultOfEngine(engine, LOOK_DEADLINE_MS);
  if (fault !== null) {
    return failed(
      `No container engine answers at ${engine} (${fault}): start Docker, or podman's service, or set DOCKER_HOST to its socket, ${WITHOUT}.`,
    );
  }
  try {
    if (!(await hasImage(engine, sidecar, LOOK_DEADLINE_MS))) {
      return failed(
        `The container engine at ${engine} has no image ${sidecar}, through which the traffic of runs goes: docker pull ${sidecar}, or set MINIFLARE_CONTAINER_EGRESS_IMAGE to another, ${WITHOUT}.`,
      );
    }
    if (typeof given === "string" && !(await hasImage(engine, given, LOOK_DEADLINE_MS))) {
      return failed(
        `The container engine at ${engine} has no image ${given}, which REVEILLE_IMAGE names: build or pull it, or leave REVEILLE_IMAGE out, and the runner's is built.`,
      );
    }
  } catch (error) {
    return failed(
      `The container engine at ${engine} can't tell its images (${messageOf(error)}): repair it, ${WITHOUT}.`,
    );
  }
  const image = typeof given === "string" ? succeeded(given) : await build(given, engine);
  return image.ok ? succeeded({ engine, sidecar, image: image.value }) : image;
}
