/** Writes the bindings of a wrangler.toml as Miniflare's options. A program of its own, because wrangler loads slowly. */
import { writeFileSync } from "node:fs";
import { unstable_getMiniflareWorkerOptions as getWorkerOptions } from "wrangler";

// Into a file: on its output wrangler says things of its own.
const [config = "", output = ""] = process.argv.slice(2);
writeFileSync(output, JSON.stringify(getWorkerOptions(config).workerOptions));
