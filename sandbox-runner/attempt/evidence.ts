/** Which files a run changed in its clones, counted by git inside the sandbox once the agent has ended. */
import type { Clone } from "../git/clone-plan.ts";
import type { RunFolder } from "../process/run-folder.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { askGit, NO_COMMIT } from "./ask-git.ts";

const OUTPUT_CAP_BYTES = 4_096;

/**
 * For each clone how many files differ, by what the run itself did, from the commit that the agent began with:
 *
 * - in commits of its own. What is made here lies loose, what is fetched comes in packs (`fetch.unpackLimit`): so a
 *   colleague's commits are told apart from the run's, in whichever way they came. Of a merge those count in which it
 *   differs from both sides.
 * - in the working tree, where it differs from what is checked out. A file that git takes for changed though it is, byte
 *   for byte, what a checkout gives (line ends that don't fit `.gitattributes`) is not changed.
 * - those that git neither knows nor ignores.
 *
 * What earlier runs of the session have left there is none of its doing: where a tree is given, a file that is as in that is not
 * changed, and where nothing else is checked out than at the beginning, one that differs from it is.
 */
const COUNT_SCRIPT = String.raw`
cd "$1" || exit 1
nothing=$(git hash-object -t tree /dev/null)
began=$2
[ "$began" != ${NO_COMMIT} ] || began=$nothing
left=$3
head=$(git rev-parse -q --verify HEAD)
from=$head
[ -n "$from" ] || from=$nothing

commits_made_here() {
  comm -12 <(cd "$(git rev-parse --git-path objects)" && printf '%s\n' [0-9a-f][0-9a-f]/* | tr -d / |
    git cat-file --batch-check='%(objecttype) %(objectname)' | sed -n 's/^commit //p' | sort) \
    <(git rev-list --branches --remotes $head $([ "$began" = "$nothing" ] || echo "--not $began") | sort)
}
names() { git diff-tree -r -M --no-commit-id --name-only -z "$@"; }

committed() {
  local own newest
  own=$(commits_made_here)
  [ -n "$own" ] || return
  newest=$(comm -23 <(echo "$own") \
    <(git rev-list --no-walk --parents --stdin <<<"$own" | cut -s -d' ' -f2- | tr ' ' '\n' | sort -u) | head -n 100)
  comm -z -12 <(echo "$own" | names --stdin --root -c | sort -zu) \
    <(for commit in $newest; do names "${"${left:-$began}"}" "$commit"; done | sort -zu)
}

# Files that only may differ are compared with those of a fresh checkout all at once: there may be thousands.
fresh=$(mktemp -d)
mkdir "$fresh/tree"
failed() { touch "$fresh/failed"; }
hashes() { tr '\0' '\n' <"$fresh/unsure" | sed 's|^|./|' | git hash-object --no-filters --stdin-paths; }
unlike_fresh() {
  local path was is
  [ -s "$fresh/unsure" ] || return
  GIT_INDEX_FILE="$fresh/index" git read-tree HEAD
  GIT_INDEX_FILE="$fresh/index" git checkout-index -q -z --stdin --prefix="$fresh/tree/" <"$fresh/unsure" || failed
  while IFS= read -r -d '' path; do
    was= is=
    read -r was <&3
    read -r is <&4
    [[ -n $was && $was = "$is" ]] || printf '%s\0' "$path"
  done <"$fresh/unsure" 3< <(GIT_DIR=$(git rev-parse --absolute-git-dir) && export GIT_DIR && cd "$fresh/tree" && hashes) 4< <(hashes)
}
changed() {
  local mode path was is sort
  { git diff --raw -z --no-ext-diff --no-renames --ignore-submodules=dirty "$from" -- || failed; } |
    while IFS= read -r -d '' mode && IFS= read -r -d '' path; do
      read -r was is _ _ sort <<<"$mode"
      if [[ $sort = M && $was = ":$is" && $is = 100* && $path != *$'\n'* ]]; then printf '%s\0' "$path" >&3
      else printf '%s\0' "$path"; fi
    done 3>"$fresh/unsure"
  unlike_fresh
}
unlike_commit() {
  comm -z -12 <(changed | sort -zu) \
    <({ git diff --name-only -z --no-ext-diff --no-renames "$began" -- || failed; } | sort -zu)
  git ls-files -z --others --exclude-standard
}
unlike_left() (
  # With what the clone's own index knows of its files: those that are as they were are not read.
  cp "$(git rev-parse --git-path index)" "$fresh/left"
  export GIT_INDEX_FILE="$fresh/left"
  git read-tree --reset "$left" && git diff --name-only -z --no-ext-diff --no-renames --ignore-submodules=dirty || failed
  git ls-files -z --others --exclude-standard
)
uncommitted() {
  if [ -z "$left" ]; then unlike_commit
  elif [ "$head" = "$2" ]; then unlike_left
  else comm -z -12 <(unlike_commit | sort -zu) <(unlike_left | sort -zu); fi
}

{ committed; uncommitted "$@"; } 2>/dev/null | sort -zu | tr -cd '\000' | wc -c
[ ! -e "$fresh/failed" ]
code=$?
rm -rf "$fresh"
exit $code
`;

/** @returns how many files of all clones changed; what could not be counted is 0: a count is no reason for a run to fail. */
export async function countChangedFiles(
  clones: readonly Pick<Clone, "folder" | "commit" | "left">[],
  { workspace }: Pick<RunFolder, "workspace">,
  sandbox: Pick<Sandbox, "run">,
  env: Record<string, string>,
  signal: AbortSignal,
): Promise<number> {
  const place = { workspace, sandbox, env, signal };
  const counts = clones.map(async ({ folder, commit, left }) =>
    readCount(await askGit(COUNT_SCRIPT, [folder, commit ?? NO_COMMIT, left ?? ""], place, OUTPUT_CAP_BYTES)),
  );
  return (await Promise.all(counts)).reduce((all, count) => all + count, 0);
}

/** Reads the script's one line. What is no number counts as nothing. */
export function readCount(output: string): number {
  return /^\s*[0-9]{1,9}\s*$/.test(output) ? Number(output) : 0;
}
