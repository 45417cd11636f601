/** Clones the run's repositories into its workspace, through the relay, and checks out the commit that it is about. */
import { join } from "node:path";
import { type RunError, runError } from "#protocol/run-errors.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import type { RunFolder } from "../process/run-folder.ts";
import type { GitFault } from "../sandbox/git-faults.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { checkOut } from "./checkout.ts";
import {
  CLONE_SETTINGS,
  type ClonePlan,
  cloneCommand,
  type Head,
  planClones,
  readableGitError,
  readHead,
} from "./clone-plan.ts";
import { proxyAddress } from "./git-settings.ts";

export interface CloneOptions {
  order: RunOrder;
  folder: RunFolder;
  relayUrl: string;
  sandbox: Sandbox;
  env: Record<string, string>;
  signal: AbortSignal;
  /** What the last request for a repository met, by its number. */
  gitFault(number: number): GitFault | null;
  onStep(message: string): void;
  /** Told when a stranger's commit is checked out. */
  onForeignCommit(message: string): void;
}

export interface Clone {
  url: string;
  folder: string;
  /** What is checked out when the agent begins; null for a repository without a commit. */
  commit: string | null;
  /** The newest commit of the branch that was cloned: the same, unless the run is about another. */
  base: string | null;
}

/** A clone that failed. `retryAfterS`: for so long the repository's server wants to be left alone; null where it has not said. */
export interface CloneFailure {
  ok: false;
  error: RunError;
  retryAfterS: number | null;
}

export type ClonesResult = { ok: true; clones: Clone[] } | CloneFailure;

const OUTPUT_CAP_BYTES = 65_536;
/** How many repositories are cloned at once: more would only share the same connection. */
const AT_ONCE = 4;

/** Clones all of them within the order's one deadline, several at once. The first failure ends the others. */
export async function cloneRepositories(options: CloneOptions): Promise<ClonesResult> {
  const until = Date.now() + options.order.clone_deadline_ms;
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const plans = planClones(options.order.repositories, options.order.checkout).entries();
  const clones: Clone[] = [];
  const failures: CloneFailure[] = [];
  const cloneInTurn = async () => {
    for (const [number, plan] of plans) {
      if (signal.aborted) return;
      options.onStep(`Cloning ${plan.repository.url}`);
      const cloned = await cloneOne(plan, number, { ...options, signal }, until);
      if (cloned.ok) {
        clones[number] = cloned.clone;
      } else {
        failures.push(cloned);
        failed.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, cloneInTurn));
  return failures[0] ?? { ok: true, clones };
}

type CloneResult = { ok: true; clone: Clone } | CloneFailure;

async function cloneOne(plan: ClonePlan, number: number, options: CloneOptions, until: number): Promise<CloneResult> {
  const { order, folder, sandbox, env, signal, relayUrl, onStep } = options;
  const { url } = plan.repository;
  const relayed = proxyAddress({ relayUrl, runId: order.run_id }, number);
  const place = { cwd: folder.workspace, env };
  const bounds = () => ({ deadlineMs: Math.max(1, until - Date.now()), outputCapBytes: OUTPUT_CAP_BYTES, signal });
  const end = await sandbox.run(
    cloneCommand(plan, folder.template),
    { ...place, env: { ...env, ...CLONE_SETTINGS } },
    bounds(),
  );
  if (end.how === "timed_out") {
    const seconds = Math.round(order.clone_deadline_ms / 1_000);
    const error = runError("clone_timed_out", "clone", `${url} was not there within ${seconds} s.`);
    return { ok: false, error, retryAfterS: null };
  }
  if (end.code !== 0) {
    const words = readableGitError(end.stderr, relayed, url);
    const detail = `${url}: ${words || "git did not say why"}`;
    return failed(runError("clone_failed", "clone", detail), detail, options.gitFault(number));
  }
  const head = readHead(end.stdout);
  const where = head?.branch === "HEAD" ? "no branch" : head?.branch;
  onStep(head === null ? `Cloned ${url}, which has no commit yet` : `Cloned ${url} at ${head.commit} (${where})`);
  const base = head?.commit ?? null;
  const clone = { url, folder: join(folder.workspace, plan.name), commit: base, base };
  const { checkout } = plan;
  if (checkout === null) return { ok: true, clone };
  const checkedOut = await checkOut(checkout, {
    sandbox,
    place,
    bounds: bounds(),
    name: plan.name,
    url,
    proxyAddress: relayed,
  });
  if (!checkedOut.ok) {
    const { code, message } = checkedOut.error;
    const fault = code === "clone_timed_out" ? null : options.gitFault(number);
    return failed(checkedOut.error, message, fault);
  }
  onStep(checkedOut.message);
  if (checkout.is_fork) options.onForeignCommit(foreignCommit(url, head));
  return { ok: true, clone: { ...clone, commit: checkedOut.head.commit } };
}

/** @param fault what git's last request met: one that passes makes the failure one that may be tried again. */
function failed(error: RunError, detail: string, fault: GitFault | null): CloneFailure {
  if (fault?.isPassing !== true) return { ok: false, error, retryAfterS: null };
  return { ok: false, error: runError("repository_unavailable", "clone", detail), retryAfterS: fault.retryAfterS };
}

function foreignCommit(url: string, base: Head | null): string {
  const from = base === null ? "are left out" : `are those of ${base.branch} at ${base.commit}`;
  return `The commit comes from a fork of ${url}. Settings, hooks, skills, MCP servers and instruction files ${from}, not the fork's.`;
}
