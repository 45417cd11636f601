/** `npm run demo`: an instance of its own, a run from the fire to the pushed branch, the review that the push sets off, and the end. */
import path from "node:path";
import { fireAnswerSchema } from "#protocol/api.ts";
import { type Run, runSchema } from "#protocol/run.ts";
import { awaitReview, readReviews } from "./demo/await-review.ts";
import { showBranch } from "./demo/show-branch.ts";
import { transcriptLines } from "./demo/transcript-lines.ts";
import { watchSession } from "./demo/watch-session.ts";
import { callApi, outcomeOf } from "./instance/api.ts";
import { drawFreePort } from "./instance/ports.ts";
import { readSettings } from "./instance/settings.ts";
import type { Instance } from "./instance/start-instance.ts";
import { withInstance } from "./instance/with-instance.ts";
import { failed, type Outcome, succeeded } from "./outcome.ts";
import { complain, say } from "./terminal.ts";

/** For the run, from the fire on. A real model takes its time. */
const DEMO_MODEL_DEADLINE_MS = 120_000;
const REAL_MODEL_DEADLINE_MS = 600_000;

process.exit(await main(path.dirname(import.meta.dirname)));

async function main(root: string): Promise<number> {
  const given = readSettings(process.env, root);
  if (!given.ok) {
    complain(given.message);
    return 1;
  }
  // Beside `npm start`, not in its way: a port and a state of its own.
  const { PUBLIC_URL: _publicUrl, ...workerVariables } = given.value.workerVariables;
  const stateFolder = path.join(given.value.stateFolder, "demo");
  const settings = { ...given.value, workerVariables, stateFolder, port: await drawFreePort() };
  say("Starting an instance for the demo …");
  return await withInstance({ root, settings, hasPages: false, say }, async (instance, stopped) => {
    const deadlineMs = instance.usesDemoModel ? DEMO_MODEL_DEADLINE_MS : REAL_MODEL_DEADLINE_MS;
    const shown = await showRun(instance, AbortSignal.any([stopped, AbortSignal.timeout(deadlineMs)]));
    if (stopped.aborted) return 130;
    say(shown.ok ? `\n${shown.value}` : `\nThe demo failed: ${shown.message}`);
    return shown.ok ? 0 : 1;
  });
}

async function showRun(instance: Instance, signal: AbortSignal): Promise<Outcome<string>> {
  const { origin: url, local, usesDemoModel, sandbox } = instance;
  say(usesDemoModel ? "The offline demo model, a script, stands in for a real one." : "A real model is used.");
  say(`Sandbox: ${sandbox}.`);
  say(`POST ${local.demo.fire_url}\n`);
  const reviewer = { url, token: local.owner_token, reviewerId: local.demo.reviewer_id, signal };
  const earlier = await readReviews(reviewer);
  if (!earlier.ok) return earlier;
  const startedAt = Date.now();
  const fired = outcomeOf(
    "Firing the demo routine",
    await callApi(
      url,
      {
        method: "POST",
        path: new URL(local.demo.fire_url).pathname,
        token: local.demo.fire_token,
        body: { text: "Fired by npm run demo" },
        answer: fireAnswerSchema,
      },
      signal,
    ),
  );
  if (!fired.ok) return fired;
  const { claude_code_session_id: sessionId, run_id: runId } = fired.value;
  const watched = await watchSession({
    url,
    token: local.owner_token,
    sessionId,
    runId,
    signal,
    onEvent: (event) => {
      for (const line of transcriptLines(event, startedAt)) say(line);
    },
  });
  if (!watched.ok) return watched;
  const run = outcomeOf(
    "Reading the run",
    await callApi(
      url,
      { method: "GET", path: `/api/v1/runs/${runId}`, token: local.owner_token, answer: runSchema },
      signal,
    ),
  );
  if (!run.ok) return run;
  const judged = await judge(run.value, local.demo.repository);
  if (!judged.ok) return judged;
  say(`\n${judged.value}`);
  const before = new Set(earlier.value.data.map(({ id }) => id));
  const reviewed = await awaitReview({ ...reviewer, before });
  return reviewed.ok ? succeeded(`${reviewed.value}\n\nThe demo is done.`) : reviewed;
}

/** The run has succeeded, the task is done, and what it says it pushed is in the upstream. */
async function judge(run: Run, repository: string): Promise<Outcome<string>> {
  if (run.status !== "succeeded") return failed(`the run ended as ${run.status}: ${run.error?.message ?? "no reason"}`);
  if (run.result !== "done") return failed(`the agent reported ${run.result}: ${run.summary ?? "no summary"}`);
  const [pushed] = run.evidence.branches_pushed;
  if (pushed === undefined) return failed("the run pushed no branch");
  const shown = await showBranch(repository, pushed);
  return shown.ok ? succeeded(`Branch ${pushed.branch} in ${repository}:\n\n${shown.value}`) : shown;
}
