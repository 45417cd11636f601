/** How a command is asked to stop: Ctrl-C, a signal, or the end of the program that started it. */
import { readFileSync } from "node:fs";

/** npm passes Ctrl-C on to a program that the terminal has told already: signals this close together are one. */
const SAME_PRESS_MS = 700;
const PARENT_INTERVAL_MS = 500;

export interface StopRequests {
  /** Aborted at the first request. */
  signal: AbortSignal;
  /** Aborted when the person asks again. */
  hurry: AbortSignal;
}

/** Listens from now on; the usual effect of the signals, an end at once, is gone. */
export function listenForStop(): StopRequests {
  const first = new AbortController();
  const second = new AbortController();
  let firstAt = 0;
  const ask = () => {
    if (!first.signal.aborted) {
      firstAt = Date.now();
      first.abort();
    } else if (Date.now() - firstAt > SAME_PRESS_MS) {
      second.abort();
    }
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, ask);
  // A terminal that is gone takes no more lines, and that is no reason to leave without stopping what was started.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  watchParent(ask);
  return { signal: first.signal, hurry: second.signal };
}

/** A process whose parent ends gets another one. Under npm that means that npm was killed without passing it on. */
function watchParent(onOrphaned: () => void): void {
  if (process.env["npm_lifecycle_event"] === undefined || process.ppid <= 1) return;
  const before = lineage();
  const timer = setInterval(() => {
    if (lineage() === before) return;
    clearInterval(timer);
    onOrphaned();
  }, PARENT_INTERVAL_MS);
  timer.unref();
}

/** The processes up to npm: the parent, and its parent where the parent is but the shell that npm runs commands in. */
function lineage(): string {
  const parent = process.ppid;
  const [, flag] = readProc(parent, "cmdline").split("\0");
  if (flag !== "-c") return String(parent);
  const stat = readProc(parent, "stat");
  // The name may hold spaces and brackets; the fields after its last bracket do not. The second of them is the parent.
  return `${parent} ${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]}`;
}

/** Empty where there is no /proc. */
function readProc(pid: number, name: "cmdline" | "stat"): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "latin1");
  } catch {
    return "";
  }
}
