/** Podman on this machine, for runs in containers of it: asked for by DOCKER_HOST, as the other tests with containers are. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { engineAddress } from "#scripts/containers/engine.ts";
import { ensureRunnerImage, readRecipe } from "#scripts/containers/runner-image.ts";

const ROOT = resolve(import.meta.dirname, "../../..");

/** Why runs in containers can't be tried here, or null. */
export const noPodman: string | null = whyNoPodman();

/** Builds the image at the first call. @returns its name. */
export async function podmanImage(): Promise<string> {
  const [engine, recipe] = [engineAddress(process.env["DOCKER_HOST"]), readRecipe(process.env)];
  if (!engine.ok || !recipe.ok) throw new Error("DOCKER_HOST or the image's recipe can't be read");
  const given = { root: ROOT, engine: engine.value, recipe: recipe.value, environment: process.env };
  const built = await ensureRunnerImage({ ...given, say: () => {} });
  if (!built.ok) throw new Error(built.message);
  return built.value;
}

/** An image whose containers start, and are not the runner's. */
export function imageWithoutRunner(base: string): { name: string; remove(): void } {
  const name = `localhost/reveille-no-runner:${process.pid}`;
  execFileSync("podman", ["build", "--quiet", "--tag", name, "-"], { input: `FROM ${base}\nENTRYPOINT ["true"]\n` });
  return { name, remove: () => void execFileSync("podman", ["rmi", "--force", name]) };
}

/** The ids of the containers, in whatever state, of the runner with this state folder. */
export async function containersLike(stateFolder: string): Promise<string[]> {
  if (noPodman !== null) return [];
  const owner = createHash("sha256").update(stateFolder).digest("hex").slice(0, 16);
  const words = ["ps", "--all", "--quiet", "--filter", `label=reveille.state=${owner}`];
  return execFileSync("podman", words, { encoding: "utf8" })
    .split("\n")
    .filter((line) => line !== "");
}

function whyNoPodman(): string | null {
  if (process.env["DOCKER_HOST"] === undefined) return skipped("DOCKER_HOST names no engine");
  try {
    execFileSync("podman", ["version"], { stdio: "ignore" });
    return null;
  } catch {
    return skipped("podman does not answer");
  }
}

function skipped(why: string): string {
  process.stderr.write(`runs in podman's containers are not tried: ${why}\n`);
  return why;
}
