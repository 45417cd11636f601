/** Clones the run's repositories into its workspace, through the relay, and checks out the commit that it is about. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { DEFAULT_DEPTH } from "#protocol/repository.ts";
import { type RunError, runError } from "#protocol/run-errors.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import { Patience } from "../process/patience.ts";
import type { RunFolder } from "../process/run-folder.ts";
import type { Bounds, CommandEnd } from "../process/spawn.ts";
import type { GitFault } from "../sandbox/git-faults.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { checkOut } from "./checkout.ts";
import { type CloneCache, cacheKey } from "./clone-cache.ts";
import {
  asideName,
  CLONE_SETTINGS,
  type Clone,
  type ClonePlan,
  cloneCommand,
  planClones,
  readSeen,
  type Seen,
} from "./clone-plan.ts";
import {
  type CloneNotice,
  damagedCache,
  foreignCommit,
  lfsOf,
  type PointersLeft,
  pointersLeft,
  received,
  submodulesOfFork,
  whereItIs,
} from "./clone-words.ts";
import { readableGitError } from "./git-error.ts";
import { proxyAddress } from "./git-settings.ts";
import { hasLfs } from "./lfs.ts";
import { cloneSubmodules } from "./submodules.ts";

export interface CloneOptions {
  order: RunOrder;
  folder: RunFolder;
  relayUrl: string;
  sandbox: Sandbox;
  env: Record<string, string>;
  signal: AbortSignal;
  /** What earlier clones have received, and of which instance; null where none is kept. */
  cache: { clones: CloneCache; instanceUrl: string } | null;
  /** Whether something waits in the place of the only clone: it is then made beside it, as `asideName` says. */
  isAside: boolean;
  /** What the last request for a repository met, by its number. */
  gitFault(number: number): GitFault | null;
  /** Whether that request was for Git LFS. */
  isAtLfs(number: number): boolean;
  /** Bytes that the relay has passed into the sandbox. */
  received(): number;
  onStep(message: string): void;
  onNotice(notice: CloneNotice): void;
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

