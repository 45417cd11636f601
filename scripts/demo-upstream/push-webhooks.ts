/** The demo upstream's webhook: it tells the instance of each push that it has taken, as GitHub does, and signs it. */
import { createHmac, randomUUID } from "node:crypto";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type CommandOutcome, runCommand } from "#scripts/child-process.ts";
import { messageOf } from "#scripts/outcome.ts";
import { gitEnvironment } from "./git-environment.ts";
import {
  COMMIT_FORMAT,
  changesBetween,
  parseCommits,
  parseRefs,
  pushPayload,
  type RefChange,
  type ToldCommit,
} from "./push-payload.ts";

const GIT_DEADLINE_MS = 20_000;
const DELIVERY_DEADLINE_MS = 10_000;
/** The worker may be on its way back: GitHub would leave it to a person to send the delivery again. */
const ATTEMPTS = 60;
const PAUSE_MS = 1_000;
const COMMITS_TOLD = 20;

export interface WebhookTarget {
  url: string;
  secret: string;
}

export interface PushWebhooksOptions {
  /** The folder whose `<name>.git` folders are served. */
  root: string;
  /** The repositories in it, as they are before the first push. */
  repositories: readonly string[];
  /** `http://127.0.0.1:<port>` of the upstream; null until it listens. */
  address: () => string | null;
  target: WebhookTarget;
  /** Takes a line about a delivery that was given up. */
  complain: (line: string) => void;
}

export interface PushWebhooks {
  /** A push to a repository is over, whether it was taken or not. */
  received: (repository: string) => void;
  /** Gives up what is under way. */
  close: () => Promise<void>;
}

export async function startPushWebhooks(options: PushWebhooksOptions): Promise<PushWebhooks> {
  const { root, repositories, complain } = options;
  const stopped = new AbortController();
  const known = new Map<string, ReadonlyMap<string, string>>();
  for (const name of repositories) known.set(name, (await readRefs(root, name, stopped.signal)) ?? new Map());
  let last = Promise.resolve();
  return {
    received: (repository) => {
      // One after the other: what is told of is told once, and in order.
      last = last
        .then(() => tellChanges(options, repository, known, stopped.signal))
        .catch((error) => complain(`The demo upstream's webhook failed: ${messageOf(error)}`));
    },
    close: async () => {
      stopped.abort();
      await last;
    },
  };
}

async function tellChanges(
  options: PushWebhooksOptions,
  repository: string,
  known: Map<string, ReadonlyMap<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const before = known.get(repository) ?? new Map<string, string>();
  const after = await readRefs(options.root, repository, signal);
  const address = options.address();
  if (after === null || address === null) return;
  known.set(repository, after);
  for (const change of changesBetween(before, after)) {
    const { commits, isForced } = await readChange(options.root, repository, change, [...before.values()], signal);
    const facts = { repository: { name: repository, url: `${address}/${repository}` }, change, isForced, commits };
    await deliver(options, JSON.stringify(pushPayload(facts)), signal);
  }
}

async function readRefs(root: string, name: string, signal: AbortSignal): Promise<Map<string, string> | null> {
  const listed = await git(root, name, ["for-each-ref", "--format=%(objectname) %(refname)"], signal);
  return listed.ok ? parseRefs(listed.stdout) : null;
}

/** @param others where the refs were before: a new branch tells what none of them had. */
async function readChange(
  root: string,
  name: string,
  { before, after }: RefChange,
  others: readonly string[],
  signal: AbortSignal,
): Promise<{ commits: ToldCommit[]; isForced: boolean }> {
  if (after === null) return { commits: [], isForced: true };
  const base = before === null ? others : [before];
  const log = ["log", `--max-count=${COMMITS_TOLD}`, "--name-status", "--no-renames", `--format=${COMMIT_FORMAT}`];
  const [listed, ancestry] = await Promise.all([
    git(root, name, [...log, after, "--not", ...base], signal),
    before === null ? null : git(root, name, ["merge-base", "--is-ancestor", before, after], signal),
  ]);
  const commits = listed.ok ? parseCommits(listed.stdout).reverse() : [];
  return { commits, isForced: ancestry !== null && !ancestry.ok };
}

function git(root: string, name: string, args: string[], signal: AbortSignal): Promise<CommandOutcome> {
  const folder = path.join(root, `${name}.git`);
  return runCommand("git", ["-C", folder, ...args], { env: gitEnvironment(), deadlineMs: GIT_DEADLINE_MS, signal });
}

/** The same delivery id each time: what was taken in before its answer was lost is a duplicate. */
async function deliver({ target, complain }: PushWebhooksOptions, body: string, signal: AbortSignal): Promise<void> {
  const headers = {
    "content-type": "application/json",
    "user-agent": "Reveille-Demo-Upstream",
    "x-github-event": "push",
    "x-github-delivery": randomUUID(),
    "x-hub-signature-256": `sha256=${createHmac("sha256", target.secret).update(body).digest("hex")}`,
  };
  let trouble = "";
  for (let attempt = 0; attempt < ATTEMPTS && !signal.aborted; attempt += 1) {
    try {
      const deadline = AbortSignal.timeout(DELIVERY_DEADLINE_MS);
      const answer = await fetch(target.url, {
        method: "POST",
        headers,
        body,
        signal: AbortSignal.any([signal, deadline]),
      });
      trouble = `${answer.status} ${(await answer.text()).slice(0, 300)}`;
      if (answer.ok) return;
      if (answer.status < 500) break;
    } catch (error) {
      trouble = messageOf(error);
    }
    await delay(PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
  if (!signal.aborted) complain(`The demo upstream's webhook was not taken in: ${trouble}`);
}
