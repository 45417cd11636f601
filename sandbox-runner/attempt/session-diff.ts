/** What a run's work differs by from what it began with, told by git inside the sandbox once the agent has ended. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Change,
  DIFF_CHANGES,
  DIFF_FILES,
  PATCH_LIMIT_BYTES,
  PATCHES_LENGTH,
  type SentDiff,
} from "#protocol/diff.ts";
import { beginningOf } from "#protocol/well-formed.ts";
import type { Clone } from "../git/clone-plan.ts";
import type { InstanceCalls } from "../link/instance-calls.ts";
import { type AskedPlace, askGit, NO_COMMIT } from "./ask-git.ts";

const STATISTICS_BYTES = 131_072;
/** How many files that git does not know are looked at. */
const UNTRACKED = 1_000;
const OUTPUT_CAP_BYTES = DIFF_CHANGES * 2 * (PATCH_LIMIT_BYTES + STATISTICS_BYTES);
const OPTIONS =
  "--no-ext-diff --no-textconv --no-color -M --submodule=short --ignore-submodules=dirty --src-prefix=a/ --dst-prefix=b/";

/**
 * A line for each change: its kind, branch, base and head, and in base 64 git's sums, statistics of files, and patch.
 *
 * - a branch that leads to commits which neither what was checked out nor what was cloned leads to, from where it left the former;
 * - what is not committed, with files that git neither knows nor ignores, in an index of its own.
 */
const DIFF_SCRIPT = String.raw`
cd "$1" || exit 1
nothing=$(git hash-object -t tree /dev/null)
began=$2
cloned=$3
[ "$began" != ${NO_COMMIT} ] || began=$nothing
[ "$cloned" != ${NO_COMMIT} ] || cloned=$began
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
packed() { base64 | tr -d '\n'; }
# One that ends because enough of it has been read has not failed.
failed() { [ "$1" != 128 ] || touch "$scratch/failed"; }

change() {
  local words="$1 $2 $3 $4"
  shift 4
  { git diff ${OPTIONS} --numstat -z "$@" -- 2>/dev/null || failed $?; } | head -c ${STATISTICS_BYTES} >"$scratch/files"
  [ -s "$scratch/files" ] || return 0
  printf '%s %s %s ' "$words" "$(git diff ${OPTIONS} --shortstat "$@" -- 2>/dev/null | packed)" "$(packed <"$scratch/files")"
  git diff ${OPTIONS} "$@" -- 2>/dev/null | head -c $((${PATCH_LIMIT_BYTES} + 1)) | packed
  echo
}
leads_to() { [ "$1" != "$nothing" ] && git merge-base --is-ancestor "$2" "$1" 2>/dev/null; }
branch() {
  local base
  ! leads_to "$began" "$2" && ! leads_to "$cloned" "$2" || return 0
  base=$(git merge-base "$began" "$2" 2>/dev/null) || base=$nothing
  change branch "$1" "$base" "$2" "$base" "$2"
}

head=$(git rev-parse -q --verify HEAD)
if [ -n "$head" ] && ! git symbolic-ref -q HEAD >/dev/null; then branch - "$head"; fi
git for-each-ref --sort=-committerdate --count=${DIFF_CHANGES - 2} --format='%(refname:short) %(objectname)' refs/heads |
  while read -r name tip; do branch "$name" "$tip"; done

cp "$(git rev-parse --git-path index)" "$scratch/index" 2>/dev/null
export GIT_INDEX_FILE=$scratch/index
git ls-files -z --others --exclude-standard | head -z -n ${UNTRACKED} |
  git add -N --sparse --pathspec-from-file=- --pathspec-file-nul 2>/dev/null
from=$head
[ -n "$from" ] || from=$nothing
change uncommitted - "$from" - "$from"
[ ! -e "$scratch/failed" ]
`;

export interface DiffPlace extends AskedPlace {
  clones: readonly Pick<Clone, "url" | "folder" | "commit" | "base">[];
}

/** How long to wait before it is sent again: the instance may be restarting. */
const SENT_AGAIN_MS = [500, 3_000];

/** Sends it to the instance. What is not taken is lost: nothing depends on it. */
export async function keepDiff(
  where: DiffPlace,
  calls: Pick<InstanceCalls, "call">,
  scrub: (text: string) => string,
): Promise<void> {
  const diff = await sessionDiff(where, scrub);
  for (const waitMs of [0, ...SENT_AGAIN_MS]) {
    await sleep(waitMs);
    const sent = await calls.call("PUT", "diff", diff);
    if (sent.ok || sent.status !== null || where.signal.aborted) return;
  }
}

