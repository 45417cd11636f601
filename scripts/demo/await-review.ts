/** Waits for the run that a push has set off in another routine, and tells how it ended. */
import { setTimeout as delay } from "node:timers/promises";
import { pageSchema } from "#protocol/api.ts";
import { isSettled, type ListedRun, listedRunSchema } from "#protocol/run.ts";
import { callApi, outcomeOf } from "#scripts/instance/api.ts";
import { failed, type Outcome, succeeded } from "#scripts/outcome.ts";

const POLL_MS = 250;
const runPageSchema = pageSchema(listedRunSchema);

export interface ReviewOptions {
  /** The instance's origin. */
  url: string;
  token: string;
  /** The routine that the push wakes. */
  reviewerId: string;
  /** Runs of the reviewer that were there before. */
  before: ReadonlySet<string>;
  signal: AbortSignal;
}

/** The newest runs of the reviewer. */
export async function readReviews({ url, token, reviewerId, signal }: Omit<ReviewOptions, "before">) {
  const path = `/api/v1/routines/${reviewerId}/runs?limit=20`;
  const answer = await callApi(url, { method: "GET", path, token, answer: runPageSchema }, signal);
  return outcomeOf("Listing the reviewer's runs", answer);
}

/** @returns a line about the run, once it has ended; a failure when it did not succeed, or did not come in time. */
export async function awaitReview(options: ReviewOptions): Promise<Outcome<string>> {
  while (!options.signal.aborted) {
    const page = await readReviews(options);
    if (!page.ok) return page;
    const run = page.value.data.find(({ id }) => !options.before.has(id));
    if (run !== undefined && isSettled(run)) return told(run);
    await delay(POLL_MS, undefined, { signal: options.signal }).catch(() => undefined);
  }
  return failed("the push woke no reviewer in time");
}

function told({ status, result, summary, error, routine, trigger }: ListedRun): Outcome<string> {
  if (status !== "succeeded") return failed(`the reviewer's run ended as ${status}: ${error?.message ?? "no reason"}`);
  const depth = trigger.depth ?? 0;
  return succeeded(`The push woke "${routine.name}" (depth ${depth}): ${result}. ${summary ?? ""}`.trim());
}
