/** The script by which git clones a repository, as pure text. In one script, because entering the sandbox takes longer than git. */

/** What making a clone and making a copy of one have in common: they know its address, its branch and what an earlier clone had. */
const CLONE_PARTS = `set_up() {
  git config remote.origin.url "$url" &&
    git config remote.origin.lfsurl "\${url%.git}.git/info/lfs" &&
    git config --replace-all remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*'
}
lend() {
  mkdir -p "$1/objects/info" && printf '%s\\n' "$reference/objects" > "$1/objects/info/alternates" || return
  [ ! -e "$reference/shallow" ] || cp "$reference/shallow" "$1/shallow"
}

check_out() {
  if [ -z "$branch" ]; then
    git update-ref --no-deref HEAD refs/cached/head
  else
    git update-ref "refs/heads/$branch" "refs/remotes/origin/$branch" && git symbolic-ref HEAD "refs/heads/$branch" &&
      git config "branch.$branch.remote" origin && git config "branch.$branch.merge" "refs/heads/$branch"
  fi && git reset --quiet --hard
}
only_wanted() { [ $# = 0 ] || printf '%s\\n' "$@" | git sparse-checkout set --cone --stdin; }
`;

/**
 * Git LFS is told the address that goes through the relay: it would derive one from the relay's own.
 *
 * Arguments: the folder's name, the address, the branch or nothing for the one that HEAD names, the template, the depth or 0 for
 * all history, a folder with what an earlier clone had or nothing, and the folders that are wanted, if not all. Every name of a
 * branch is used as a whole ref: a tag, or another branch, may have the same short name.
 *
 * Git's own clone of the default branch does it with three requests, and asks for no refs but branches and tags: a host may have
 * thousands of others. What an earlier clone had is put into the template of its folder. Another branch that is named is fetched
 * beside it: without the default branch nothing could be compared with `origin/HEAD`. Where HEAD names no branch that is there, it
 * asks which branches there are, and fetches the one that is cloned. A shallow clone follows these two; the
 * agent's fetches and pushes are to be seen on every branch. A repository without any branch is cloned at the branch that the routine, or its HEAD, names: the agent makes
 * its first commit there. Where HEAD names none that is there, the only branch is taken; among several the routine has to choose.
 */
