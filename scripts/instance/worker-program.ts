/** The worker as a program that is kept running: how it is started, and how it is seen to be well. */
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startProgram } from "#scripts/child-process.ts";
import { codeOf } from "#scripts/outcome.ts";
import type { HostOrder } from "./host-order.ts";
import type { ProgramLog } from "./program-log.ts";
import type { SupervisedProgram } from "./supervise.ts";
import type { HealthMark } from "./supervision-rules.ts";
import { toolEnvironment } from "./tool-environment.ts";

const LOOK_DEADLINE_MS = 2_000;
const READY_POLL_MS = 50;

/** @param say takes lines for the person at the terminal. */
export function workerProgram(
  order: HostOrder,
  root: string,
  log: ProgramLog,
  say: (line: string) => void,
): SupervisedProgram {
  const address = `http://127.0.0.1:${order.port}/healthz`;
  let isHostReady = false;
  return {
    name: "worker",
    stopGraceMs: 8_000,
    startDeadlineMs: 60_000,
    say,
    start: () => {
      isHostReady = false;
      return startProgram(process.execPath, [path.join(import.meta.dirname, "worker-host.ts")], {
        cwd: root,
        env: toolEnvironment(),
        firstLine: JSON.stringify(order),
        onLine: (line) => {
          if (line === "worker ready") isHostReady = true;
          log.write(line);
        },
      });
    },
    ready: async (signal) => {
      while (!signal.aborted) {
        if (isHostReady && (await look(address, signal)) === "answers") return true;
        await delay(READY_POLL_MS, undefined, { signal });
      }
      return false;
    },
    look: (signal) => look(address, signal),
  };
}

async function look(address: string, signal: AbortSignal): Promise<HealthMark> {
  const deadline = AbortSignal.timeout(LOOK_DEADLINE_MS);
  try {
    const response = await fetch(address, { signal: AbortSignal.any([signal, deadline]) });
    await response.arrayBuffer();
    return "answers";
  } catch (error) {
    if (deadline.aborted) return "silent";
    const cause = error instanceof Error ? error.cause : undefined;
    return codeOf(cause) === "ECONNREFUSED" ? "refuses" : "silent";
  }
}
