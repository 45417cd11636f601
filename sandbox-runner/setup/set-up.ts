/** The phase `setup`: what an environment's script makes is in the run's home afterwards, and nothing else of it is left. */
import { type RunError, runError } from "#protocol/run-errors.ts";
import type { RunnerEvent } from "#protocol/transcript.ts";
import { oneLine } from "../agent/outcome.ts";
import { emptyFolder } from "../process/run-folder.ts";
import { runScript, type ScriptEnd, type ScriptOptions } from "./run-script.ts";

export interface SetupOptions extends Omit<ScriptOptions, "onOutput"> {
  onEvent(event: RunnerEvent): void;
}

/** @returns null when the home is prepared, or when the signal stopped it. */
export async function setUp(options: SetupOptions): Promise<RunError | null> {
  const { folder, deadlineMs, onEvent } = options;
  const step = (message: string) => onEvent({ type: "run.step", phase: "setup", message });
  step("Running the environment's setup script");
  const startedAt = Date.now();
  const end = await runScript({ ...options, onOutput: onEvent });
  // Where the repositories will be; what an earlier result was made with leaves nothing there either.
  for (const place of [folder.workspace, folder.temporary]) await emptyFolder(place);
  const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1);
  if (end.how === "done") step(`The setup script has ended after ${seconds} s`);
  return scriptError(end, deadlineMs);
}

/** How much of its last words an error has, in characters. */
const LAST_WORDS = 500;

function scriptError(end: ScriptEnd, deadlineMs: number): RunError | null {
  switch (end.how) {
    case "done":
    case "aborted":
      return null;
    case "timed_out":
      return runError("setup_timed_out", "setup", `It had ${Math.round(deadlineMs / 1_000)} s.`);
    case "not_started":
      return runError("setup_failed", "setup", "It could not be started.");
    case "failed": {
      const how = end.code === null ? "A signal ended it" : `It ended with exit code ${end.code}`;
      const words = oneLine(end.lastWords.slice(-LAST_WORDS));
      return runError("setup_failed", "setup", words === "" ? `${how}.` : `${how}: ${words}`);
    }
  }
}