/** Clones all of them, several at once, while anything is received. The first failure ends the others. */
export async function cloneRepositories(options: CloneOptions): Promise<ClonesResult> {
  const { order, onStep } = options;
  const patience = new Patience({
    idleMs: order.clone_deadline_ms,
    count: options.received,
    onProgress: (bytes) => onStep(received(bytes)),
    signal: options.signal,
  });
  const failed = new AbortController();
  const signal = AbortSignal.any([patience.signal, failed.signal]);
  const planned = planClones(order.repositories, order.checkout);
  const plans = (
    options.isAside ? planned.map((plan) => ({ ...plan, name: asideName(plan.name) })) : planned
  ).entries();
  const clones: Clone[] = [];
  const failures: CloneFailure[] = [];
  const cloneInTurn = async () => {
    for (const [number, plan] of plans) {
      if (signal.aborted) return;
      onStep(`Cloning ${plan.repository.url}`);
      const cloned = await new OneClone(plan, number, options, signal, patience).make();
      if (cloned.ok) {
        clones[number] = cloned.clone;
      } else {
        failures.push(cloned);
        failed.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, cloneInTurn));
  patience.close();
  return failures[0] ?? { ok: true, clones };
}

type CloneResult = { ok: true; clone: Clone } | CloneFailure;

class OneClone {
  readonly #plan: ClonePlan;
  readonly #number: number;
  readonly #options: CloneOptions;
  readonly #bounds: Bounds;
  readonly #patience: Patience;
  readonly #url: string;
  readonly #relayed: string;
  /** Of its entry in the cache. */
  readonly #key: string;

  constructor(plan: ClonePlan, number: number, options: CloneOptions, signal: AbortSignal, patience: Patience) {
    const { order, relayUrl } = options;
    this.#plan = plan;
    this.#number = number;
    this.#options = options;
    this.#bounds = { deadlineMs: order.timeout_ms, outputCapBytes: OUTPUT_CAP_BYTES, signal };
    this.#patience = patience;
    this.#url = plan.repository.url;
    this.#key = cacheKey(options.cache?.instanceUrl ?? "", plan.repository);
    this.#relayed = proxyAddress({ relayUrl, runId: order.run_id }, number);
  }

  async make(): Promise<CloneResult> {
    const { folder, onStep } = this.#options;
    const { repository, name } = this.#plan;
    const { end, reference } = await this.#cloneFromCache();
    if (end.code !== 0) return this.#failed(end);
    const seen = readSeen(end.stdout);
    if (seen.tips.length > 0) await this.#keep(seen, reference);
    onStep(whereItIs(this.#url, seen));
    const base = seen.head?.commit ?? null;
    const { depth = DEFAULT_DEPTH, paths = null } = repository;
    const { defaultBranch, isShallow } = seen;
    const branch = seen.head?.branch ?? null;
    const place = join(folder.workspace, name);
    const clone = { url: this.#url, folder: place, commit: base, base, branch, defaultBranch, isShallow, depth, paths };
    return await this.#goToCommit(clone, seen);
  }

  /** Checks out the commit that the run is about, if it is one of this repository. */
  async #goToCommit(clone: Clone, seen: Seen): Promise<CloneResult> {
    const { sandbox, folder, env, onStep, onNotice } = this.#options;
    const { checkout, name } = this.#plan;
    if (checkout === null) {
      await this.#complete(clone, seen);
      return { ok: true, clone };
    }
    const checkedOut = await checkOut(checkout, {
      sandbox,
      place: { cwd: folder.workspace, env },
      bounds: this.#bounds,
      name,
      depth: clone.depth,
      url: this.#url,
      proxyAddress: this.#relayed,
    });
    if (!checkedOut.ok) return this.#faulty(checkedOut.error, checkedOut.error.message);
    onStep(checkedOut.message);
    if (checkout.is_fork) onNotice(foreignCommit(this.#url, seen.head));
    await this.#complete(clone, checkedOut.seen);
    return { ok: true, clone: { ...clone, commit: checkedOut.head.commit } };
  }

  /** With what an earlier clone had, if that can be used; else, and where it turns out to be damaged, without. */
  async #cloneFromCache(): Promise<{ end: CommandEnd; reference: string | null }> {
    const { cache, folder, onNotice } = this.#options;
    const reference = join(folder.git, `earlier-${this.#number}`);
    const taken = cache === null ? "none" : await cache.clones.take(this.#key, reference);
    const end = taken === "taken" ? await this.#clone(reference) : null;
    if (end?.code === 0) return { end, reference };
    if (end !== null && this.#isUpstreams(end)) return { end, reference: null };
    if (end !== null) await rm(join(folder.workspace, this.#plan.name), { recursive: true, force: true });
    const anew = await this.#clone(null);
    // What fails without it too, as a branch that is gone, was no fault of what was kept.
    if (taken === "damaged" || (end !== null && anew.code === 0)) {
      await cache?.clones.drop(this.#key);
      onNotice(damagedCache(this.#url));
    }
    return { end: anew, reference: null };
  }

  /** Whether a clone would have failed without what an earlier one had, too. */
  #isUpstreams({ how, code, stderr }: CommandEnd): boolean {
    const fault = this.#options.gitFault(this.#number);
    return how !== "exited" || fault !== null || isDiskFull(code, stderr);
  }

  async #keep({ tips }: Seen, reference: string | null): Promise<void> {
    const { cache, folder } = this.#options;
    await cache?.clones.keep(this.#key, {
      gitFolder: join(folder.workspace, this.#plan.name, ".git"),
      tips,
      reference,
    });
  }

  #clone(reference: string | null): Promise<CommandEnd> {
    const { sandbox, folder, env } = this.#options;
    const command = cloneCommand(this.#plan, { template: folder.template, reference });
    return sandbox.run(command, { cwd: folder.workspace, env: { ...env, ...CLONE_SETTINGS } }, this.#bounds);
  }

  /** Brings what belongs to the working tree and is not in the repository, or tells that it is not there. */
  async #complete({ folder, depth }: Clone, { pointers, hasSubmodules }: Seen): Promise<void> {
    const { order, sandbox, env, relayUrl, onNotice } = this.#options;
    if (pointers > 0) onNotice(pointersLeft(this.#url, pointers, this.#whyPointers()));
    if (!hasSubmodules) return;
    if (this.#plan.checkout?.is_fork === true) return onNotice(submodulesOfFork(this.#url));
    const attached = order.repositories.map(({ url }) => url);
    await cloneSubmodules(this.#url, folder, {
      ...{ sandbox, env, bounds: this.#bounds, attached, depth, relayUrl, onNotice },
    });
  }

  #whyPointers(): PointersLeft {
    if (!hasLfs()) return "no_git_lfs";
    const { gitFault, isAtLfs } = this.#options;
    const isAway = isAtLfs(this.#number) && gitFault(this.#number)?.isPassing === true;
    return isAway ? "away" : "not_given";
  }

  #failed({ how, code, stderr }: CommandEnd): CloneFailure {
    const words = `${this.#url}: ${readableGitError(stderr, this.#relayed, this.#url) || "git did not say why"}`;
    if (isDiskFull(code, stderr)) return lasting(runError("disk_exceeded", "clone", words));
    return how === "timed_out" ? this.#late() : this.#faulty(runError("clone_failed", "clone", words), words);
  }

  /** What git's last request met tells whether the failure is one that may be tried again. */
  #faulty(error: RunError, detail: string): CloneFailure {
    if (this.#patience.isOver) return this.#late();
    const fault = this.#options.gitFault(this.#number);
    if (fault?.isPassing !== true) return lasting(error);
    return { ok: false, error: runError("repository_unavailable", "clone", detail), retryAfterS: fault.retryAfterS };
  }

  #late(): CloneFailure {
    const seconds = Math.round(this.#options.order.clone_deadline_ms / 1_000);
    const what = this.#options.isAtLfs(this.#number) ? lfsOf(this.#url) : this.#url;
    return lasting(runError("clone_timed_out", "clone", `Nothing more came of ${what} for ${seconds} s.`));
  }
}

function lasting(error: RunError): CloneFailure {
  return { ok: false, error, retryAfterS: null };
}

/** The code of a shell whose command was ended by SIGXFSZ: a file had become as long as a run's files may be together. */
const FILE_TOO_LONG = 128 + 25;

function isDiskFull(code: number | null, stderr: string): boolean {
  return code === FILE_TOO_LONG || /No space left on device|Disk quota exceeded|File too large/.test(stderr);
}
