/** The worker as a program that is kept running: how it is started, and how it is seen to be well. */
import { setTimeout as delay } from "node:timers/promises";
import { codeOf } from "#scripts/outcome.ts";
import { type HostOrder, hostOrderSchema } from "./host-order.ts";
import { beginHost, type HostProgram } from "./host-program.ts";
import type { ProgramLog } from "./program-log.ts";
import type { SupervisedProgram } from "./supervise.ts";
import type { HealthMark } from "./supervision-rules.ts";

const LOOK_DEADLINE_MS = 2_000;
const READY_POLL_MS = 50;

/**
 * @param begun serves it the first time; each time after a host is begun anew.
 * @param say takes lines for the person at the terminal.
 */
export function workerProgram(
  order: HostOrder,
  root: string,
  begun: HostProgram,
  log: ProgramLog,
  say: (line: string) => void,
): SupervisedProgram {
  const address = `http://127.0.0.1:${order.port}/healthz`;
  let isHostReady = false;
  let first: HostProgram | null = begun;
  return {
    name: "worker",
    stopGraceMs: 8_000,
    startDeadlineMs: 60_000,
    say,
    start: () => {
      isHostReady = false;
      const host = first ?? beginHost(root);
      first = null;
      host.serve(JSON.stringify(hostOrderSchema.parse(order)), (line) => {
        if (line === "worker ready") isHostReady = true;
        log.write(line);
      });
      return host;
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