/** What can't be told is left out: a run does not fail for it. @param scrub takes secrets out. */
export async function sessionDiff(where: DiffPlace, scrub: (text: string) => string): Promise<SentDiff> {
  const told = where.clones.map(async ({ url, folder, commit, base }) => {
    const words = [folder, commit ?? NO_COMMIT, base ?? NO_COMMIT] as const;
    const stdout = await askGit(DIFF_SCRIPT, words, where, OUTPUT_CAP_BYTES);
    return { repository: url, changes: readChanges(stdout, scrub) };
  });
  const repositories = (await Promise.all(told)).filter(({ changes }) => changes.length > 0);
  return { repositories: bounded(repositories) };
}

/** Reads the script's lines. What has another form is left out. */
export function readChanges(output: string, scrub: (text: string) => string): Change[] {
  return output
    .split("\n")
    .flatMap((line) => readChange(line, scrub) ?? [])
    .slice(0, DIFF_CHANGES);
}

function readChange(line: string, scrub: (text: string) => string): Change | null {
  const [kind, name = "-", base = "-", head = "-", sums, statistics, patch, ...more] = line.split(" ");
  if ((kind !== "branch" && kind !== "uncommitted") || sums === undefined || statistics === undefined) return null;
  if (patch === undefined || more.length > 0) return null;
  const bytes = Buffer.from(patch, "base64");
  const isCut = bytes.length > PATCH_LIMIT_BYTES;
  const all = readFiles(plain(statistics));
  const told = readSums(plain(sums));
  const files = all.slice(0, DIFF_FILES).map(({ path, previous_path, ...lines }) => ({
    path: scrub(path),
    ...(previous_path === undefined ? {} : { previous_path: scrub(previous_path) }),
    ...lines,
  }));
  return {
    kind,
    branch: name === "-" ? null : scrub(name),
    base: commitOf(base),
    head: commitOf(head),
    ...told,
    files,
    patch: scrub(wholeLines(bytes, isCut)),
    truncated: isCut || files.length < told.files_changed,
  };
}

/** Text that is no UTF-8 has the replacement character. */
function plain(packed: string): string {
  return Buffer.from(packed, "base64").toString("utf8");
}

/** A patch that is cut ends with a whole line. */
function wholeLines(bytes: Buffer, isCut: boolean): string {
  if (!isCut) return bytes.toString("utf8");
  return bytes.subarray(0, bytes.lastIndexOf("\n", PATCH_LIMIT_BYTES - 1) + 1).toString("utf8");
}

/** Git's empty tree stands for no commit. */
function commitOf(text: string): string | null {
  return /^[0-9a-f]{40,64}$/.test(text) && !EMPTY_TREES.includes(text) ? text : null;
}

const EMPTY_TREES = [
  "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
  "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
];

/** `git diff --shortstat`. */
function readSums(text: string): Pick<Change, "files_changed" | "additions" | "deletions"> {
  const count = (unit: RegExp) => Number(unit.exec(text)?.[1] ?? 0);
  return {
    files_changed: count(/([0-9]{1,9}) files? changed/),
    additions: count(/([0-9]{1,12}) insertion/),
    deletions: count(/([0-9]{1,12}) deletion/),
  };
}

/** `git diff --numstat -z`: of a renamed file both names follow the counts. What was cut off at the end is left out. */
function readFiles(text: string): Change["files"] {
  const words = text.split("\0");
  // What follows the last NUL is nothing, or cut off.
  words.pop();
  const files: Change["files"] = [];
  for (let at = 0; at < words.length; at += 1) {
    const [, added = "", deleted = "", path = ""] = /^([0-9]+|-)\t([0-9]+|-)\t([\s\S]*)$/.exec(words[at] ?? "") ?? [];
    const lines = { additions: countOf(added), deletions: countOf(deleted) };
    if (path !== "") files.push({ path, ...lines });
    else if (words[at + 2] !== undefined)
      files.push({ path: words[at + 2] ?? "", previous_path: words[at + 1], ...lines });
    if (path === "") at += 2;
  }
  return files;
}

function countOf(text: string): number | null {
  return text === "-" ? null : Number(text);
}

/** All patches together: the first ones whole, and of the others nothing but their files. */
function bounded(repositories: SentDiff["repositories"]): SentDiff["repositories"] {
  let left = PATCHES_LENGTH;
  return repositories.map(({ repository, changes }) => ({
    repository,
    changes: changes.map((change) => {
      const patch = beginningOf(change.patch, Math.min(left, change.patch.length));
      left -= patch.length;
      return patch === change.patch ? change : { ...change, patch, truncated: true };
    }),
  }));
}
