/** `npm start`: a local instance with a demo routine, until Ctrl-C. */
import { enableCompileCache } from "node:module";
import path from "node:path";
import { compiledFolder } from "./instance/compiled.ts";
import { beginHost } from "./instance/host-program.ts";

const root = path.dirname(import.meta.dirname);
// Both load at once: the worker's host, and then the rest of this program.
const host = beginHost(root);
enableCompileCache(compiledFolder(root));
const { runInstance } = await import("./instance/run-instance.ts");
process.exit(await runInstance(root, host));
