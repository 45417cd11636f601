/** `npm start` as a person has it: a process with output, a folder of its own, and the processes behind it. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type TranscriptEvent, transcriptEventSchema } from "#protocol/transcript.ts";
import { SseReader } from "#scripts/demo/sse.ts";
import { drawFreePort } from "#scripts/instance/ports.ts";
import { copyBuilt } from "./built.ts";
import { until } from "./until.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const POLL_MS = 50;
/** A start builds the worker and the pages, and seeds: long on a machine that has much else to do. */
const START_DEADLINE_MS = 240_000;

export interface StartedInstance {
  child: ChildProcess;
  state: string;
  port: number;
  output: () => string;
  exited: Promise<number | NodeJS.Signals | null>;
}

export interface StartOptions {
  command?: [string, ...string[]];
  state?: string;
  port?: number;
  env?: Record<string, string>;
}

/** A new folder for an instance's state, with nothing in it: the instance builds all that it serves. */
export function emptyStateFolder(): string {
  return mkdtempSync(path.join(tmpdir(), "rvl-start-"));
}

/** A new folder for an instance's state, as after a first start that had built what it serves. */
export async function newStateFolder(): Promise<string> {
  const state = emptyStateFolder();
  await copyBuilt(state);
  return state;
}

/** Starts `npm start`, or what it runs; keys of the machine do not count. */
export async function startProcess(options: StartOptions = {}): Promise<StartedInstance> {
  const [program, ...rest] = options.command ?? [process.execPath, "scripts/start.ts"];
  const state = options.state ?? (await newStateFolder());
  const port = options.port ?? (await drawFreePort());
  const env = {
    ...process.env,
    PATH: `${path.join(ROOT, "node_modules/.bin")}:${process.env["PATH"]}`,
    ANTHROPIC_API_KEY: "",
    ANTHROPIC_BASE_URL: "",
    PORT: String(port),
    REVEILLE_STATE: state,
    // Passed on to everything that the instance starts, so that it can be found.
    REVEILLE_INSTANCE: state,
    ...options.env,
  };
  const child = spawn(program, rest, { cwd: ROOT, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const exited = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once("exit", (code, signal) => resolve(signal ?? code));
  });
  return { child, state, port, output: () => output, exited };
}

/** Waits for the printed curl line. @returns what one copies from it. */
export async function printedCurl(instance: StartedInstance): Promise<{ url: string; token: string; body: string }> {
  const printed = until("the curl line", START_DEADLINE_MS, () => {
    if (instance.child.exitCode !== null) throw new Error("it has ended");
    const [, url, token, body] =
      /curl -X POST (\S+) -H 'Authorization: Bearer (\S+)' .*-d '(.*)'/.exec(instance.output()) ?? [];
    return url !== undefined && token !== undefined && body !== undefined && { url, token, body };
  });
  return await printed.catch((error) => {
    throw new Error(`${error.message}; so far: ${instance.output()}`);
  });
}

/** Every process with the state folder in its arguments, environment or working directory, but for this one. */
export function processesOf(state: string): { pid: number; command: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const command = readProc(pid, "cmdline").replaceAll("\0", " ");
      const isOurs = [command, readProc(pid, "environ"), workingDirectory(pid)].some((text) => text.includes(state));
      return isOurs && !/\) Z /.test(readProc(pid, "stat")) ? [{ pid: Number(pid), command }] : [];
    });
}

/** Ends whatever a failed test has left, and removes the folder. */
export function cleanUp(state: string): void {
  for (const { pid } of processesOf(state)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
  rmSync(state, { recursive: true, force: true, maxRetries: 5 });
}

/** Collects a session's events over SSE, across broken connections, until the run has finished. */
export async function collectEvents(
  origin: string,
  token: string,
  sessionId: string,
  onEvent: (event: TranscriptEvent) => void,
  deadlineMs: number,
): Promise<TranscriptEvent[]> {
  const events: TranscriptEvent[] = [];
  const faults: unknown[] = [];
  const take = (data: string) => {
    const parsed = transcriptEventSchema.safeParse(JSON.parse(data));
    if (!parsed.success) return;
    events.push(parsed.data);
    try {
      onEvent(parsed.data);
    } catch (error) {
      faults.push(error);
    }
  };
  const signal = AbortSignal.timeout(deadlineMs);
  while (events.at(-1)?.type !== "run.finished") {
    if (faults.length > 0) throw faults[0];
    signal.throwIfAborted();
    try {
      const response = await fetch(`${origin}/api/v1/sessions/${sessionId}/events`, {
        headers: {
          authorization: `Bearer ${token}`,
          accept: "text/event-stream",
          "last-event-id": String(events.at(-1)?.seq ?? 0),
        },
        signal,
      });
      if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
      const reader = new SseReader();
      for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
        for (const { data } of reader.push(text)) take(data);
      }
    } catch {
      await delay(POLL_MS);
    }
  }
  if (faults.length > 0) throw faults[0];
  return events;
}

function readProc(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "latin1");
  } catch {
    return "";
  }
}

function workingDirectory(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}
