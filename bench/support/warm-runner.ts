/** A local runner that has an executor prepared for each run. */
import path from "node:path";
import { startProgram } from "#scripts/child-process.ts";
import { buildExecutor } from "#scripts/instance/build-executor.ts";
import { toolEnvironment } from "#scripts/instance/tool-environment.ts";
import { ROOT, scratchPath } from "./scratch.ts";
import type { Served } from "./served.ts";

export interface WarmRunner extends AsyncDisposable {
  /** Resolves when an executor is prepared for the next run. */
  warm(): Promise<void>;
  /** Resolves when so many executors have an agent prepared, and no run is on. */
  warmAgents(count: number): Promise<void>;
  /** Resolves when an agent is prepared in a copy of a repository, for the routine that fires often. */
  warmCopy(): Promise<void>;
}

/** @param spares how many executors are kept prepared. @param routines for how many routines that fire often one more is. */
export async function startRunner(served: Served, spares = 1, routines = 0): Promise<WarmRunner> {
  const executor = await buildExecutor(ROOT, scratchPath("executor"), new AbortController().signal);
  if (!executor.ok) throw new Error(executor.message);
  const agents = new Set<string>();
  const copies = new Set<string>();
  const changed = { wake: () => {} };
  const readySpares = { count: 0, used: 0, wake: () => {} };
  const program = startProgram(process.execPath, [path.join(ROOT, "sandbox-runner/main.ts")], {
    cwd: ROOT,
    env: {
      ...toolEnvironment(),
      REVEILLE_CAPACITY: "5",
      REVEILLE_SPARES: String(spares),
      REVEILLE_PREPARED_ROUTINES: String(routines),
      REVEILLE_URL: served.url,
      RUNNER_TOKEN: served.runnerToken,
      REVEILLE_STATE: scratchPath("runs"),
      REVEILLE_EXECUTOR: executor.value,
      REVEILLE_RUNNER_ID: "bench",
    },
    onLine: (line) => {
      const [, what, executor = ""] =
        /"what":"(agent_ready|agent_waited|lease_ended)".*"executor":"([^"]+)"/.exec(line) ?? [];
      const waiting = line.includes('"has_copy":true') ? copies : agents;
      if (what === "agent_ready") waiting.add(executor);
      else for (const one of [agents, copies]) one.delete(executor);
      changed.wake();
      if (!line.includes('"spare_ready"')) return;
      readySpares.count += 1;
      readySpares.wake();
    },
  });
  return {
    // Each run takes the spare that is there, and the next one is prepared when it has begun.
    warm: async () => {
      while (readySpares.count <= readySpares.used) {
        await new Promise<void>((resolve) => {
          readySpares.wake = resolve;
        });
      }
      readySpares.used += 1;
    },
    warmAgents: async (count) => {
      while (agents.size < count) {
        await new Promise<void>((resolve) => {
          changed.wake = resolve;
        });
      }
      readySpares.used += count;
    },
    warmCopy: async () => {
      while (copies.size === 0) {
        await new Promise<void>((resolve) => {
          changed.wake = resolve;
        });
      }
    },
    [Symbol.asyncDispose]: async () => {
      await program.stop(6_000);
    },
  };
}
