/** A front of git that shows a repository's settings as they are without the runner's hooks, as pure text. */

/**
 * The first `git` in PATH. The runner's hooks are set by the environment, which outranks a repository's settings. Tools that install
 * hooks of their own ask for core.hooksPath, or where hooks lie, and refuse where somebody has set it: what only asks is answered
 * without the runner's hooks, everything else goes to git as it is. Git called by its path works too, and shows them. gh, which is told
 * another host (`gh-front.ts`), gets the remotes at that one, and git's own way to the relay is not gh's.
 */
export const GIT_FRONT = `#!/bin/sh
asks=
value=
for word in "$@"; do
  if [ -n "$value" ]; then value=; continue; fi
  case $word in
    -C | -c | --git-dir | --work-tree | --namespace | --config-env) value=yes ;;
    -*) ;;
    config | rev-parse | var) asks=yes; break ;;
    *) break ;;
  esac
done
if [ -n "$asks" ] && [ "$GIT_CONFIG_COUNT $GIT_CONFIG_KEY_0" = "1 core.hooksPath" ]; then
  unset GIT_CONFIG_COUNT GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_0
fi
own=\${0%/*}
set -f
ifs=$IFS
IFS=:
real=
for folder in $PATH; do
  if [ -z "$real" ] && [ "$folder" != "$own" ] && [ -x "$folder/git" ]; then real=$folder/git; fi
done
IFS=$ifs
if [ -n "$real" ] && [ -n "$REVEILLE_GH" ]; then
  export NO_PROXY="$REVEILLE_GH" no_proxy="$REVEILLE_GH"
  if [ "$*" = "remote -v" ]; then
    GIT_CONFIG_SYSTEM=/dev/null "$real" -c safe.directory='*' remote -v | sed "$REVEILLE_GH_REMOTES"
    exit 0
  fi
fi
if [ -n "$real" ]; then exec "$real" "$@"; fi
echo "git: not found" >&2
exit 127
`;
