/**
 * The runner's image at an engine, under a name that tells what is in it: the same sources have the same name, and an image that the
 * engine has is not built again.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { runCommand } from "#scripts/child-process.ts";
import { failed, messageOf, type Outcome, succeeded } from "#scripts/outcome.ts";
import { hasImage } from "./engine.ts";

export const IMAGE_VARIANTS = ["slim", "default", "browser"] as const;
export type ImageVariant = (typeof IMAGE_VARIANTS)[number];

export interface ImageRecipe {
  variant: ImageVariant;
  /** The image below; null for the Dockerfile's own. */
  base: string | null;
}

/** What goes into the image: all that .dockerignore lets in, and itself. */
const INGREDIENTS = [".dockerignore", "protocol", "rules", "sandbox-runner"];
const DOCKERFILE = path.join("sandbox-runner", "Dockerfile");
const NAME = "localhost/reveille-runner";
/** Characters of the hash: enough that two are never the same, and few enough to be read. */
const HASH_LENGTH = 16;
const LOOK_DEADLINE_MS = 10_000;
/** On a slow line half a gigabyte of packages takes long. */
const BUILD_DEADLINE_MS = 1_800_000;
/** What Docker's and podman's programs look for in their environment: which engine, its settings, the way to a registry. */
const PASSED_ON = /^(PATH|HOME|USER|TMPDIR|XDG_\w+|DOCKER_\w+|CONTAINERS_\w+|\w+_PROXY|\w+_proxy)$/;

/** @param environment REVEILLE_IMAGE_VARIANT and REVEILLE_IMAGE_BASE. */
export function readRecipe(environment: Readonly<Record<string, string | undefined>>): Outcome<ImageRecipe> {
  const { REVEILLE_IMAGE_VARIANT: given = "", REVEILLE_IMAGE_BASE: base = "" } = environment;
  const variant = IMAGE_VARIANTS.find((one) => one === (given === "" ? "default" : given));
  if (variant !== undefined) return succeeded({ variant, base: base === "" ? null : base });
  return failed(`REVEILLE_IMAGE_VARIANT is "${given}": it is ${IMAGE_VARIANTS.join(", ")}.`);
}

/** @param root the project's folder. @returns for instance `localhost/reveille-runner:default-0123456789abcdef`. */
export function runnerImageName(root: string, { variant, base }: ImageRecipe): string {
  const hash = createHash("sha256").update(`${base ?? ""}\0`);
  for (const file of INGREDIENTS.flatMap((name) => filesOf(root, name)).sort()) {
    const content = readFileSync(path.join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return `${NAME}:${variant}-${hash.digest("hex").slice(0, HASH_LENGTH)}`;
}

export interface ImageOptions {
  root: string;
  /** The engine's address, as `engineAddress` gives it. */
  engine: string;
  recipe: ImageRecipe;
  environment: Readonly<Record<string, string | undefined>>;
  /** Told before a build, which takes minutes the first time. */
  say(line: string): void;
  signal?: AbortSignal;
}

/** Builds the image with the `docker` program (WRANGLER_DOCKER_BIN, as wrangler does), unless the engine has it. @returns its name. */
export async function ensureRunnerImage(options: ImageOptions): Promise<Outcome<string>> {
  const { root, engine, recipe, environment, say } = options;
  const name = runnerImageName(root, recipe);
  try {
    if (await hasImage(engine, name, LOOK_DEADLINE_MS)) return succeeded(name);
  } catch (error) {
    return failed(`The container engine at ${engine} can't tell its images: ${messageOf(error)}`);
  }
  say(`Building the runner's image ${name} …`);
  const program = environment["WRANGLER_DOCKER_BIN"] ?? "docker";
  const given = recipe.base === null ? [] : ["--build-arg", `BASE=${recipe.base}`];
  const words = ["--build-arg", `VARIANT=${recipe.variant}`, ...given, "--file", DOCKERFILE, "--tag", name, "."];
  const built = await runCommand(program, ["build", ...words], {
    cwd: root,
    env: { ...passedOn(environment), DOCKER_HOST: engine },
    deadlineMs: BUILD_DEADLINE_MS,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  if (built.ok) return succeeded(name);
  return failed(
    `The runner's image could not be built. ${built.message}\nWRANGLER_DOCKER_BIN names the program if it is not docker; REVEILLE_IMAGE_BASE another image below, REVEILLE_IMAGE one that is built already.`,
  );
}

function passedOn(environment: ImageOptions["environment"]): Record<string, string> {
  const known = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && PASSED_ON.test(entry[0]),
  );
  return Object.fromEntries(known);
}

/** A file, or the files in a folder, as paths from the root with slashes. */
function filesOf(root: string, name: string): string[] {
  if (statSync(path.join(root, name)).isFile()) return [name];
  return readdirSync(path.join(root, name)).flatMap((entry) => filesOf(root, `${name}/${entry}`));
}
