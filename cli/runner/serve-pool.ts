/** Serves a pool: a runner's settings checked, its signals heard, and what it can't do told in words. */
import {
  type Runner,
  type RunnerEnd,
  type RunnerHooks,
  type RunnerRefusal,
  startRunner,
} from "#sandbox-runner/runner/serve.ts";
import { type RunnerSettings, readSettings } from "#sandbox-runner/runner/settings.ts";
import type { Variables } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { Terminal } from "../terminal.ts";
import { readTokenFile } from "../token-file.ts";
import { type RunnerOptions, runnerVariables, withOption } from "./runner-variables.ts";

/** Serves until it is told to end, or can't go on. */
export async function servePool(options: RunnerOptions, environment: Variables, terminal: Terminal): Promise<ExitCode> {
  /** For a person: who reads the log alone does without. */
  const words: Terminal = options.json ? { ...terminal, say: () => {} } : terminal;
  // A token that is typed goes before the file that a variable names.
  const file = options.tokenFile ?? (options.token === undefined ? environment["RUNNER_TOKEN_FILE"] : undefined);
  const read = file === undefined || file === "" ? null : await readTokenFile(file);
  const fault = read?.ok === false ? [read.fault] : [];
  if (read?.ok && read.warning !== null) words.say(read.warning);
  const token = read?.ok ? read.token : null;
  const checked = readSettings(runnerVariables(options, environment, token, process.geteuid?.() ?? -1));
  const faults = [...fault, ...(checked.ok ? [] : checked.faults.map(withOption))];
  if (!checked.ok || faults.length > 0) {
    // A file that can't be read is why there is no token: one cause, told once.
    for (const line of faults) if (fault.length === 0 || !line.includes("RUNNER_TOKEN")) terminal.say(line);
    return EXIT.wrongUse;
  }
  const { settings } = checked;
  const started = await startRunner(settings, hooksOf(settings, words, terminal));
  if (!started.ok) {
    for (const line of started.faults) terminal.say(withOption(line));
    return EXIT.failed;
  }
  return await untilEnd(started.runner, settings, words, terminal);
}

function hooksOf(settings: RunnerSettings, words: Terminal, terminal: Terminal): RunnerHooks {
  const { url, capacity } = settings;
  return {
    write: (line) => terminal.out(line),
    onReady: (id) => {
      words.say(`Serving ${url} as ${id}, ${capacity} ${capacity === 1 ? "run" : "runs"} at once.`);
      words.say("SIGTERM or Ctrl-C: it takes no more runs, and ends when those that it has are done.");
    },
    onDown: (why) => words.say(`No link to ${url}: ${why}. It is dialled again.`),
    // At its start somebody is there to mend it. Later it may pass, and its runs are worth the wait.
    onRefused: (_refusal, isFirst) => !isFirst,
  };
}

async function untilEnd(
  runner: Runner,
  settings: RunnerSettings,
  words: Terminal,
  terminal: Terminal,
): Promise<ExitCode> {
  let told = 0;
  const onSignal = () => {
    told += 1;
    if (told > 1) return runner.stop();
    words.say("It takes no more runs. Again: it stops those that it has.");
    runner.drain();
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  const end = await runner.ended;
  if (typeof end === "string") return exitOf(end, told);
  const { message, code } = explain(end, settings);
  terminal.say(message);
  return code;
}

function exitOf(end: Extract<RunnerEnd, string>, told: number): ExitCode {
  if (end === "drained") return EXIT.done;
  return told > 1 ? EXIT.interrupted : EXIT.done;
}

function explain({ cause, why }: RunnerRefusal, { url }: RunnerSettings): { message: string; code: ExitCode } {
  switch (cause) {
    case "token":
      return {
        message: `${url} does not accept the token (${why}): take the pool's token, or the instance's RUNNER_TOKEN for the default pool.`,
        code: EXIT.notSignedIn,
      };
    case "address":
      return {
        message: `${url} is no instance of Reveille (${why}): --url is its address, without a path.`,
        code: EXIT.notFound,
      };
    case "version":
      return { message: `${url} does not serve this version of the runner (${why}).`, code: EXIT.failed };
    case "words":
      return { message: `${url} does not understand this runner (${why}).`, code: EXIT.failed };
  }
}
