/** Git LFS, where the machine has it; and what guards its files where it has not. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { SANDBOX_TOOLS } from "../sandbox/sandbox-config.ts";

/** The guard's file name, beside the hooks. */
export const LFS_GUARD = "lfs-guard";

/** @returns whether commands in the sandbox find git-lfs. */
export function hasLfs(): boolean {
  return SANDBOX_TOOLS.split(":").some((folder) => existsSync(join(folder, "git-lfs")));
}

/**
 * The section of git's settings, pure. What `git lfs install` writes; without Git LFS a guard in place of it. Locks are not asked for:
 * a run has no name of its own under which it could hold one. The worker tells where an object lies below the repository's own
 * address, which `insteadOf` then leads to the relay.
 */
export function lfsSettings(hooksFolder: string, isThere: boolean): string {
  return isThere
    ? `[filter "lfs"]
\tclean = git-lfs clean -- %f
\tsmudge = git-lfs smudge -- %f
\tprocess = git-lfs filter-process
\trequired = true
[lfs]
\tlocksverify = false
\tskipdownloaderrors = true
[lfs "transfer"]
\tenablehrefrewrite = true
`
    : `[filter "lfs"]
\tclean = "'${join(hooksFolder, LFS_GUARD)}' %f"
\tsmudge = cat
\trequired = true
`;
}

/** Lets a pointer through as it is, and refuses every other contents with words: git would commit the bytes themselves. */
export const LFS_GUARD_SCRIPT = `#!/bin/sh
begin=$(dd bs=1 count=38 2>/dev/null | tr -d '\\000')
case $begin in
  "") exit 0 ;;
  "version https://git-lfs.github.com/spe") printf '%s' "$begin"; exec cat ;;
esac
echo "$1 is kept in Git LFS, and git-lfs is not installed here: new contents of it can't be committed. Leave the file as it is, and say so in your report." >&2
exit 1
`;
