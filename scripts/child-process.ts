/** The one place where the scripts start other programs: argument arrays, process groups of their own, and an end. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";

export type CommandOutcome = { ok: true; stdout: string } | { ok: false; message: string };

export interface CommandOptions {
  cwd?: string;
  /** The whole environment: nothing is inherited. */
  env: Record<string, string>;
  deadlineMs: number;
  /** Kills the command and everything that it started. */
  signal?: AbortSignal;
}

/** What is running now, by the id of its process group. */
const running = new Set<number>();

// Whatever way this program ends, but for SIGKILL, nothing that it started outlives it.
process.once("exit", () => {
  for (const group of running) signalGroup(group, "SIGKILL");
});

const OUTPUT_LIMIT_CHARACTERS = 4 * 1_048_576;

/** Runs a program to its end. Never throws: a failure, a deadline and a missing program are told in `message`. */
export function runCommand(command: string, args: string[], options: CommandOptions): Promise<CommandOutcome> {
  const { cwd, env, deadlineMs, signal } = options;
  if (signal?.aborted) return Promise.resolve({ ok: false, message: `${command} was not started` });
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const group = register(child);
    let stdout = "";
    let stderr = "";
    let ended = "";
    const end = (why: string) => {
      ended ||= why;
      signalGroup(group, "SIGKILL");
    };
    const onAbort = () => end("was stopped");
    const timer = setTimeout(() => end(`took longer than ${deadlineMs / 1_000} s`), deadlineMs);
    signal?.addEventListener("abort", onAbort);
    const settle = (outcome: CommandOutcome) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      resolve(outcome);
    };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      if (stdout.length > OUTPUT_LIMIT_CHARACTERS) end("wrote too much");
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-20_000);
    });
    child.once("error", (error) => settle({ ok: false, message: `${command} could not be started: ${error.message}` }));
    child.once("close", (code, killedBy) => {
      if (ended !== "") return settle({ ok: false, message: `${command} ${ended}` });
      if (code === 0) return settle({ ok: true, stdout });
      const how = killedBy === null ? `exit code ${code}` : killedBy;
      const words = stripVTControlCharacters(stderr.trim() || stdout.trim()).slice(-2_000);
      settle({ ok: false, message: `${command} failed (${how}): ${words}` });
    });
  });
}

export interface ProgramOptions {
  cwd: string;
  env: Record<string, string>;
  /** Written to the program's stdin, which then stays open: its closing tells the program that we are gone. */
  firstLine?: string;
  /** Each line of stdout and stderr. */
  onLine: (line: string) => void;
}

/** A program that runs until it is stopped, the leader of a process group of its own. */
export interface Program {
  /** Resolves when the program has ended, with how it ended, for instance `exit code 1` or `SIGKILL`. */
  ended: Promise<string>;
  /** SIGTERM, then after `graceMs` SIGKILL to the whole group. Resolves when the program has ended. */
  stop: (graceMs: number) => Promise<void>;
  /** SIGKILL to the whole group, at once. */
  kill: () => void;
  /** Writes a line to its stdin. */
  tell: (line: string) => void;
}

/** Starts a program in its own process group, so that neither Ctrl-C nor the end of a sibling reaches it by accident. */
export function startProgram(command: string, args: string[], options: ProgramOptions): Program {
  const { cwd, env, firstLine, onLine } = options;
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
  const group = register(child);
  child.stdin.on("error", () => undefined);
  const tell = (line: string) => {
    child.stdin.write(`${line}\n`);
  };
  if (firstLine !== undefined) tell(firstLine);
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", onLine);
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, killedBy) => resolve(killedBy ?? `exit code ${code}`));
  });
  return {
    ended,
    tell,
    kill: () => signalGroup(group, "SIGKILL"),
    stop: async (graceMs) => {
      signalGroup(group, "SIGTERM");
      await Promise.race([ended, delay(graceMs, undefined, { ref: false })]);
      // Also after a clean end: what the program left behind in its group goes with it.
      signalGroup(group, "SIGKILL");
      await ended;
    },
  };
}

/** A program between two streams. */
export interface Filter {
  stdin: Writable;
  stdout: Readable;
  /** The end of stderr, for a log. */
  complaint: () => string;
  /** Resolves once the program has ended and its output is read. */
  ended: Promise<void>;
  kill: () => void;
}

/** Starts a program that a request is streamed through. It is killed, with all that it started, after `deadlineMs`. */
export function startFilter(
  command: string,
  args: string[],
  { env, deadlineMs }: { env: Record<string, string>; deadlineMs: number },
): Filter {
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(command, args, {
    env,
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const group = register(child);
  const timer = setTimeout(() => signalGroup(group, "SIGKILL"), deadlineMs);
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-2_000);
  });
  child.stdin.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      complaint += error.message;
      resolve();
    });
    child.once("close", () => resolve());
  }).finally(() => clearTimeout(timer));
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    complaint: () => complaint,
    ended,
    kill: () => {
      if (child.exitCode === null && child.signalCode === null) signalGroup(group, "SIGKILL");
    },
  };
}

/** @returns the process group of the child; undefined when it could not be started. */
function register(child: ChildProcess): number | undefined {
  const group = child.pid;
  if (group !== undefined) {
    running.add(group);
    child.once("exit", () => running.delete(group));
  }
  return group;
}

function signalGroup(group: number | undefined, signal: NodeJS.Signals): void {
  if (group === undefined) return;
  try {
    process.kill(-group, signal);
  } catch {
    // The group is gone already.
  }
}
