/** Logs of jobs: GitHub answers with an address that is good for a minute, and needs no token. Only their ends are kept. */
import { withinDeadline } from "#instance/in-time.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { GithubPlace } from "./github-calls.ts";
import type { GithubWork } from "./github-work.ts";

const DEADLINE_MS = 30_000;
/** Of a log, in characters: less than an answer has room for. */
const END_LENGTH = 50_000;
const READ_AT_MOST_BYTES = 2 ** 26;
const ROUTE = "GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs";

/** @returns the last part of a job's log. */
export async function readLogEnd(work: GithubWork, place: GithubPlace, jobId: number): Promise<Result<string>> {
  const answer = await work.ask(place, "actions", ROUTE, { job_id: jobId, request: { redirect: "manual" } });
  if (!answer.ok) return answer;
  const { data, location } = answer.value;
  // A server that sends it at once.
  if (location === null) return success(typeof data === "string" ? data.slice(-END_LENGTH) : "The log is empty.");
  if (URL.parse(location)?.protocol !== "https:") return unreadable();
  try {
    const log = await fetch(location, { redirect: "manual", signal: AbortSignal.timeout(DEADLINE_MS) });
    if (!log.ok || log.body === null) return unreadable();
    return success(await withinDeadline(endOf(log.body), DEADLINE_MS, "the log"));
  } catch {
    return unreadable();
  }
}

async function endOf(body: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let bytes = 0;
  let length = 0;
  let end = "";
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > READ_AT_MOST_BYTES) {
      return `The log is longer than is read: this is not its end, but what stands before byte ${READ_AT_MOST_BYTES}.\n${end}`;
    }
    const text = decoder.decode(chunk, { stream: true });
    length += text.length;
    end = (end + text).slice(-END_LENGTH);
  }
  return length > END_LENGTH ? `The end of ${bytes} bytes.\n${end}` : end;
}

function unreadable(): Result<never> {
  return refuse("github_unreachable", { reason: "GitHub does not give out the log" });
}
