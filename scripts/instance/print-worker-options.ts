/** Prints the bindings of a wrangler.toml as Miniflare's options. A program of its own, because wrangler loads slowly. */
import { unstable_getMiniflareWorkerOptions as getWorkerOptions } from "wrangler";

const [config = "wrangler.toml"] = process.argv.slice(2);
process.stdout.write(JSON.stringify(getWorkerOptions(config).workerOptions));
