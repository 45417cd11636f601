/** Has a local instance's files forget what was deleted in its databases, while nobody has them open. */
import { existsSync } from "node:fs";
import path from "node:path";
import { runCommand } from "#scripts/child-process.ts";
import { toolEnvironment } from "./tool-environment.ts";

/** What is left then is for the next time. Databases of a few hundred MB are written anew in a second or two. */
const DEADLINE_MS = 60_000;

/** @param storage the folder of the databases, which need not be there. @param signal leaves what is not done yet to the next time. Never rejects. */
export async function forgetDeleted(storage: string, signal: AbortSignal): Promise<void> {
  if (!existsSync(storage)) return;
  const program = path.join(import.meta.dirname, "rewrite-databases.ts");
  const options = ["--disable-warning=ExperimentalWarning", program, storage];
  await runCommand(process.execPath, options, { env: toolEnvironment(), deadlineMs: DEADLINE_MS, signal });
}
