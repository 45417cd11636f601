/** What a run is told of earlier runs, as text. Pure. */
import type { SettledRecord } from "./record.ts";
import { showListed } from "./record.ts";

/** Of all of it, in UTF-16 code units; runs that don't fit are counted. */
const CONTEXT_LENGTH = 24_000;
/** Of what an agent or a person has written about one run. */
const SUMMARY_LENGTH = 2_000;
const WHY_LENGTH = 1_000;
const NAME_LENGTH = 200;
const BRANCHES_TOLD = 10;
const REVIEWS_TOLD = 3;

/** Runs of one routine that a run is told of, newest first. */
export interface ContextOf {
  /** As the routine's definition names it. */
  routine: string;
  runs: readonly SettledRecord[];
}

/** @returns null where there is nothing to tell. */
export function contextText(parts: readonly ContextOf[]): string | null {
  const told = parts.flatMap(({ routine, runs }) => runs.map((run) => aboutRun(routine, run)));
  if (told.length === 0) return null;
  const kept: string[] = [];
  let length = 0;
  for (const text of told) {
    length += text.length + 2;
    if (length > CONTEXT_LENGTH) break;
    kept.push(text);
  }
  const left = told.length - kept.length;
  return [...kept, ...(left === 0 ? [] : [`${left} more: left out, because this text would be too long.`])].join(
    "\n\n",
  );
}

/** Facts first. What an agent or a person has written comes after them, quoted line by line, so that nothing in it can pass for one. */
function aboutRun(routine: string, record: SettledRecord): string {
  const run = showListed(record);
  const { id, status, result, summary, evidence, timings, error } = run;
  const verdict = "verdict" in run ? run.verdict : undefined;
  const reviews = ("reviews" in run ? (run.reviews ?? []) : []).slice(-REVIEWS_TOLD);
  const isMissing = "evidence_missing" in run && run.evidence_missing === true;
  const of = routine === "self" ? "this routine" : JSON.stringify(routine.slice(0, NAME_LENGTH));
  return [
    `run ${id} of ${of}, ended ${timings.finished_at}`,
    `status: ${status}, result: ${result}${isMissing ? " (nothing was seen of it)" : ""}`,
    ...(error === null ? [] : [`error: ${error.code}`]),
    `seen: ${evidence.files_changed} files changed, ${evidence.commits_pushed} commits pushed`,
    ...evidence.branches_pushed
      .slice(-BRANCHES_TOLD)
      .map(({ repository, branch, commit }) => `pushed: ${branch} of ${repository} at ${commit}`),
    ...(evidence.pull_requests ?? []).slice(-BRANCHES_TOLD).map(({ url }) => `pull request: ${url}`),
    ...(evidence.comments ?? []).slice(-BRANCHES_TOLD).map(({ kind, url }) => `${kind}: ${url}`),
    ...(verdict === undefined ? [] : [`a person's verdict: ${verdict.verdict}`]),
    ...(verdict?.why == null ? [] : ["why:", quoted(verdict.why, WHY_LENGTH)]),
    ...reviews.flatMap(({ by, verdict: word, why }) => [
      `verdict of run ${by.id} of ${JSON.stringify(by.name.slice(0, NAME_LENGTH))}: ${word}`,
      ...(why === null ? [] : ["why:", quoted(why, WHY_LENGTH)]),
    ]),
    ...(summary === null || summary === "" ? [] : ["what its agent reported:", quoted(summary, SUMMARY_LENGTH)]),
  ].join("\n");
}

function quoted(text: string, length: number): string {
  const cut = text.length > length ? `${text.slice(0, length).toWellFormed()} …` : text;
  return cut
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map((line) => `> ${line}`)
    .join("\n");
}
