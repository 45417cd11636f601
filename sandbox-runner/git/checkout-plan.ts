/** How the commit that a run is about is checked out, without doing it: names, rules and the script that git runs by. */
import { branchOf, branchRef, isPlainBranch, readRef } from "#protocol/git-refs.ts";
import type { Checkout } from "#protocol/occurrence.ts";
import type { Command } from "../process/spawn.ts";
import { HEAD_SCRIPT } from "./clone-script.ts";
import { LOOK_SCRIPT } from "./look-script.ts";

/** Everything by which Claude Code lets a repository set up a session, at any depth: settings, hooks, servers, instructions. */
export const SETTINGS_NAMES = [
  ".claude",
  ".claude-plugin",
  ".claude.json",
  ".lsp.json",
  ".mcp.json",
  ".mcpb-cache",
  ".worktreeinclude",
  "AGENTS.md",
  "CLAUDE.local.md",
  "CLAUDE.md",
] as const;

export interface LocalBranch {
  name: string;
  /** True for a branch of the repository itself: it is taken only while the commit is its newest. */
  isUpstream: boolean;
}

/** @returns the local branch that is named after a ref, or null for a ref that only a detached head can stand for. */
export function localBranch(ref: string): LocalBranch | null {
  const branch = branchOf(ref);
  if (branch !== null) return isPlainBranch(branch) ? { name: branch, isUpstream: true } : null;
  const [, kind, number] = /^refs\/(pull|merge-requests)\/([0-9]+)\/head$/.exec(ref) ?? [];
  if (number === undefined) return null;
  return { name: `${kind === "pull" ? "pr" : "mr"}-${number}`, isUpstream: false };
}

/** A branch's whole name as a ref. @returns null for what git would not read as the name of one ref. */
export function wholeRef(ref: string): string | null {
  return ref.startsWith("refs/") ? readRef(ref) : branchRef(ref);
}

/** A branch's name without `refs/heads/`. */
export function branchName(ref: string): string {
  return branchOf(ref) ?? ref;
}

/**
 * @param ref as `wholeRef` gives it.
 * @param name the clone's folder in the working folder.
 * @param depth of the clone, 0 for all history: as deep is fetched, so that what both have in common is there in most cases.
 */
export function checkoutCommand(name: string, ref: string, { commit, is_fork }: Checkout, depth: number): Command {
  const branch = localBranch(ref);
  const guarded = is_fork ? SETTINGS_NAMES.flatMap((each) => [`:(glob)**/${each}`, `:(glob)**/${each}/**`]) : [];
  const words = [name, ref, commit, String(depth), branch?.name ?? "", branch?.isUpstream === true ? ref : ""];
  return [
    "/bin/bash",
    "--noprofile",
    "--norc",
    "-c",
    CHECKOUT_SCRIPT + HEAD_SCRIPT + LOOK_SCRIPT,
    "checkout",
    ...words,
    ...guarded,
  ];
}

/** Nothing that the repository brings runs while it is fetched and checked out. */
export const QUIET_CHECKOUT = {
  GIT_CONFIG_COUNT: "6",
  GIT_CONFIG_KEY_0: "core.hooksPath",
  GIT_CONFIG_VALUE_0: "/dev/null",
  GIT_CONFIG_KEY_1: "protocol.allow",
  GIT_CONFIG_VALUE_1: "never",
  GIT_CONFIG_KEY_2: "protocol.http.allow",
  GIT_CONFIG_VALUE_2: "always",
  GIT_CONFIG_KEY_3: "fetch.recurseSubmodules",
  GIT_CONFIG_VALUE_3: "false",
  GIT_CONFIG_KEY_4: "submodule.recurse",
  GIT_CONFIG_VALUE_4: "false",
  GIT_CONFIG_KEY_5: "core.fsmonitor",
  GIT_CONFIG_VALUE_5: "false",
};

/**
 * Fetches the ref, and the commit itself where the ref does not lead to it any more; checks the commit out; says where
 * it is. The working tree is the base's when it begins.
 *
 * For a fork, the rest of the arguments are path patterns. What the base has under them is kept aside, with symbolic links
 * followed, for what a link leads to would be the fork's afterwards. Once the fork's commit is there, everything of these
 * names is removed, links included, and the base's is put in its place, but not through a folder that the fork has made a
 * link or a file. Git is told to look away from these paths, so that they are not taken for the agent's own changes.
 */
const CHECKOUT_SCRIPT = `set -e -o pipefail
cd "$1"
ref=$2 commit=$3 branch=$5 upstream=$6
deep=
[ "$4" = 0 ] || deep=--depth=$4
shift 6
if [ $# -gt 0 ]; then
  kept=$(mktemp -d)
  trap 'rm -rf "$kept"' EXIT
  mkdir "$kept/tree"
  git ls-files -z -- "$@" | while IFS= read -r -d '' path; do
    if [ -e "$path" ]; then
      cp -RL --parents -- "$path" "$kept/tree"
      printf '%s\\0' "$path" >> "$kept/paths"
    fi
  done
fi

tip=
if git fetch --quiet $deep origin "$ref"; then tip=$(git rev-parse 'FETCH_HEAD^{commit}'); fi
if ! git cat-file -e "$commit^{commit}" 2>/dev/null; then git fetch --quiet $deep origin "$commit"; fi
if [ -n "$branch" ] && { [ -z "$upstream" ] || [ "$tip" = "$commit" ]; }; then
  git checkout --quiet --no-track -B "$branch" "$commit"
  if [ -n "$upstream" ]; then
    git config "branch.$branch.remote" origin
    git config "branch.$branch.merge" "$upstream"
  fi
else
  git checkout --quiet --detach "$commit"
fi

if [ $# -gt 0 ]; then
  find . -path ./.git -prune -o '(' ${SETTINGS_NAMES.map((name) => `-name ${name}`).join(" -o ")} ')' -prune -exec rm -rf {} +
  git ls-files -z -- "$@" | git update-index -z --skip-worktree --stdin
  mkdir -p .git/info
  printf '%s\\n' ${SETTINGS_NAMES.join(" ")} >> .git/info/exclude
  here=$(realpath .)
  while IFS= read -r -d '' path; do
    place=$(dirname -- "$path")
    if [ "$(realpath -m -- "$place")" = "$(realpath -m -s -- "$here/$place")" ] && mkdir -p -- "$place" 2>/dev/null; then
      cp -R -- "$kept/tree/$path" "$path"
    fi
  done < <(cat "$kept/paths" 2>/dev/null)
fi
`;
