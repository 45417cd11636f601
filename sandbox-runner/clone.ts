/** Clones the run's repositories into its workspace, through the relay. */
import { join } from "node:path";
import { type RunError, runError } from "#protocol/run-errors.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import { type ClonePlan, cloneCommand, planClones, readableGitError, readHead } from "./clone-plan.ts";
import { proxyAddress } from "./git-settings.ts";
import type { RunFolder } from "./run-folder.ts";
import type { Sandbox } from "./sandbox.ts";

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
/** More would only share the same line. */
const AT_ONCE = 4;

/** Clones all of them within the order's one deadline, several at once. The first failure ends the others. */
export async function cloneRepositories(options: CloneOptions): Promise<ClonesResult> {
  const until = Date.now() + options.order.clone_deadline_ms;
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const plans = planClones(options.order.repositories).entries();
  const clones: Clone[] = [];
  const errors: RunError[] = [];
  const cloneInTurn = async () => {
    for (const [number, plan] of plans) {
      if (signal.aborted) return;
      options.onStep(`Cloning ${plan.repository.url}`);
      const cloned = await cloneOne(plan, number, { ...options, signal }, until);
      if (cloned.ok) {
        clones[number] = cloned.clone;
        options.onStep(cloned.message);
      } else {
        errors.push(cloned.error);
        failed.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, cloneInTurn));
  const [error] = errors;
  return error === undefined ? { ok: true, clones } : { ok: false, error };
}

type CloneResult = { ok: true; clone: Clone; message: string } | { ok: false; error: RunError };

async function cloneOne(plan: ClonePlan, number: number, options: CloneOptions, until: number): Promise<CloneResult> {
  const { url } = plan.repository;
  const end = await options.sandbox.run(
    cloneCommand(plan, options.folder.template),
    { cwd: options.folder.workspace, env: options.env },
    { deadlineMs: Math.max(1, until - Date.now()), outputCapBytes: OUTPUT_CAP_BYTES, signal: options.signal },
  );
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
  const head = readHead(end.stdout);
  return {
    ok: true,
    clone: { url, folder: join(options.folder.workspace, plan.name), commit: head?.commit ?? null },
    message:
      head === null ? `Cloned ${url}, which has no commit yet` : `Cloned ${url} at ${head.commit} (${head.branch})`,
  };
}
