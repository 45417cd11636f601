/** Images that the suite makes at the engine, of the runner's. */
import assert from "node:assert/strict";
import path from "node:path";
import { z } from "zod";
import { ensureRunnerImage, readRecipe } from "#scripts/containers/runner-image.ts";
import { ENGINE, mustAsk, removeContainer } from "./engine.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const configSchema = z.object({
  Config: z.object({ Entrypoint: z.array(z.string()).nullable(), Cmd: z.array(z.string()).nullable() }),
});
const idSchema = z.object({ Id: z.string() });

/** The runner's image, built when the engine does not have it. */
export async function runnerImage(): Promise<string> {
  const given = process.env["REVEILLE_IMAGE"];
  if (given !== undefined && given !== "") return given;
  const recipe = readRecipe(process.env);
  assert.ok(recipe.ok);
  const options = { root: ROOT, engine: ENGINE, recipe: recipe.value, environment: process.env, say: console.error };
  const image = await ensureRunnerImage(options);
  assert.ok(image.ok, image.ok ? "" : image.message);
  return image.value;
}

/** One like another, whose first process ends with this code however its program has ended. */
export async function makeFailing(image: string, name: string, code: number): Promise<void> {
  const { Config } = configSchema.parse(JSON.parse((await mustAsk("GET", `/images/${image}/json`)).text));
  const program = [...(Config.Entrypoint ?? []), ...(Config.Cmd ?? [])];
  const entrypoint = JSON.stringify(["/bin/sh", "-c", `"$@"; exit ${code}`, "sh", ...program]);
  const container = idSchema.parse(JSON.parse((await mustAsk("POST", "/containers/create", { Image: image })).text));
  const [repo = "", tag = ""] = name.split(":");
  const query = new URLSearchParams({ container: container.Id, repo, tag, changes: `ENTRYPOINT ${entrypoint}` });
  await mustAsk("POST", `/commit?${query}`, {}).finally(() => removeContainer(container.Id));
}

/** Takes a name away; what has another, or is in use, stays. */
export async function forgetImage(name: string): Promise<void> {
  await mustAsk("DELETE", `/images/${name}`);
}

export async function nameImage(image: string, name: string): Promise<void> {
  const [repo = "", tag = ""] = name.split(":");
  await mustAsk("POST", `/images/${image}/tag?${new URLSearchParams({ repo, tag })}`);
}
