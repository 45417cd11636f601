/** What people and the agent are told of clones, as pure text. */
import type { RunnerEvent } from "#protocol/transcript.ts";
import type { Clone, Head, Seen } from "./clone-plan.ts";
import type { Submodule } from "./submodule-plan.ts";

export type CloneNotice = Extract<RunnerEvent, { type: "notice" }>;

const MIB = 1_048_576;

export function received(bytes: number): string {
  return `Still cloning: ${Math.round(bytes / MIB)} MiB received`;
}

export function whereItIs(url: string, { head }: Seen): string {
  if (head === null) return `Cloned ${url}, which has no commit yet`;
  return `Cloned ${url} at ${head.commit} (${head.branch ?? "no branch"})`;
}

export function foreignCommit(url: string, base: Head | null): CloneNotice {
  const from = base === null ? "are left out" : `are those of ${base.branch ?? "no branch"} at ${base.commit}`;
  const message = `The commit comes from a fork of ${url}. Settings, hooks, skills, MCP servers and instruction files ${from}, not the fork's.`;
  return { type: "notice", level: "info", code: "settings_from_base", message };
}

export function damagedCache(url: string): CloneNotice {
  const message = `What the runner had kept of an earlier clone of ${url} was damaged. It was thrown away, and the repository cloned anew.`;
  return { type: "notice", level: "warning", code: "clone_cache_damaged", message };
}

const SHOWN_SUBMODULES = 10;

export function submodulesLeft(url: string, left: readonly Submodule[]): CloneNotice {
  const shown = left.slice(0, SHOWN_SUBMODULES).map((each) => `${each.path} (${each.url})`);
  const more = left.length > shown.length ? ` and ${left.length - shown.length} more` : "";
  const message = `Submodules of ${url} that are not cloned: ${shown.join(", ")}${more}. Attach their repositories to the routine, with these addresses; one that is public can be had by git submodule update --init where the run's network lets it.`;
  return { type: "notice", level: "warning", code: "submodules_left", message };
}

export function submodulesFailed(url: string, paths: readonly string[], words: string): CloneNotice {
  const shown = paths.slice(0, SHOWN_SUBMODULES).join(", ");
  const message = `Submodules of ${url} could not be cloned: ${shown}. ${words || "Git did not say why."}`;
  return { type: "notice", level: "warning", code: "submodules_left", message };
}

export function submodulesOfFork(url: string): CloneNotice {
  const message = `Submodules of ${url} are not cloned: the commit comes from a fork, and which they are is the fork's word.`;
  return { type: "notice", level: "info", code: "submodules_left", message };
}

/** The server of Git LFS is asked by git-lfs itself, and objects may lie in a store of another host's. */
export function lfsOf(url: string): string {
  return `Git LFS of ${url}, from its server or from the store that this names (see the notices)`;
}

/** Why files of Git LFS have no contents: commands in the sandbox have no git-lfs, its server is away for now, or gave none out. */
export type PointersLeft = "no_git_lfs" | "away" | "not_given";

const REMEDIES: Readonly<Record<PointersLeft, string>> = {
  no_git_lfs:
    "Install git-lfs on the runner's machine (Debian: apt-get install git-lfs). Until then such a file can't be committed with new contents.",
  away: "Its server of Git LFS, or the store that this names, did not answer, or broke off. When it answers again, git lfs pull brings them.",
  not_given:
    "The upstream did not give them out: check that it has them, and that the instance's credential may read them.",
};

export function pointersLeft(url: string, pointers: number, why: PointersLeft): CloneNotice {
  const files = pointers === 1 ? "1 file is" : `${pointers} files are`;
  const what = `${url} keeps files in Git LFS, and ${files} here as a pointer, without the contents.`;
  return { type: "notice", level: "warning", code: "lfs_pointers", message: `${what} ${REMEDIES[why]}` };
}

/** What the agent is told of its clones. Empty where each has all history, all files, and is at its only known branch. */
export function describeClones(clones: readonly Clone[]): string {
  const paragraphs = clones.map(describeClone).filter((text) => text !== "");
  return paragraphs.length === 0 ? "" : `\n${paragraphs.join("\n")}`;
}

function describeClone({ folder, commit, branch, defaultBranch, isShallow, depth, paths }: Clone): string {
  if (commit === null) return "";
  const other = defaultBranch !== null && defaultBranch !== branch;
  const from = branch === null ? "" : ` of the branch ${branch}`;
  const told = [
    isShallow
      ? `${folder} is a shallow clone: it has the last ${depth} commits${from}${other ? ` and of the default branch ${defaultBranch}` : ""}, and no older history. Get more with git fetch --deepen=500, all of it with git fetch --unshallow; another branch with git fetch origin BRANCH. Where git finds no common ancestor of two branches, deepen first.`
      : "",
    other && !isShallow
      ? `${folder} is at the branch ${branch ?? "of its HEAD"}; the default branch is ${defaultBranch}.`
      : "",
    paths === null
      ? ""
      : `Of ${folder} only these folders are checked out: ${paths.join(", ")}. Bring another with git sparse-checkout add FOLDER; git fetches contents when they are asked for.`,
  ];
  return told.filter((text) => text !== "").join(" ");
}
