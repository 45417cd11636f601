/** What becomes of a push that was judged: sent on and settled, or refused in words that git shows. */

import type { Push } from "#durable-objects/routine/sessions/session-branches.ts";
import { withinDeadline } from "#instance/in-time.ts";
import { type Refusal, type Result, success } from "#protocol/errors.ts";
import { logEvent, logTrouble } from "#protocol/log.ts";
import { REFUSAL_HEADER } from "#protocol/runner-link.ts";
import type { HttpContext } from "#worker/http/http-env.ts";
import { Stall } from "#worker/proxy/stall.ts";
import type { BegunPush } from "#worker/store/begun-pushes.ts";
import { gitAnswerHeaders } from "../headers.ts";
import { pump } from "../pump.ts";
import { renderToGit, tellRefusal, tellRun } from "../render-to-agent.ts";
import type { GitTarget } from "./git-target.ts";
import { askGit, type GitRequest, STALL_MS } from "./git-upstream.ts";
import type { HeldBody } from "./held-body.ts";
import type { JudgedPush } from "./judge-push.ts";
import { countOnce } from "./new-commits.ts";
import { type NotedPush, notePush } from "./noted-push.ts";
import { PushReport } from "./push-report.ts";
import { pushedBranches } from "./push-request.ts";
import { refusalNotice, refusalReport } from "./refused-push.ts";
import { tellPushed } from "./tell-pushed.ts";
import { gitWords } from "./told-refusal.ts";

/** A request of git's that is no longer than this is held, so that it can be sent again. */
export const RESENT_BYTES = 1_048_576;
/** How long it may take to write down what a push is about to do, or what has become of it. */
const NOTE_MS = 10_000;
/** When the upstream is asked what it has taken, should nothing be heard of the push until then. */
export const FIRST_ASK_MS = 30_000;

/** Sends the push on, and records what the upstream took before the end of its answer reaches the agent. */
export async function sendPush(
  c: HttpContext,
  target: GitTarget,
  request: Omit<GitRequest, "body">,
  judged: JudgedPush,
): Promise<Response> {
  const placed = await placeOf(c, target, judged);
  if (!placed.ok) return refuseWhole(c, target, judged, placed.refusal);
  const { url, whole } = placed.value;
  const begun = await beginPush(c, target, judged);
  if (begun === null) {
    const reason = "the push was not sent, because it could not be noted: try again soon";
    return refuseWhole(c, target, judged, { code: "index_behind", message: `This is for now: ${reason}.`, reason });
  }
  const stall = new Stall(STALL_MS);
  const body = whole ?? streamed(c, judged.held, stall);
  const answer = await askGit({ ...request, url: `${url}/git-receive-pack`, body }, c.var.deps.gitCredentials, {
    stall,
  });
  if (!answer.ok) {
    // Of one that did not answer nobody knows what it has taken.
    if (answer.refusal.code !== "upstream_unreachable") await begun.refused(() => true);
    return refuseWhole(c, target, judged, answer.refusal);
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

/**
 * Where a push goes. One that is short can be sent again, to where the repository has moved. Of a longer one it has to be known
 * before: what has been sent of it can't be sent again.
 */
async function placeOf(
  c: HttpContext,
  { url }: GitTarget,
  { held }: JudgedPush,
): Promise<Result<{ url: string; whole: Uint8Array<ArrayBuffer> | null }>> {
  const whole = await held.whole(RESENT_BYTES);
  if (whole !== null) return success({ url, whole });
  let place = url;
  const answer = await askGit(
    { method: "GET", url: `${url}/info/refs?service=git-receive-pack`, headers: new Headers(), body: null },
    c.var.deps.gitCredentials,
    { onMoved: (to) => (place = to) },
  );
  if (!answer.ok) return answer;
  await answer.value.body?.cancel();
  return success({ url: place, whole });
}

/** With its length, when it has one, so that it has one upstream too. */
function streamed(c: HttpContext, held: HeldBody, stall: Stall): ReadableStream<Uint8Array> {
  const length = c.req.header("content-length");
  const { readable, writable } =
    length === undefined ? new IdentityTransformStream() : new FixedLengthStream(Number(length));
  c.executionCtx.waitUntil(held.send(writable, () => stall.touch()));
  return readable;
}

/** All of a push is refused for the same reason, and what is still coming of it is read, so that git reads that. */
async function refuseWhole(
  c: HttpContext,
  { lease }: GitTarget,
  judged: JudgedPush,
  refusal: Refusal,
): Promise<Response> {
  const { push, held } = judged;
  await tellRefusal(c, lease, refusal);
  const rendered = renderToGit(c, refusal);
  if (!rendered.headers.has(REFUSAL_HEADER)) return rendered;
  await held.drained();
  const words = gitWords(refusal);
  return new Response(
    refusalReport(
      push.commands,
      push.commands.map(() => words),
      push.features,
    ),
    {
      headers: rendered.headers,
    },
  );
}

interface Begun {
  /** The upstream has taken none of those refs. */
  refused(isRefused: (ref: string) => boolean): Promise<void>;
  /** The upstream has told what it has taken. */
  settle(report: PushReport): Promise<void>;
}

/** Writes down, before it leaves, what the push is about to set. @returns null when that was not possible. */
async function beginPush(c: HttpContext, target: GitTarget, { push, own, added }: JudgedPush): Promise<Begun | null> {
  const { begunPushes, matching } = c.var.deps;
  const { key, cause, lease, number, url } = target;
  const { commands } = push;
  const nowMs = Date.now();
  const ownOf = new Map(commands.map(({ ref }, place) => [ref, own[place] ?? []]));
  /** Branches that were taken, with how many new commits each has brought: what several have counts once. */
  const counted = (isTaken: (ref: string) => boolean) => {
    const counts = countOnce(added.map((list, place) => (isTaken(commands[place]?.ref ?? "") ? list : [])));
    const countOf = new Map(commands.map(({ ref }, place) => [ref, counts[place] ?? 0]));
    return pushedBranches(commands, new Set(commands.map(({ ref }) => ref).filter(isTaken))).map((branch) => {
      return { ...branch, commits: countOf.get(`refs/heads/${branch.branch}`) ?? 0 };
    });
  };
  const branches = counted(() => true);
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
      const taken = counted((ref) => report.accepted().has(ref)).map((branch) => {
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
