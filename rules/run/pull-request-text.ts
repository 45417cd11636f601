/** What a pull request says: a person's words or the run's own, and whose work it is. Pure. */
import { PULL_REQUEST_TITLE_LIMIT, type PullRequestInput } from "#protocol/pull-request.ts";
import { beginningOf } from "#protocol/well-formed.ts";

/** Of a run's report so much is taken, in characters. */
const SUMMARY_LENGTH = 30_000;

interface Known {
  title: string;
  summary: string | null;
  /** The address of the session's page. */
  link: string;
  runId: string;
  sessionId: string;
}

/** The marker tells programs by which run the pull request was made; people who read it see the line above. */
export function pullRequestText(
  { title, summary, link, runId, sessionId }: Known,
  given: Pick<PullRequestInput, "title" | "body">,
): { title: string; body: string } {
  const said = given.body ?? beginningOf(summary ?? "", SUMMARY_LENGTH);
  const whose = `Opened from the session ${link} (run \`${runId}\`).\n<!-- reveille session=${sessionId} run=${runId} -->`;
  return {
    title: given.title ?? beginningOf(title, PULL_REQUEST_TITLE_LIMIT),
    body: said.trim() === "" ? whose : `${said.trim()}\n\n---\n\n${whose}`,
  };
}
