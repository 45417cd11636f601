/** The phase `setup`: what an environment's script makes is in the run's home afterwards, and nothing else of it is left. */
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { AttemptEnvironment } from "#protocol/environment.ts";
import { errorText } from "#protocol/log.ts";
import { type RunError, runError } from "#protocol/run-errors.ts";
import { SETUP_KEPT_MS } from "#protocol/setup-archive.ts";
import type { RunnerEvent } from "#protocol/transcript.ts";
import { endOf } from "#protocol/well-formed.ts";
import { givenVariables, setupEnvironment } from "../agent/agent-environment.ts";
import { oneLine } from "../agent/outcome.ts";
import { emptyFolder, type RunFolder, STEADY_HOME } from "../process/run-folder.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { type Home, packHome, unpackHome } from "./archive.ts";
import { machineIdentity } from "./machine.ts";
import { runScript, type ScriptEnd } from "./run-script.ts";
import type { KeptSetup, SetupStore } from "./setup-store.ts";

export interface SetupOptions {
  environment: AttemptEnvironment;
  /** As commands see it. */
  folder: RunFolder;
  sandbox: Sandbox;
  /** The mark of its processes. */
  mark: string;
  /** For the script. */
  deadlineMs: number;
  /** For its result to be sent where it is kept, while the run waits: one that can't be kept is no reason for a run to fail. */
  keepDeadlineMs: number;
  store: SetupStore;
  signal: AbortSignal;
  onEvent(event: RunnerEvent): void;
}

const DAY_MS = 24 * 3_600_000;
/** Where its results are kept, within so long. */
const FIND_MS = 15_000;
/** How much of its last words an error has, in characters. */
const LAST_WORDS = 500;
const TOOLS = "/usr/local/bin:/usr/bin:/bin";

/** @returns null when the home is prepared, or when the signal stopped it. */
export async function setUp(options: SetupOptions): Promise<RunError | null> {
  const { environment, folder, sandbox, signal } = options;
  const { setup } = environment;
  if (setup === null) return null;
  const home: Home = { sandbox, place: { cwd: folder.home, env: { PATH: TOOLS } }, signal };
  const why = whyNotKept(environment, folder);
  const key = keyOf(setup.cache_key, sandbox, folder);
  if (why === null && (await takeKept(options, key, home))) return null;
  if (signal.aborted) return null;
  const running = "Running the environment's setup script";
  if (why === null) tell(options, running, "miss");
  else tell(options, `${running}. Its result is not kept: ${why}`, "none");
  const error = await runIt(options, setup.script);
  if (error === null && why === null && !signal.aborted) await keepIt(options, key, home);
  return error;
}

function tell({ onEvent }: SetupOptions, message: string, cache?: "hit" | "miss" | "none"): void {
  onEvent({ type: "run.step", phase: "setup", message, ...(cache === undefined ? {} : { cache }) });
}

/** In a sentence's second part; null where a later run can use what the script makes. */
function whyNotKept({ secret_values }: AttemptEnvironment, { home }: RunFolder): string | null {
  if (secret_values.length > 0)
    return "variables of the environment hold secrets, which the script may have written down.";
  return home === STEADY_HOME ? null : "the home of another run is at another place here.";
}

/** The same key, the same result. */
function keyOf(cacheKey: string, { kind }: Sandbox, { home }: RunFolder): string {
  return createHash("sha256")
    .update(`${cacheKey}\0${machineIdentity(kind, home)}`)
    .digest("hex");
}

/** @returns whether what an earlier run has kept is in the home. */
async function takeKept(options: SetupOptions, key: string, home: Home): Promise<boolean> {
  const { store, signal, onEvent } = options;
  const startedAt = Date.now();
  try {
    const kept = await found(store, key, signal);
    if (kept === null) return false;
    const fault = await unpackHome(home, kept);
    if (fault === null) {
      const made = new Date(kept.keptAtMs).toISOString();
      tell(
        options,
        `Took the setup script's result of ${made}: ${shown(kept.bytes)} in ${secondsSince(startedAt)}`,
        "hit",
      );
      return true;
    }
    const message = `A kept result of the setup script could not be used, so the script runs again: ${fault}.`;
    if (!signal.aborted) onEvent({ type: "notice", level: "warning", code: "setup_cache_damaged", message });
  } catch (error) {
    const message = `Whether a result of the setup script is kept could not be told, so it runs: ${errorText(error)}.`;
    if (!signal.aborted) onEvent({ type: "notice", level: "warning", code: "setup_cache_unavailable", message });
  }
  return false;
}

/** An answer is waited for so long; what it holds comes as it comes. */
function found(store: SetupStore, key: string, signal: AbortSignal): Promise<KeptSetup | null> {
  return settledWithin(FIND_MS, "there was no answer in time", signal, (until) => store.find(key, until));
}

/** @param late what the signal of the work says when its time is over. What the work has settled with goes on afterwards. */
async function settledWithin<Value>(
  deadlineMs: number,
  late: string,
  signal: AbortSignal,
  work: (until: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(new Error(late)), deadlineMs);
  try {
    return await work(AbortSignal.any([signal, over.signal]));
  } finally {
    clearTimeout(timer);
  }
}

async function runIt(options: SetupOptions, script: string): Promise<RunError | null> {
  const { environment, folder, sandbox, mark, deadlineMs, signal, onEvent } = options;
  const startedAt = Date.now();
  const env = { ...givenVariables(environment), ...setupEnvironment(mark, folder) };
  const end = await runScript({ ...options, env, script, secrets: environment.secret_values, onOutput: onEvent });
  // Where the repositories will be. A result that is kept has nothing there either.
  for (const place of [folder.workspace, folder.temporary]) await emptyFolder(place);
  await sandbox.removeLeftOver(signal);
  if (end.how === "done") tell(options, `The setup script has ended after ${secondsSince(startedAt)}`);
  return scriptError(end, deadlineMs);
}

/** A result that can't be kept is no reason for a run to fail. */
async function keepIt(options: SetupOptions, key: string, home: Home): Promise<void> {
  const { folder, keepDeadlineMs, store, signal, onEvent } = options;
  const file = join(folder.root, "setup.archive");
  const startedAt = Date.now();
  try {
    const packed = await packHome(home, file);
    if ("why" in packed) throw new Error(packed.why);
    const late = "it could not be sent in the time that a run waits for it";
    await settledWithin(keepDeadlineMs, late, signal, (until) => store.keep(key, packed, until));
    tell(
      options,
      `Its result is kept for ${SETUP_KEPT_MS / DAY_MS} days: ${shown(packed.bytes)} in ${secondsSince(startedAt)}`,
    );
  } catch (error) {
    const message = `The setup script's result is not kept, so the next run runs it too: ${errorText(error)}.`;
    if (!signal.aborted) onEvent({ type: "notice", level: "info", code: "setup_not_kept", message });
  } finally {
    await rm(file, { force: true });
  }
}

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
      const words = oneLine(endOf(end.lastWords, LAST_WORDS));
      return runError("setup_failed", "setup", words === "" ? `${how}.` : `${how}: ${words}`);
    }
  }
}

function secondsSince(startedAt: number): string {
  return `${((Date.now() - startedAt) / 1_000).toFixed(1)} s`;
}

function shown(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
