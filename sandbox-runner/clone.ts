/** Clones the run's repositories into its workspace, through the relay. */
import { join } from "node:path";
import { type RunError, runError } from "#protocol/run-errors.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import {
  type ClonePlan,
  cloneCommand,
  followBranchesCommand,
  headCommand,
  planClones,
  readableGitError,
  readHead,
} from "./clone-plan.ts";
import { proxyAddress } from "./git-settings.ts";
import type { RunFolder } from "./run-folder.ts";
import type { Sandbox } from "./sandbox.ts";
import type { Bounds, Command, CommandEnd } from "./spawn.ts";

export interface CloneOptions {
  order: RunOrder;
  folder: RunFolder;
  relayUrl: string;
  sandbox: Sandbox;
  env: Record<string, string>;
  signal: AbortSignal;
  onStep(message: string): void;
}

export interface Clone {
  url: string;
  folder: string;
  /** null for a repository without a commit. */
  commit: string | null;
}

export type ClonesResult = { ok: true; clones: Clone[] } | { ok: false; error: RunError };

const OUTPUT_CAP_BYTES = 65_536;

/** Clones all of them within the order's one deadline, in their order. */
export async function cloneRepositories(options: CloneOptions): Promise<ClonesResult> {
  const until = Date.now() + options.order.clone_deadline_ms;
  const clones: Clone[] = [];
  for (const [number, plan] of planClones(options.order.repositories).entries()) {
    options.onStep(`Cloning ${plan.repository.url}`);
    const cloned = await cloneOne(plan, number, options, until);
    if (!cloned.ok) return cloned;
    clones.push(cloned.clone);
    options.onStep(cloned.message);
  }
  return { ok: true, clones };
}

type CloneResult = { ok: true; clone: Clone; message: string } | { ok: false; error: RunError };

async function cloneOne(plan: ClonePlan, number: number, options: CloneOptions, until: number): Promise<CloneResult> {
  const { url } = plan.repository;
  const run = (command: Command): Promise<CommandEnd> => {
    const bounds: Bounds = {
      deadlineMs: Math.max(1, until - Date.now()),
      outputCapBytes: OUTPUT_CAP_BYTES,
      signal: options.signal,
    };
    return options.sandbox.run(command, { cwd: options.folder.workspace, env: options.env }, bounds);
  };
  for (const command of [cloneCommand(plan, options.folder.template), followBranchesCommand(plan)]) {
    const end = await run(command);
    if (end.how === "timed_out") {
      const seconds = Math.round(options.order.clone_deadline_ms / 1_000);
      return { ok: false, error: runError("clone_timed_out", "clone", `${url} was not there within ${seconds} s.`) };
    }
    if (end.code !== 0) {
      const words = readableGitError(
        end.stderr,
        proxyAddress({ relayUrl: options.relayUrl, runId: options.order.run_id }, number),
        url,
      );
      return { ok: false, error: runError("clone_failed", "clone", `${url}: ${words || "git did not say why"}`) };
    }
  }
  const head = readHead((await run(headCommand(plan))).stdout);
  return {
    ok: true,
    clone: { url, folder: join(options.folder.workspace, plan.name), commit: head?.commit ?? null },
    message:
      head === null ? `Cloned ${url}, which has no commit yet` : `Cloned ${url} at ${head.commit} (${head.branch})`,
  };
}
