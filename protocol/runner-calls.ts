/** What a runner asks of its instance beside the link, with the attempt's link token: requests that have an answer. */
import { ARTIFACT_ID } from "./artifact.ts";
import { NOTE_NAME } from "./note.ts";

/** @param rest below the run's own address: `notes`, or `notes/plan.md`. */
export function runnerCallPath(runId: string, rest: string): string {
  return `/runner/runs/${runId}/${rest}`;
}

/** Whether that is the path of such a call. */
export function isRunnerCall(rest: string): boolean {
  const [first, name, ...more] = rest.split("/");
  if (rest === "diff" || rest === "verdict") return true;
  if (first === "artifacts") return more.length === 0 && ARTIFACT_ID.test(name ?? "");
  return first === "notes" && more.length === 0 && (name === undefined || NOTE_NAME.test(name));
}