export const CLONE_SCRIPT = `name=$1 url=$2 branch=$3 template=$4 depth=$5 reference=$6
shift 6
deep=
[ "$depth" = 0 ] || deep=--depth=$depth
fail() { printf 'fatal: %s\\n' "$1" >&2; exit 128; }

aside=$(mktemp -d) || exit
trap 'rm -rf "$aside"' EXIT
asked=$aside/asked
ask() {
  git ls-remote --symref -- "$url" HEAD 'refs/heads/*' > "$asked" || exit
  heads=$(awk -F '\\t' '$2 ~ /^refs\\/heads\\// { print substr($2, 12) }' "$asked")
  default=$(awk -F '\\t' '$2 == "HEAD" && sub(/^ref: refs\\/heads\\//, "", $1) { print $1 }' "$asked")
}
has() { printf '%s\\n' "$heads" | grep -qxF -e "$1"; }

${CLONE_PARTS}
# Prints nothing and leaves nothing where the default branch can't be had so; ends where the upstream can't be asked at all.
clone_default() {
  from=$template
  if [ -n "$reference" ]; then
    from=$aside/template
    cp -R "$template" "$from" && lend "$from" || exit
    { echo '# pack-refs with:'; sort -u "$reference/tips" | sed 's|.*|& refs/cached/&|'; } > "$from/packed-refs"
  fi
  git clone --quiet --no-checkout --single-branch --origin=origin --template="$from" $deep $filter -- "$url" "$name" 2> "$aside/said" ||
    { code=$?; cat "$aside/said" >&2; exit $code; }
  cd "$name" || exit
  default=$(git symbolic-ref --quiet refs/remotes/origin/HEAD) && default=\${default#refs/remotes/origin/} &&
    [ "$(git symbolic-ref --quiet HEAD)" = "refs/heads/$default" ] && git rev-parse --quiet --verify HEAD > /dev/null && return
  cd .. && rm -rf "$name" && return 1
}
first_commit() {
  git clone --quiet --template="$template" $deep -- "$url" "$name" && cd "$name" && set_up || exit
  [ -z "$branch" ] || git symbolic-ref HEAD "refs/heads/$branch" || exit
}

choose() {
  if [ -n "$branch" ]; then
    has "$branch" || fail "Remote branch $branch not found in upstream origin"
  elif [ -n "$default" ] && has "$default"; then
    branch=$default
  elif [ -n "$default" ] || ! awk -F '\\t' '$2 == "HEAD" { found = 1 } END { exit !found }' "$asked"; then
    [ "$(printf '%s\\n' "$heads" | wc -l)" = 1 ] ||
      fail "the branch that the repository's HEAD names is not there; give the routine one of its branches: $(printf '%s\\n' "$heads" | head -n 20 | tr '\\n' ' ')"
    branch=$heads
  fi
}

begin() {
  format=sha1
  awk 'length($1) == 64 { found = 1 } END { exit !found }' "$asked" && format=sha256
  git init --quiet --template="$template" --object-format=$format -- "$name" && cd "$name" && set_up || exit
  if [ -n "$reference" ]; then
    lend .git || exit
    sed 's|.*|create refs/cached/& &|' "$reference/tips" | git update-ref --stdin || exit
  fi
  [ $# = 0 ] || { git config remote.origin.promisor true && git config remote.origin.partialclonefilter blob:none; } || exit
}

bring() {
  set -- "+refs/heads/$branch:refs/remotes/origin/$branch"
  [ -n "$branch" ] || set -- +HEAD:refs/cached/head
  if [ -n "$default" ] && [ "$default" != "$branch" ] && has "$default"; then
    set -- "$@" "+refs/heads/$default:refs/remotes/origin/$default"
  fi
  # What comes stays in packs, however little it is: an earlier clone's packs are what a later one is given.
  git -c fetch.unpackLimit=1 fetch --quiet --no-write-fetch-head $deep $filter origin "$@" 2> "$aside/said" || {
    code=$?
    ! grep -q "couldn't find remote ref" "$aside/said" || fail "Remote branch $branch not found in upstream origin"
    cat "$aside/said" >&2
    return $code
  }
}

tell_tips() {
  printf 'tips %s\\n' "$(git for-each-ref --format='%(objectname)' refs/remotes/origin | sort -u | tr '\\n' ' ')"
  cached=$(git for-each-ref --format='delete %(refname)' refs/cached)
  [ -z "$cached" ] || printf '%s\\n' "$cached" | git update-ref --stdin
}

# Of the clone of the default branch.
go_to_named() {
  bring && git symbolic-ref HEAD "refs/heads/$branch" && git update-ref -d "refs/heads/$default" &&
    { git config --remove-section "branch.$default" || true; }
}

filter=
[ $# = 0 ] || filter=--filter=blob:none
if clone_default; then
  set_up && only_wanted "$@" || exit
  if [ -n "$branch" ] && [ "$branch" != "$default" ]; then go_to_named && check_out; else git reset --quiet --hard; fi || exit
  tell_tips || exit
else
  ask
  if [ -z "$heads" ]; then
    first_commit
  else
    choose
    begin "$@"
    only_wanted "$@" && bring || exit
    if has "$default"; then git symbolic-ref refs/remotes/origin/HEAD "refs/remotes/origin/$default" || exit; fi
    check_out && tell_tips || exit
  fi
fi
printf 'default %s\\n' "$default"
printf 'shallow %s\\n' "$(git rev-parse --is-shallow-repository)"
`;

/**
 * Makes a copy of what a clone had checked out of its branch, out of what an earlier clone has received, and asks nobody.
 *
 * Arguments: the folder's name, the address, the branch, its commit, the default branch or nothing, the template, the folder with
 * what the earlier clone had, and the folders that are wanted, if not all.
 */
export const COPY_SCRIPT = `name=$1 url=$2 branch=$3 commit=$4 default=$5 template=$6 reference=$7
shift 7
${CLONE_PARTS}
format=sha1
[ "\${#commit}" = 40 ] || format=sha256
git init --quiet --template="$template" --object-format=$format -- "$name" && cd "$name" && set_up && lend .git &&
  git update-ref "refs/remotes/origin/$branch" "$commit" && only_wanted "$@" && check_out || exit
[ -z "$default" ] || git symbolic-ref refs/remotes/origin/HEAD "refs/remotes/origin/$default" || exit
`;

/** Where a working tree is now: nothing without a commit. Branches by their whole names, however many refs share the short one. */
export const HEAD_SCRIPT = `if commit=$(git rev-parse --quiet --verify HEAD); then
  printf 'commit %s\\n' "$commit"
  printf 'branch %s\\n' "$(git symbolic-ref --quiet HEAD | sed 's|^refs/heads/||')"
fi
`;
