/** Where Node keeps what it has compiled of our programs and of packages: a start reads it in place of compiling them again. */
import path from "node:path";

/** Beside the packages: it goes with them, and Node looks at each file's content before it uses what is there. */
export function compiledFolder(root: string): string {
  return path.join(root, "node_modules", ".cache", "reveille-compiled");
}
