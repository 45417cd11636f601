/** Looks into the upstream repository itself for the branch that a run says it has pushed. */
import { runCommand } from "#scripts/child-process.ts";
import { gitEnvironment } from "#scripts/demo-upstream/git-environment.ts";
import { failed, type Outcome, succeeded } from "#scripts/outcome.ts";

const GIT_DEADLINE_MS = 20_000;

/**
 * @param repository the path of the bare repository.
 * @returns the branch's own commits and what they change, for people; a failure when the branch is not there, is at
 * another commit, or has no commit of its own.
 */
export async function showBranch(
  repository: string,
  { branch, commit }: { branch: string; commit: string },
): Promise<Outcome<string>> {
  const git = (args: string[]) =>
    runCommand("git", ["-C", repository, ...args], { env: gitEnvironment(), deadlineMs: GIT_DEADLINE_MS });
  const reference = `refs/heads/${branch}`;
  const tip = await git(["rev-parse", "--verify", "--quiet", `${reference}^{commit}`]);
  if (!tip.ok) return failed(`The branch ${branch} is not in the upstream repository ${repository}.`);
  if (tip.stdout.trim() !== commit)
    return failed(`The branch ${branch} is not at ${commit} in the upstream repository.`);
  const log = await git(["log", "--format=%h %an: %s", `refs/heads/main..${reference}`]);
  if (!log.ok) return failed(log.message);
  if (log.stdout.trim() === "") return failed(`The branch ${branch} has no commit of its own.`);
  const diff = await git(["diff", "--stat", `refs/heads/main...${reference}`]);
  return diff.ok ? succeeded(`${log.stdout.trimEnd()}\n${diff.stdout.trimEnd()}`) : failed(diff.message);
}
