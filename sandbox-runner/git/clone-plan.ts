/** How repositories are cloned, without doing it: folder names, arguments, and what the scripts tell. */

import type { Checkout } from "#protocol/occurrence.ts";
import { type ClonedRepository, DEFAULT_DEPTH } from "#protocol/repository.ts";
import type { Command } from "../process/spawn.ts";
import { branchName, QUIET_CHECKOUT } from "./checkout-plan.ts";
import { CLONE_SCRIPT, COPY_SCRIPT, HEAD_SCRIPT } from "./clone-script.ts";
import { plainAddress } from "./git-settings.ts";
import { LOOK_SCRIPT } from "./look-script.ts";

export interface ClonePlan {
  repository: ClonedRepository;
  /** The folder's name in the workspace. */
  name: string;
  /** What is checked out once the repository is cloned; null for the newest commit of its branch. */
  checkout: Checkout | null;
}

export interface Clone {
  url: string;
  folder: string;
  /** What is checked out when the agent begins; null for a repository without a commit. */
  commit: string | null;
  /** What earlier runs of the session have left in it, as a tree of git's; left out where there were none. */
  left?: string | null;
  /** The newest commit of the branch that was cloned: the same, unless the run is about another. */
  base: string | null;
  /** The branch that was cloned; null where HEAD is none. */
  branch: string | null;
  /** The branch that the upstream's HEAD names, if it tells one. */
  defaultBranch: string | null;
  isShallow: boolean;
  depth: number;
  /** Folders that are checked out; null for all. */
  paths: readonly string[] | null;
}

/**
 * Names each repository's folder by its address; the second of the same name gets `-2`, and so on. The checkout is for
 * the first repository of its address: that is cloned at the branch which the checkout trusts, if it names one.
 */
export function planClones(repositories: readonly ClonedRepository[], checkout: Checkout | null): ClonePlan[] {
  const about = repositories.findIndex(({ url }) => checkout !== null && isSameRepository(url, checkout.repository));
  const taken = new Set<string>();
  return repositories.map((repository, number) => {
    const base = folderName(repository.url);
    let name = base;
    for (let count = 2; taken.has(name.toLowerCase()); count += 1) name = `${base}-${count}`;
    taken.add(name.toLowerCase());
    if (checkout === null || number !== about) return { repository, name, checkout: null };
    const branch = checkout.trusted_ref === null ? {} : { branch: branchName(checkout.trusted_ref) };
    return { repository: { ...repository, ...branch }, name, checkout };
  });
}

/** The folder of a clone that is made beside its place. No repository's own folder has such a name. */
export function asideName(name: string): string {
  return `.${name}.clone`;
}

function isSameRepository(one: string, other: string): boolean {
  return plainAddress(new URL(one).href) === plainAddress(new URL(other).href);
}

/** Nothing that the repository brings runs while it is cloned: no hooks, no submodules, no large-file download. */
export const CLONE_SETTINGS = QUIET_CHECKOUT;

export interface CloneInput {
  /** The folder that a new clone's own folder begins with. */
  template: string;
  /** What an earlier clone of the same repository had; null where there is none. */
  reference: string | null;
}

/** To be run with `CLONE_SETTINGS`. */
export function cloneCommand({ repository, name }: ClonePlan, { template, reference }: CloneInput): Command {
  const { url, branch = "", depth = DEFAULT_DEPTH, paths = [] } = repository;
  const words = [name, url, branch, template, String(depth), reference ?? ""];
  return ["/bin/sh", "-c", CLONE_SCRIPT + HEAD_SCRIPT + LOOK_SCRIPT, "clone", ...words, ...plainFolders(paths)];
}

export interface CopyInput {
  template: string;
  /** What an earlier clone of the same repository had. */
  reference: string;
  branch: string;
  commit: string;
  defaultBranch: string | null;
}

/** What is not in the copy is asked of nobody: there is no run yet. */
export const COPY_SETTINGS = { ...CLONE_SETTINGS, GIT_NO_LAZY_FETCH: "1" };

/** To be run with `COPY_SETTINGS`. */
export function copyCommand({ repository, name }: ClonePlan, input: CopyInput): Command {
  const { template, reference, branch, commit, defaultBranch } = input;
  const words = [name, repository.url, branch, commit, defaultBranch ?? "", template, reference];
  const folders = plainFolders(repository.paths ?? []);
  return ["/bin/sh", "-c", COPY_SCRIPT + HEAD_SCRIPT + LOOK_SCRIPT, "copy", ...words, ...folders];
}

function plainFolders(paths: readonly string[]): string[] {
  return paths.map((path) => path.replace(/\/$/, ""));
}

export interface Head {
  commit: string;
  /** Null for a commit that is checked out on no branch. */
  branch: string | null;
}

/** Where a working tree is, and what a script has seen in it. */
export interface Seen {
  /** Null for a repository without a commit. */
  head: Head | null;
  /** The branch that the upstream's HEAD names, if it tells one. */
  defaultBranch: string | null;
  isShallow: boolean;
  /** The commits at which the branches are that were fetched; none for a repository without a commit. */
  tips: string[];
  /** How many files have a pointer of Git LFS in place of their contents. */
  pointers: number;
  hasSubmodules: boolean;
}

/** Reads the lines that the scripts of a clone and a checkout print. What they do not tell is null, false or 0. */
export function readSeen(output: string): Seen {
  const told = new Map(
    output.split("\n").map((line): [string, string] => {
      const [key = ""] = line.split(" ");
      return [key, line.slice(key.length + 1)];
    }),
  );
  const commit = told.get("commit") ?? "";
  const branch = told.get("branch") || null;
  return {
    head: /^[0-9a-f]{40,64}$/.test(commit) ? { commit, branch } : null,
    defaultBranch: told.get("default") || null,
    isShallow: told.get("shallow") === "true",
    tips: (told.get("tips") ?? "").match(/\b[0-9a-f]{40,64}\b/g) ?? [],
    pointers: Number(/^[0-9]{1,9}$/.exec(told.get("pointers")?.trim() ?? "")?.[0] ?? 0),
    hasSubmodules: told.get("submodules") === "yes",
  };
}

function folderName(url: string): string {
  const last = new URL(url).pathname.split("/").filter(Boolean).at(-1) ?? "";
  const name = decode(last)
    .replace(/\.git$/i, "")
    .replace(/[^A-Za-z0-9._-]/g, "-")
    .replace(/^[.-]+/, "");
  return name.slice(0, 100) || "repository";
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
