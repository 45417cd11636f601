/** What becomes of a push that was judged: sent on and settled, or refused in words that git shows. */

import type { Push } from "#durable-objects/routine/sessions/session-branches.ts";
import { withinDeadline } from "#instance/in-time.ts";
import { logEvent, logTrouble } from "#protocol/log.ts";
import type { HttpContext } from "#worker/http/http-env.ts";
import { Stall } from "#worker/proxy/stall.ts";
import type { BegunPush } from "#worker/store/begun-pushes.ts";
import { gitAnswerHeaders } from "../headers.ts";
import { pump } from "../pump.ts";
import { refuseGit, renderToGit, tellRun } from "../render-to-agent.ts";
import type { GitTarget } from "./git-target.ts";
import { askGit, type GitRequest, STALL_MS } from "./git-upstream.ts";
import type { JudgedPush } from "./judge-push.ts";
import { type NotedPush, notePush } from "./noted-push.ts";
import { PushReport } from "./push-report.ts";
import { pushedBranches } from "./push-request.ts";
import { refusalNotice, refusalReport } from "./refused-push.ts";
import { tellPushed } from "./tell-pushed.ts";

/** How long it may take to write down what a push is about to do, or what has become of it. */
const NOTE_MS = 10_000;
/** When the upstream is asked what it has taken, should nothing be heard of the push until then. */
export const FIRST_ASK_MS = 30_000;

/** Sends the push on, and records what the upstream took before the end of its answer reaches the agent. */
export async function sendPush(
  c: HttpContext,
  target: GitTarget,
  request: GitRequest,
  judged: JudgedPush,
): Promise<Response> {
  const { held } = judged;
  const begun = await beginPush(c, target, judged);
  if (begun === null) {
    await held.cancel();
    const reason = "the push was not sent, because it could not be noted: try again soon";
    return renderToGit(c, { code: "index_behind", message: `This is for now: ${reason}.`, reason });
  }
  const length = c.req.header("content-length");
  const stall = new Stall(STALL_MS);
  // With its length, when it has one, so that it has one upstream too.
  const { readable: body, writable } =
    length === undefined ? new IdentityTransformStream() : new FixedLengthStream(Number(length));
  c.executionCtx.waitUntil(held.send(writable, () => stall.touch()));
  const answer = await askGit({ ...request, body }, c.var.deps.gitCredentials, stall);
  if (!answer.ok) {
    // Of one that did not answer nobody knows what it has taken.
    if (answer.refusal.code !== "upstream_unreachable") await begun.refused(() => true);
    return refuseGit(c, target.lease, answer.refusal);
  }
  if (answer.value.body === null) return new Response(null, { headers: gitAnswerHeaders(answer.value.headers) });
  const report = new PushReport();
  // To its end, also when the agent's git is gone: what the upstream took counts.
  const passed = pump(answer.value.body, {
    onChunk: (chunk) => report.push(chunk),
    onEnd: () => begun.settle(report),
    stall: new Stall(STALL_MS),
  });
  c.executionCtx.waitUntil(passed.done);
  return new Response(passed.stream, { headers: gitAnswerHeaders(answer.value.headers) });
}

interface Begun {
  /** The upstream has taken none of those refs. */
  refused(isRefused: (ref: string) => boolean): Promise<void>;
  /** The upstream has told what it has taken. */
  settle(report: PushReport): Promise<void>;
}

/** Writes down, before it leaves, what the push is about to set. @returns null when that was not possible. */
async function beginPush(c: HttpContext, target: GitTarget, { push, own }: JudgedPush): Promise<Begun | null> {
  const { begunPushes, matching } = c.var.deps;
  const { key, cause, lease, number, url } = target;
  const { commands } = push;
  const nowMs = Date.now();
  const ownOf = new Map(commands.map(({ ref }, place) => [ref, own[place] ?? []]));
  const branches = pushedBranches(commands, new Set(commands.map(({ ref }) => ref)));
  const row: BegunPush = {
    id: crypto.randomUUID(),
    begunAtMs: nowMs,
    lease,
    number,
    url,
    branches,
    taken: [],
    tries: 0,
  };
  const begin = async (): Promise<NotedPush | null> => {
    if (branches.length > 0) await begunPushes.begin(row, nowMs + FIRST_ASK_MS);
    return await notePush(matching, { key, cause, commands }, nowMs);
  };
  const noted = await withinDeadline(begin(), NOTE_MS, "the index").catch((error: unknown) => {
    logTrouble("push_refused_unnoted", { run_id: lease.run_id }, error);
    return null;
  });
  const end = () => withinDeadline(begunPushes.end(row.id), NOTE_MS, "the index").catch(() => {});
  const owe = (taken: Push[], unknown: BegunPush["branches"]) =>
    withinDeadline(begunPushes.owe(row.id, taken, unknown), NOTE_MS, "the index").catch((error: unknown) => {
      // The row is as it was: the upstream is asked what it has taken.
      logTrouble("push_note_kept", { run_id: lease.run_id }, error);
    });
  if (noted === null) {
    await end();
    return null;
  }
  return {
    refused: async (isRefused) => {
      await noted.takeBack(isRefused);
      await end();
    },
    settle: async (report) => {
      const refused = report.refused();
      await noted.takeBack((ref) => refused.has(ref));
      const taken = pushedBranches(commands, report.accepted()).map((branch) => {
        return { ...branch, own: ownOf.get(`refs/heads/${branch.branch}`) ?? [] };
      });
      // What is not known yet is asked of the upstream later.
      const unknown = branches.filter(({ branch }) => {
        const ref = `refs/heads/${branch}`;
        return !report.accepted().has(ref) && !refused.has(ref);
      });
      const isRecorded = await recordPush(c, row, taken);
      if (isRecorded && unknown.length === 0) await end();
      else await owe(isRecorded ? [] : taken, unknown);
    },
  };
}

/** @returns whether it need not be recorded again. */
async function recordPush(c: HttpContext, push: BegunPush, branches: Push[]): Promise<boolean> {
  if (branches.length === 0) return true;
  try {
    const outcome = await tellPushed(c.var.deps.ownerOf, push, branches);
    const facts = { ...push.lease, repository: push.number, branches: branches.length };
    logEvent("push_recorded", { request_id: c.var.requestId, ...facts, outcome });
    return true;
  } catch (fault) {
    logTrouble("push_not_told", push.lease, fault);
    return false;
  }
}

const REPORT_HEADERS = { "content-type": "application/x-git-receive-pack-result", "cache-control": "no-cache" };

/** Nothing of it leaves. Git shows each ref with its reason; the transcript has one notice. */
export async function refusePush(
  c: HttpContext,
  target: GitTarget,
  { push: { commands, features, isSigned }, held }: JudgedPush,
  reasons: readonly (string | null)[],
): Promise<Response> {
  // Git asks in this way whether it is let in, before it sends something large.
  if (commands.length === 0 && !isSigned) {
    await held.drain();
    return new Response(null, { headers: REPORT_HEADERS });
  }
  const notice = refusalNotice(target.url, commands, reasons);
  await tellRun(c, target.lease, { code: "push_refused", message: notice });
  const isReported = features.has("report-status") || features.has("report-status-v2");
  if (isSigned || !isReported) {
    await held.cancel();
    return renderToGit(c, { code: "proxy_refused", reason: reasons.find((reason) => reason !== null) ?? notice });
  }
  await held.drain();
  return new Response(refusalReport(commands, reasons, features), { headers: REPORT_HEADERS });
}
