/** `npm run image`: builds the runner's image at the container engine, unless it has it, and prints its name. */
import path from "node:path";
import { engineAddress } from "./containers/engine.ts";
import { ensureRunnerImage, readRecipe } from "./containers/runner-image.ts";
import { complain } from "./terminal.ts";

process.exit(await main(path.dirname(import.meta.dirname)));

async function main(root: string): Promise<number> {
  const [engine, recipe] = [engineAddress(process.env["DOCKER_HOST"]), readRecipe(process.env)];
  if (!engine.ok || !recipe.ok) {
    for (const read of [engine, recipe]) if (!read.ok) complain(read.message);
    return 1;
  }
  const built = await ensureRunnerImage({
    root,
    engine: engine.value,
    recipe: recipe.value,
    environment: process.env,
    say: complain,
  });
  if (built.ok) process.stdout.write(`${built.value}\n`);
  else complain(built.message);
  return built.ok ? 0 : 1;
}
