/** The hooks that git has in the sandbox, as pure text: the repository's own, the session's trailer, and Git LFS. */
import { sessionTrailer, TRAILER_SCRIPT, trailerCall } from "./session-trailer.ts";

/** Hooks that git calls often, and for every index write or reference, are left out: a script each time would be slow. */
const HOOK_NAMES = [
  "applypatch-msg",
  "pre-applypatch",
  "post-applypatch",
  "pre-commit",
  "pre-merge-commit",
  "prepare-commit-msg",
  "commit-msg",
  "post-commit",
  "pre-rebase",
  "post-checkout",
  "post-merge",
  "pre-push",
  "post-rewrite",
];

/** The hooks that get a commit message, as git makes or takes it; `git am` has one of its own. */
const MESSAGE_HOOKS = ["applypatch-msg", "prepare-commit-msg", "commit-msg"];

/** @param hasLfs whether commands in the sandbox have Git LFS. */
export function gitHooks(sessionUrl: string, hasLfs: boolean): Record<string, string> {
  const hooks = HOOK_NAMES.map((name) => {
    if (MESSAGE_HOOKS.includes(name)) return [name, repositoryHook(name, false) + trailerCall(name)];
    return [name, name === "pre-push" && hasLfs ? PRE_PUSH_WITH_LFS : repositoryHook(name, true)];
  });
  return { ...Object.fromEntries(hooks), [TRAILER_SCRIPT]: sessionTrailer(sessionUrl) };
}

/**
 * Finds the repository's own hook of that name: in the folder that its settings name, or in its .git/hooks. In a hook git itself
 * comes first in PATH, so this reads what git-front.ts shows to others.
 */
function findHook(name: string): string {
  return `#!/bin/sh
folder=$(unset GIT_CONFIG_COUNT; git config --type=path core.hooksPath 2>/dev/null)
[ -n "$folder" ] || folder=$(git rev-parse --git-common-dir)/hooks
hook=$folder/${name}
`;
}

function repositoryHook(name: string, replaces: boolean): string {
  return `${findHook(name)}if [ -x "$hook" ]; then
  ${replaces ? 'exec "$hook" "$@"' : '"$hook" "$@" || exit $?'}
fi
`;
}

/** Git LFS uploads before git pushes. It is known by its folder, which it makes as soon as it has a file in hand. */
const PRE_PUSH_WITH_LFS = `${findHook("pre-push")}refs=$(cat)
feed() { [ -z "$refs" ] || printf '%s\\n' "$refs"; }
if [ -x "$hook" ]; then feed | "$hook" "$@" || exit $?; fi
[ ! -d "$(git rev-parse --git-common-dir)/lfs" ] || feed | git lfs pre-push "$@"
`;
