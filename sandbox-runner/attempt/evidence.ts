/** What a run changed in its clones, counted by git inside the sandbox once the agent has ended. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clone } from "../git/clone.ts";
import type { RunFolder } from "../process/run-folder.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";

export interface Evidence {
  files_changed: number;
  commits_pushed: number;
}

const DEADLINE_MS = 20_000;
const OUTPUT_CAP_BYTES = 4_096;

/** Stands for the commit of a clone that had none. */
const NO_COMMIT = "none";

/**
 * For each clone two numbers: files that differ from the commit that the agent began with, in the working tree or in
 * commits of any branch; and commits that a local branch, or what is checked out on none, and a branch of the remote both
 * have, and neither that commit nor the base that was cloned has. Where the agent began without a commit, all files and commits are new.
 */
const COUNT_SCRIPT = `while [ $# -ge 3 ]; do
  cd "$1" || exit 1
  if [ "$2" = ${NO_COMMIT} ]; then
    begun=$(git hash-object -t tree /dev/null) known=
  else
    begun=$2 known="--not $2 $3"
  fi
  head=$(git rev-parse -q --verify HEAD)
  {
    git diff --no-ext-diff --name-only -z "$begun" --
    git ls-files -z --others --exclude-standard
    git log -z --format= --name-only --branches $head $known
  } 2>/dev/null | sort -zu | tr -cd '\\000' | wc -c
  {
    git rev-list --branches $head $known
    git rev-list --remotes $known
  } 2>/dev/null | sort | uniq -d | wc -l
  shift 3
done
`;

/** Counting runs nothing that the repository's settings name, as far as git lets it be switched off. */
const QUIET_GIT = {
  GIT_OPTIONAL_LOCKS: "0",
  GIT_CONFIG_COUNT: "2",
  GIT_CONFIG_KEY_0: "core.fsmonitor",
  GIT_CONFIG_VALUE_0: "false",
  GIT_CONFIG_KEY_1: "core.hooksPath",
  GIT_CONFIG_VALUE_1: "/dev/null",
};

/** @returns zeros for what could not be counted: a count is no reason for a run to fail. */
export async function gatherEvidence(
  clones: readonly Clone[],
  folder: RunFolder,
  sandbox: Sandbox,
  env: Record<string, string>,
  signal: AbortSignal,
): Promise<Evidence> {
  const counted = clones.flatMap(({ folder: place, commit, base }) => [
    place,
    commit ?? NO_COMMIT,
    base ?? commit ?? NO_COMMIT,
  ]);
  if (counted.length === 0) return { files_changed: 0, commits_pushed: 0 };
  const script = join(folder.launch, "count.sh");
  await writeFile(script, COUNT_SCRIPT);
  const end = await sandbox.run(
    ["/bin/sh", script, ...counted],
    { cwd: folder.workspace, env: { ...env, ...QUIET_GIT } },
    { deadlineMs: DEADLINE_MS, outputCapBytes: OUTPUT_CAP_BYTES, signal },
  );
  return readCounts(end.stdout);
}

/** Reads the script's lines, which alternate between both numbers. What is no number counts as nothing. */
export function readCounts(output: string): Evidence {
  const numbers = output
    .trim()
    .split("\n")
    .map((line) => (/^\s*[0-9]{1,9}\s*$/.test(line) ? Number(line) : 0));
  const sum = (odd: number) => numbers.filter((_, index) => index % 2 === odd).reduce((all, value) => all + value, 0);
  return { files_changed: sum(0), commits_pushed: sum(1) };
}
