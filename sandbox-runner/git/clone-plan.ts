/** How repositories are cloned, without doing it: folder names, arguments, and git's words made readable. */

import type { Checkout } from "#protocol/occurrence.ts";
import type { ClonedRepository } from "#protocol/routine.ts";
import type { Command } from "../process/spawn.ts";
import { branchName, QUIET_CHECKOUT } from "./checkout-plan.ts";
import { plainAddress } from "./git-settings.ts";

/** Enough history for an agent to read what was done lately; `git fetch --deepen` gets more through the relay. */
const CLONE_DEPTH = 50;

export interface ClonePlan {
  repository: ClonedRepository;
  /** The folder's name in the workspace. */
  name: string;
  /** What is checked out once the repository is cloned; null for the newest commit of its branch. */
  checkout: Checkout | null;
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

function isSameRepository(one: string, other: string): boolean {
  return plainAddress(new URL(one).href) === plainAddress(new URL(other).href);
}

/**
 * Clones, and says at which commit of which branch. In one script, because entering the sandbox takes longer than git.
 *
 * A repository without any branch is cloned at the branch that its HEAD, or the routine, names: the agent makes its first
 * commit there. Where HEAD names none that is there, the only branch is taken; among several the routine has to choose.
 * A shallow clone follows one branch; the agent's fetches and pushes are to be seen on every branch.
 */
const CLONE_SCRIPT = `name=$1 url=$2 branch=$3 template=$4
clone() { git clone --quiet --template="$template" --depth=${CLONE_DEPTH} "$@" -- "$url" "$name"; }
branches() { git ls-remote --heads -- "$url" | sed 's|^[^/]*/heads/||'; }

if [ -z "$branch" ]; then
  clone || exit
elif ! clone --branch="$branch"; then
  git ls-remote -- "$url" >/dev/null 2>&1 && [ -z "$(branches)" ] || exit
  clone && git -C "$name" symbolic-ref HEAD "refs/heads/$branch" || exit
fi
cd "$name" && git config --replace-all remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*' || exit

if [ -z "$branch" ] && ! git rev-parse --quiet --verify HEAD >/dev/null; then
  found=$(branches)
  if [ "$(printf '%s\n' "$found" | wc -l)" -gt 1 ]; then
    echo "fatal: the branch that the repository's HEAD names is not there; give the routine one of its branches: $(printf '%s\n' "$found" | head -n 20 | tr '\n' ' ')" >&2
    exit 1
  elif [ -n "$found" ]; then
    git fetch --quiet --depth=${CLONE_DEPTH} origin "+refs/heads/$found:refs/remotes/origin/$found" &&
      git checkout --quiet --track -B "$found" "origin/$found" || exit
  fi
fi
git rev-parse HEAD --abbrev-ref HEAD 2>/dev/null
exit 0
`;

/** Nothing that the repository brings runs while it is cloned: no hooks, no submodules, no large-file download. */
export const CLONE_SETTINGS = QUIET_CHECKOUT;

/**
 * To be run with `CLONE_SETTINGS`.
 * @param template the folder that a new clone's own folder begins with.
 */
export function cloneCommand({ repository, name }: ClonePlan, template: string): Command {
  return ["/bin/sh", "-c", CLONE_SCRIPT, "clone", name, repository.url, repository.branch ?? "", template];
}

export interface Head {
  commit: string;
  branch: string;
}

/** @returns null for what is not the end of `cloneCommand`'s output, for instance of a repository without a commit. */
export function readHead(output: string): Head | null {
  const [commit = "", branch = ""] = output.split("\n");
  return /^[0-9a-f]{40,64}$/.test(commit) && branch !== "" ? { commit, branch } : null;
}

const SHOWN_LINES = 3;
const SHOWN_CHARACTERS = 600;

/** The last lines of git's error output for a person: the relay's address is shown as the repository's own. */
export function readableGitError(stderr: string, proxyAddress: string, url: string): string {
  const lines = stderr
    .replaceAll(`${proxyAddress}/`, `${url}/`)
    .replaceAll(proxyAddress, url)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("warning: "));
  return lines.slice(-SHOWN_LINES).join(" ").slice(-SHOWN_CHARACTERS);
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
