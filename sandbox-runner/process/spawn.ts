/** Child processes: an argument array, an own process group, a deadline and an output cap. The only file that starts them. */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { pipeline, Readable } from "node:stream";

export type Command = readonly [program: string, ...rest: string[]];
export type PipedProcess = ChildProcessWithoutNullStreams;

export interface Place {
  cwd: string;
  /** The whole environment: nothing is inherited. */
  env: Record<string, string>;
  /** As another user and group, and in no other group: root alone can do this. */
  uid?: number;
  gid?: number;
}

export interface Bounds {
  /** From the last piece that it was given of its input, where it has one. */
  deadlineMs: number;
  /** For each of both outputs; what is over it is read and dropped. */
  outputCapBytes: number;
  signal: AbortSignal;
  /** What it reads; nothing by default. It sees the end where this breaks off. */
  input?: Readable;
}

export interface CommandEnd {
  how: "exited" | "timed_out" | "aborted" | "not_started";
  /** null when a signal ended it, or when it did not start. */
  code: number | null;
  /** The beginning of the standard output. */
  stdout: string;
  /** The end of the error output. */
  stderr: string;
}

/** The output of a killed process is read for this long. */
const OUTPUT_GRACE_MS = 500;

/** Starts a process with pipes, as the leader of its own process group. */
export function startProcess([program, ...rest]: Command, place: Place): PipedProcess {
  const child = spawn(program, rest, { ...place, detached: true, stdio: ["pipe", "pipe", "pipe"] });
  // A process that ends early breaks its input pipe: its exit tells what went wrong, this error does not.
  child.stdin.on("error", () => {});
  child.once("exit", (_code, killedBy) => {
    if (killedBy !== null) letGo(child);
  });
  return child;
}

/**
 * What a killed process has started may outlive it by a moment with its output still open, for instance a sandbox that was
 * killed while it was being built. Nobody reads what it says, so its end is not waited for: the attempt's other means end it.
 */
function letGo(child: PipedProcess): void {
  const timer = setTimeout(() => {
    child.stdout.destroy();
    child.stderr.destroy();
  }, OUTPUT_GRACE_MS);
  child.once("close", () => clearTimeout(timer));
}

export interface TalkingProcess {
  process: ChildProcess;
  /** What the process writes to its descriptor 3. */
  news: Readable;
  /** Settles when the process has ended, or could not be started. What it has started may hold its outputs open. */
  ended: Promise<void>;
}

/** Starts a process whose standard output and error are this process's own, as the leader of its own process group. */
export function startTalkingProcess([program, ...rest]: Command, place: Place): TalkingProcess {
  const child = spawn(program, rest, { ...place, detached: true, stdio: ["pipe", "inherit", "inherit", "pipe"] });
  child.stdin?.on("error", () => {});
  const ended = new Promise<void>((settle) => {
    child.once("error", () => settle());
    child.once("exit", () => settle());
  });
  const [, , , news] = child.stdio;
  return { process: child, news: news instanceof Readable ? news : Readable.from([]), ended };
}

/**
 * Runs a command whose standard input is an open file of this process's, and whose output nobody reads.
 * @returns its exit code; null when it could not be started, or did not end in time.
 */
export function runOnFile([program, ...rest]: Command, descriptor: number, place: Place, deadlineMs: number) {
  const child = spawn(program, rest, { ...place, stdio: [descriptor, "ignore", "ignore"], timeout: deadlineMs });
  return new Promise<number | null>((settle) => {
    child.once("error", () => settle(null));
    child.once("exit", (code) => settle(code));
  });
}

/** Waits for a process, gathering its output; at the deadline or an abort its group is killed. Never throws. */
export function awaitProcess(child: PipedProcess, bounds: Bounds): Promise<CommandEnd> {
  return new Promise((settle) => {
    const stdout = new CappedOutput(bounds.outputCapBytes, "beginning");
    const stderr = new CappedOutput(bounds.outputCapBytes, "end");
    let how: CommandEnd["how"] = "exited";
    const stop = (reason: "timed_out" | "aborted") => {
      how = reason;
      killGroup(child.pid);
    };
    const timer = setTimeout(() => stop("timed_out"), bounds.deadlineMs);
    const onAbort = () => stop("aborted");
    bounds.signal.addEventListener("abort", onAbort, { once: true });
    if (bounds.signal.aborted) onAbort();
    child.stdout.on("data", (chunk: Buffer) => stdout.add(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.add(chunk));
    const finish = (code: number | null) => {
      clearTimeout(timer);
      bounds.signal.removeEventListener("abort", onAbort);
      settle({ how, code, stdout: stdout.text(), stderr: stderr.text() });
    };
    child.once("error", () => {
      if (child.pid !== undefined) return;
      how = "not_started";
      finish(null);
    });
    child.once("close", (code) => finish(code));
    if (bounds.input === undefined) child.stdin.end();
    else {
      bounds.input.on("data", () => timer.refresh());
      pipeline(bounds.input, child.stdin, () => child.stdin.destroy());
    }
  });
}

/** Settles when a process has ended and its output is read, or when it could not be started. */
export function processClosed(child: ChildProcess): Promise<void> {
  return new Promise((closed) => {
    if (child.pid === undefined) child.once("error", () => closed());
    child.once("close", () => closed());
  });
}

/** Sends SIGKILL to a process group; does nothing when it is gone. */
export function killGroup(pid: number | undefined): void {
  signalProcess(pid === undefined ? undefined : -pid, "SIGKILL");
}

/** Sends a signal to a process, or with a negative id to a group; does nothing when it is gone. */
export function signalProcess(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, signal);
  } catch {
    // ESRCH: it has ended by itself.
  }
}

class CappedOutput {
  readonly #cap: number;
  readonly #keep: "beginning" | "end";
  #bytes = Buffer.alloc(0);

  constructor(cap: number, keep: "beginning" | "end") {
    this.#cap = cap;
    this.#keep = keep;
  }

  add(chunk: Buffer): void {
    if (this.#keep === "beginning") {
      const room = this.#cap - this.#bytes.length;
      if (room > 0) this.#bytes = Buffer.concat([this.#bytes, chunk.subarray(0, room)]);
      return;
    }
    const all = Buffer.concat([this.#bytes, chunk]);
    this.#bytes = all.length > this.#cap ? Buffer.from(all.subarray(all.length - this.#cap)) : all;
  }

  text(): string {
    return this.#bytes.toString("utf8");
  }
}
