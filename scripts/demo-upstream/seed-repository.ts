/** Makes the demo's bare upstream repository with its history: the same commits each time, and only when it is absent. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { type CommandOutcome, runCommand } from "#scripts/child-process.ts";
import { DEMO_HISTORY, DEMO_REPOSITORY, type DemoCommit } from "./demo-history.ts";
import { gitEnvironment } from "./git-environment.ts";

const GIT_DEADLINE_MS = 30_000;

/**
 * @param root the folder for upstream repositories; it is made when absent.
 * @returns the path of the bare repository, or what git complained of.
 */
export async function seedDemoRepository(
  root: string,
  signal?: AbortSignal,
): Promise<{ ok: true; path: string } | { ok: false; message: string }> {
  const target = path.join(root, `${DEMO_REPOSITORY}.git`);
  const git = (args: string[], env: Record<string, string> = {}) =>
    runCommand("git", args, {
      env: { ...gitEnvironment(), ...env },
      deadlineMs: GIT_DEADLINE_MS,
      ...(signal === undefined ? {} : { signal }),
    });
  if (existsSync(target)) {
    const check = await git(["-C", target, "rev-parse", "--verify", "--quiet", "refs/heads/main^{commit}"]);
    if (check.ok) return { ok: true, path: target };
    return { ok: false, message: `${target} is no usable git repository: remove it to have it made again.` };
  }
  await mkdir(root, { recursive: true });
  // Made beside its place and moved there whole: a start that is interrupted leaves no half repository.
  const workshop = await mkdtemp(path.join(root, "seeding-"));
  try {
    const outcome = await build(git, workshop);
    if (!outcome.ok) return outcome;
    await rename(path.join(workshop, "bare"), target);
    return { ok: true, path: target };
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}

type Git = (args: string[], env?: Record<string, string>) => Promise<CommandOutcome>;

async function build(git: Git, workshop: string): Promise<CommandOutcome> {
  const tree = path.join(workshop, "tree");
  let last = await git(["init", "--quiet", "--template=", "--initial-branch=main", tree]);
  for (const commit of DEMO_HISTORY) {
    if (!last.ok) return last;
    last = await record(git, tree, commit);
  }
  if (!last.ok) return last;
  return await git(["clone", "--quiet", "--template=", "--bare", tree, path.join(workshop, "bare")]);
}

async function record(
  git: Git,
  tree: string,
  { at, author, message, files, tag }: DemoCommit,
): Promise<CommandOutcome> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(tree, name)), { recursive: true });
    await writeFile(path.join(tree, name), content);
  }
  const [, name = "", email = ""] = /^(.*) <(.*)>$/.exec(author) ?? [];
  const identity = {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_AUTHOR_DATE: at,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_COMMITTER_DATE: at,
  };
  const added = await git(["-C", tree, "add", "--all"]);
  if (!added.ok) return added;
  const committed = await git(["-C", tree, "commit", "--quiet", "--message", message], identity);
  if (!committed.ok || tag === undefined) return committed;
  return await git(["-C", tree, "tag", tag]);
}
