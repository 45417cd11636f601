/** `npm run package`: `reveille` as a package that npm installs anywhere. */
import path from "node:path";
import { buildPackage } from "./package/build-package.ts";
import { complain, say } from "./terminal.ts";

const root = path.dirname(import.meta.dirname);
const built = await buildPackage(root, path.join(root, "dist"));
if (built.ok) say(built.value);
else {
  complain(built.message);
  process.exitCode = 1;
}
