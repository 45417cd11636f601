/**
 * Writes the bindings of a wrangler.toml as Miniflare's options, without the web app's: the worker's host binds it in its
 * own way, and names the image of containers. They name no place either, so what is built may lie elsewhere later.
 * A program of its own, because wrangler loads slowly.
 */
import { writeFileSync } from "node:fs";
import { unstable_getMiniflareWorkerOptions as getWorkerOptions } from "wrangler";

// Into a file: on its output wrangler says things of its own.
const [config = "", output = ""] = process.argv.slice(2);
const {
  assets: _assets,
  rootPath: _rootPath,
  ...options
} = getWorkerOptions(config, undefined, {
  // Without it wrangler refuses a configuration with containers whose image is built.
  containerBuildId: "local",
}).workerOptions;
writeFileSync(output, JSON.stringify(options));
