/** Runs an environment's setup script in the sandbox, and sees to it that nothing of it goes on. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Redactor } from "#rules/secrets/redactor.ts";
import type { RunFolder } from "../process/run-folder.ts";
import { awaitProcess, type Command } from "../process/spawn.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { type OutputEvent, SetupOutput } from "./setup-output.ts";

export interface ScriptOptions {
  script: string;
  /** As commands see it. */
  folder: RunFolder;
  sandbox: Sandbox;
  env: Record<string, string>;
  deadlineMs: number;
  signal: AbortSignal;
  /** What must not be in its output. */
  secrets: readonly string[];
  onOutput(event: OutputEvent): void;
}

export type ScriptEnd =
  | { how: "done" | "aborted" | "timed_out" | "not_started" }
  /** @property code null when a signal ended it. */
  | { how: "failed"; code: number | null; lastWords: string };

/** Both outputs are one, in the order in which they were written. */
const JOINED = ["/bin/sh", "-c", 'exec "$@" 2>&1', "setup"] as const;

export async function runScript(options: ScriptOptions): Promise<ScriptEnd> {
  const { script, folder, sandbox, env, deadlineMs, signal, secrets, onOutput } = options;
  const file = join(folder.launch, "setup.sh");
  await writeFile(file, scriptText(script), { mode: 0o755 });
  const output = new SetupOutput(onOutput, new Redactor(secrets));
  const child = sandbox.start([...JOINED, ...scriptCommand(script, file)], { cwd: folder.home, env });
  child.stdout.on("data", (bytes: Buffer) => output.add(bytes));
  child.stderr.on("data", (bytes: Buffer) => output.add(bytes));
  // What it has left in the background may hold its output open.
  child.once("exit", () => void sandbox.endLeftOver());
  const end = await awaitProcess(child, { deadlineMs, outputCapBytes: 0, signal });
  await sandbox.endLeftOver();
  const lastWords = output.close();
  if (end.how !== "exited") return { how: end.how };
  return end.code === 0 ? { how: "done" } : { how: "failed", code: end.code, lastWords };
}

/** As it is written, but for what only editors of other systems put in. */
export function scriptText(script: string): string {
  const text = script.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
  return text.endsWith("\n") ? text : `${text}\n`;
}

/** A script that names its program in its first line is run by that one. */
function scriptCommand(script: string, file: string): Command {
  return scriptText(script).startsWith("#!") ? [file] : ["/bin/bash", file];
}
