/** The scripts by which a workspace is looked at, packed and put back, as pure text. All of them run in the sandbox. */

/**
 * Looks at a clone. Arguments: its folder, and where the bundle of what its remotes do not have is written.
 *
 * Prints records that end with a NUL: `head BRANCH`, with nothing for none; `at COMMIT`; `branch COMMIT NAME` for each; `stash
 * COMMIT`; `bundle BYTES`; `gone PATH` for a file of the commit that is not there; `file KIND<tab>BYTES<tab>PATH` for each that
 * differs from the commit, or that git neither knows nor ignores.
 */
export const LOOK_AT_CLONE = String.raw`
cd "$1" || exit 1
say() { printf '%s\0' "$*"; }
head=$(git rev-parse -q --verify HEAD)
say head "$(git symbolic-ref -q --short HEAD)"
[ -z "$head" ] || say at "$head"
git for-each-ref --format='branch %(objectname) %(refname:lstrip=2)' refs/heads | tr '\n' '\0'
stash=$(git rev-parse -q --verify refs/stash)
[ -z "$stash" ] || say stash "$stash"
git bundle create -q "$2" ${"${head:+HEAD}"} --branches ${"${stash:+refs/stash}"} --not --remotes 2>/dev/null
[ ! -s "$2" ] || say bundle "$(stat -c %s "$2")"
if [ -n "$head" ]; then
  git diff --name-only -z --no-ext-diff --no-renames --diff-filter=D HEAD -- |
    while IFS= read -r -d '' path; do [ -e "$path" ] || [ -L "$path" ] || printf 'gone %s\0' "$path"; done
fi
{
  [ -z "$head" ] || git diff --name-only -z --no-ext-diff --no-renames --ignore-submodules=all --diff-filter=d HEAD --
  [ -n "$head" ] || git ls-files -z
  git ls-files -z --others --exclude-standard
} | sort -zu | xargs -0 -r stat --printf 'file %F\t%s\t%n\0' -- 2>/dev/null
exit 0
`;

/** Looks at all files below a folder but those in the folders that are named after it. Prints the last kind of record. */
export const LOOK_AT_FOLDER = String.raw`
cd "$1" || exit 0
shift
but=()
for name in "$@"; do but+=(-path "./$name" -prune -o); done
find . "${"${but[@]}"}" -not -type d -printf 'file %y\t%s\t%P\0' 2>/dev/null
exit 0
`;

/** Packs what its input names, a NUL after each, from the root of all files. The argument says how names are told. */
export const PACK = String.raw`
exec tar --create --file=- --directory=/ --transform="$1" --owner=0 --group=0 --numeric-owner --ignore-failed-read \
  --no-recursion --null --files-from=-
`;

/** Unpacks its input into a folder. What comes after the archive's own end is read too. */
export const UNPACK = String.raw`
rm -rf "$1" && mkdir -p "$1" && cd "$1" || exit 1
tar --extract --file=- --no-same-owner --no-same-permissions && exec cat >/dev/null
`;

/**
 * Puts a clone back to where it was. Arguments: its folder, and the folder that has its records (`refs`, `gone`) and its bundle.
 * What the bundle builds on is fetched where the new clone does not have it. Prints a line `lost …` for each thing that could not
 * be put back, in words, and `at COMMIT` for where it is then.
 */
export const RESTORE_CLONE = String.raw`
cd "$1" && [ -f "$2/refs" ] || exit 0
has() { git cat-file -e "$1^{commit}" 2>/dev/null; }
bring() { has "$1" || git fetch -q --no-tags origin "$1:refs/reveille/earlier/$1" 2>/dev/null; }
if [ -f "$2/bundle" ]; then
  while read -r commit; do bring "$commit"; done < <(sed -n '/^$/q; s/^-\([0-9a-f]*\).*/\1/p' "$2/bundle" | tr -d '\0')
  git bundle unbundle "$2/bundle" >/dev/null 2>&1 || echo "lost commits that had not been pushed"
fi
git checkout -q --detach 2>/dev/null
head= at=
while IFS= read -r -d '' record; do
  read -r kind commit name <<<"$record"
  case $kind in
    head) head=$commit ;;
    at) at=$commit ;;
    branch)
      bring "$commit" || git fetch -q --no-tags origin "refs/heads/$name" 2>/dev/null
      if has "$commit"; then git update-ref "refs/heads/$name" "$commit"; else echo "lost the branch $name at $commit"; fi ;;
    stash) if has "$commit"; then git stash store -q -m "from the earlier run" "$commit"; else echo "lost the stash"; fi ;;
  esac
done <"$2/refs"
if [ -n "$head" ] && { [ -z "$at" ] || [ "$(git rev-parse -q --verify "refs/heads/$head")" = "$at" ]; }; then
  if [ -n "$at" ]; then git checkout -q -f "$head" -- 2>/dev/null || git symbolic-ref HEAD "refs/heads/$head"
  else git symbolic-ref HEAD "refs/heads/$head"; fi
elif [ -n "$at" ] && has "$at"; then git checkout -q -f --detach "$at"
fi
[ -z "$at" ] || [ "$(git rev-parse -q --verify HEAD)" = "$at" ] || echo "lost the commit $at, which was checked out"
[ ! -f "$2/gone" ] || xargs -0 -r rm -f -- <"$2/gone"
echo "at $(git rev-parse -q --verify HEAD)"
exit 0
`;

/** Puts files back. Arguments: where they lie, and where they belong. */
export const RESTORE_FILES = String.raw`
[ ! -d "$1" ] || cp -a --remove-destination -- "$1/." "$2/"
`;

/**
 * Writes down what a clone's working tree holds: what git neither knows nor ignores is in it. Argument: its folder. Prints the
 * tree. The clone's own index stays as it is.
 */
export const WRITE_TREE = String.raw`
cd "$1" && aside=$(mktemp -d) || exit 1
trap 'rm -rf "$aside"' EXIT
index=$(git rev-parse --git-path index)
[ ! -e "$index" ] || cp "$index" "$aside/index" || exit 1
export GIT_INDEX_FILE="$aside/index"
git add --all --ignore-errors . >/dev/null 2>&1
git write-tree --missing-ok
`;

/** Writes its input into a file, with the folders above it. Arguments: the file, and `last` where only its last line counts. */
export const WRITE_FILE = String.raw`
mkdir -p -- "$(dirname -- "$1")" || exit 1
if [ "$2" = last ]; then exec tail -n 1 >"$1"; else exec cat >"$1"; fi
`;

/** Gives what the agent's program keeps under one name another. Arguments: pairs of folders. */
export const RENAME_FOLDERS = `
while [ $# -ge 2 ]; do
  [ ! -d "$1" ] || [ -e "$2" ] || mv -T -- "$1" "$2" || exit 1
  shift 2
done
`;
