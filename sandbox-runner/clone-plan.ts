/** How repositories are cloned, without doing it: folder names, arguments, and git's words made readable. */
import type { ClonedRepository } from "#protocol/routine.ts";
import type { Checkout } from "#protocol/trigger-event.ts";
import { branchName } from "./checkout-plan.ts";
import { plainAddress } from "./git-settings.ts";
import type { Command } from "./spawn.ts";

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
 * A shallow clone follows one branch; the agent's fetches and pushes are to be seen on every branch.
 */
const CLONE_SCRIPT = `name=$1
shift
"$@" && git -C "$name" remote set-branches origin '*' || exit
git -C "$name" rev-parse HEAD --abbrev-ref HEAD 2>/dev/null
exit 0
`;

/**
 * Nothing that the repository brings runs here: no hooks, no submodules, no large-file download.
 * @param template the folder that a new clone's own folder begins with.
 */
export function cloneCommand({ repository, name }: ClonePlan, template: string): Command {
  const settings = ["core.hooksPath=/dev/null", "protocol.allow=never", "protocol.http.allow=always"];
  const branch = repository.branch === undefined ? [] : [`--branch=${repository.branch}`];
  const options = ["--quiet", `--template=${template}`, `--depth=${CLONE_DEPTH}`, ...branch];
  const git = ["git", ...settings.flatMap((setting) => ["-c", setting]), "clone", ...options];
  return ["/bin/sh", "-c", CLONE_SCRIPT, "clone", name, ...git, "--", repository.url, name];
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
