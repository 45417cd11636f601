/** What the person set for a local instance: the environment, and below it `.dev.vars`. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";
import { z } from "zod";
import { GIVEN_VARIABLES } from "#instance/config.ts";
import { engineAddress, PUBLIC_SIDECAR } from "#scripts/containers/engine.ts";
import { type ImageRecipe, readRecipe } from "#scripts/containers/runner-image.ts";
import { codeOf, failed, messageOf, type Outcome, succeeded } from "#scripts/outcome.ts";

/** Variables of the runner that `npm start` passes on. */
const RUNNER_VARIABLES = [
  "REVEILLE_SANDBOX",
  "REVEILLE_CAPACITY",
  "REVEILLE_SPARES",
  "REVEILLE_PREPARED_AGENTS",
  "REVEILLE_PREPARED_ROUTINES",
  "REVEILLE_RUN_PROCESSES",
  "REVEILLE_RUN_MEMORY_MIB",
  "REVEILLE_RUN_DISK_MIB",
] as const;

const DEFAULT_PORT = 8787;

/** How runs get containers of their own. */
export interface ContainerSettings {
  /** How many at once. */
  count: number;
  /** The engine's address. */
  engine: string;
  /** The image of the side-cars that containers' traffic goes through. */
  sidecar: string;
  /** The runner's image: one that is there, or how it is built from this project. */
  image: string | ImageRecipe;
}

export interface Settings {
  port: number;
  /** Absolute. */
  stateFolder: string;
  /** Variables and secrets that go to the worker as they are; it checks them, all at once. */
  workerVariables: Record<string, string>;
  runnerVariables: Record<string, string>;
  /** Whether runs use a real model; otherwise they use the offline demo model. */
  hasModelKey: boolean;
  /** null where the local runner works on runs. */
  containers: ContainerSettings | null;
}

const portSchema = z.coerce.number().int().min(1).max(65_535);
const containersSchema = z.coerce.number().int().min(0).max(1_000);

/**
 * @param environment wins over `.dev.vars`; an empty variable counts as one that is not set.
 * @param root the project's folder, where `.dev.vars` and by default the state are.
 */
export function readSettings(environment: NodeJS.ProcessEnv, root: string): Outcome<Settings> {
  const file = path.join(root, ".dev.vars");
  const fromFile = readDevVars(file);
  if (!fromFile.ok) return fromFile;
  const given = { ...fromFile.value, ...withoutEmpty(environment) };
  const port = portSchema.safeParse(given["PORT"] ?? DEFAULT_PORT);
  if (!port.success) return failed(`PORT is "${given["PORT"]}": it must be a number from 1 to 65535.`);
  const containers = readContainers(given);
  if (!containers.ok) return containers;
  const workerVariables = pick(given, GIVEN_VARIABLES);
  return succeeded({
    port: port.data,
    stateFolder: path.resolve(root, given["REVEILLE_STATE"] ?? ".reveille"),
    workerVariables,
    runnerVariables: pick(given, RUNNER_VARIABLES),
    hasModelKey: workerVariables["ANTHROPIC_API_KEY"] !== undefined,
    containers: containers.value,
  });
}

function readContainers(given: Record<string, string>): Outcome<ContainerSettings | null> {
  const count = containersSchema.safeParse(given["REVEILLE_CONTAINERS"] ?? 0);
  if (!count.success) {
    const found = `REVEILLE_CONTAINERS is "${given["REVEILLE_CONTAINERS"]}"`;
    return failed(`${found}: it must be how many containers may work at once, a number up to 1000, or 0 for none.`);
  }
  if (count.data === 0) return succeeded(null);
  const engine = engineAddress(given["DOCKER_HOST"]);
  if (!engine.ok) return engine;
  const recipe = readRecipe(given);
  if (!recipe.ok) return recipe;
  return succeeded({
    count: count.data,
    engine: engine.value,
    sidecar: given["MINIFLARE_CONTAINER_EGRESS_IMAGE"] ?? PUBLIC_SIDECAR,
    image: given["REVEILLE_IMAGE"] ?? recipe.value,
  });
}

function readDevVars(file: string): Outcome<Record<string, string>> {
  try {
    return succeeded(withoutEmpty(parseEnv(readFileSync(file, "utf8"))));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return succeeded({});
    return failed(`${file} can't be read (${messageOf(error)}): repair or remove it.`);
  }
}

function pick(given: Record<string, string>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])));
}

function withoutEmpty(variables: NodeJS.Dict<string>): Record<string, string> {
  const entries = Object.entries(variables);
  return Object.fromEntries(entries.flatMap(([name, value]) => (value ? [[name, value]] : [])));
}
