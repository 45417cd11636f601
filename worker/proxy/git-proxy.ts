/** Git's smart HTTP as the sandbox sees it: the run's repositories alone, with the instance's credential put in. */
import { type Refusal, type Result, refuse, success } from "#protocol/errors.ts";
import type { Cause } from "#protocol/incoming-event.ts";
import { errorText, logLine } from "#protocol/log.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { HttpContext } from "../http-env.ts";
import { readLease } from "./authorize.ts";
import { askGit, type GitRequest } from "./git-upstream.ts";
import { pickHeaders } from "./headers.ts";
import { type NotedPush, notePush } from "./noted-push.ts";
import { PushReport, type PushRequest, pushedBranches } from "./pkt-line.ts";
import { pump } from "./pump.ts";
import { readPush } from "./read-push.ts";
import { renderToGit, tellRefusal } from "./render-to-agent.ts";

const TO_UPSTREAM = ["content-type", "content-encoding", "accept", "git-protocol", "user-agent"];
const TO_AGENT = ["content-type"];
/** What one push may set: each ref is noted. */
const REFS_LIMIT = 500;

export type GitPath = "info/refs" | "git-upload-pack" | "git-receive-pack";

interface GitTarget {
  lease: LeaseRef;
  number: number;
  url: string;
  /** The repository, as pushes to it are noted. */
  key: number | string;
  /** What the run's pushes set off is traced back to it. */
  cause: Cause;
}

export async function proxyGit(c: HttpContext, path: GitPath): Promise<Response> {
  const lease = await readLease(c);
  if (!lease.ok) return renderToGit(c, lease.refusal);
  const target = await readTarget(c, path, lease.value);
  if (!target.ok) return refuseGit(c, lease.value, target.refusal);
  const { url } = target.value;
  const headers = pickHeaders(c.req.raw.headers, TO_UPSTREAM);
  if (path === "info/refs") {
    const refs = `${url}/info/refs${new URL(c.req.url).search}`;
    return passBack(c, lease.value, { method: "GET", url: refs, headers, body: null });
  }
  const request: GitRequest = { method: "POST", url: `${url}/${path}`, headers, body: c.req.raw.body };
  return path === "git-upload-pack" ? passBack(c, lease.value, request) : pushUpstream(c, target.value, request);
}

/** A refusal for git, and for the run's transcript. */
async function refuseGit(c: HttpContext, lease: LeaseRef, refusal: Refusal): Promise<Response> {
  await tellRefusal(c, lease, refusal);
  return renderToGit(c, refusal);
}

/** Everything that can refuse, before anything leaves. */
async function readTarget(c: HttpContext, path: GitPath, lease: LeaseRef): Promise<Result<GitTarget>> {
  const fault = requestFault(c, path);
  if (fault !== null) return fault;
  const given = c.req.param("number") ?? "";
  if (!/^(?:0|[1-9][0-9]{0,3})$/.test(given)) return refuse("not_found", { field: "number" });
  const number = Number(given);
  const repository = await c.var.deps.ownerOf(lease.run_id).gitRepository(lease, number);
  if (!repository.ok) return repository;
  const { url, key, cause } = repository.value;
  return success({ lease, number, url: url.replace(/\/+$/, ""), key, cause });
}

function requestFault(c: HttpContext, path: GitPath) {
  const { search } = new URL(c.req.url);
  if (path === "info/refs") {
    const isServed = c.req.method === "GET" && /^\?service=git-(?:upload|receive)-pack$/.test(search);
    return isServed ? null : refuse("not_found", { field: "service" });
  }
  if (search !== "") return refuse("not_found", { field: "query" });
  if (c.req.header("content-type") !== `application/x-${path}-request`) {
    return refuse("content_type_refused", { field: "Content-Type", hint: `Send application/x-${path}-request.` });
  }
  if (path === "git-receive-pack" && c.req.header("content-encoding") !== undefined) {
    return refuse("content_type_refused", { field: "Content-Encoding", hint: "Send a push without compression." });
  }
  return null;
}

async function passBack(c: HttpContext, lease: LeaseRef, request: GitRequest): Promise<Response> {
  const answer = await askGit(request, c.var.deps.config.gitCredentials);
  if (!answer.ok) return refuseGit(c, lease, answer.refusal);
  return new Response(answer.value.body, { headers: answerHeaders(answer.value) });
}

/** What the upstream took is recorded before the end of its answer reaches the agent. */
async function pushUpstream(c: HttpContext, target: GitTarget, request: GitRequest): Promise<Response> {
  const { lease } = target;
  if (request.body === null) return refuseGit(c, lease, { code: "invalid_request", field: "body" });
  const length = c.req.header("content-length");
  const read = await readPush(request.body, length === undefined ? null : Number(length));
  if (!read.ok) return refuseGit(c, lease, read.refusal);
  const { push, body, done } = read.value;
  c.executionCtx.waitUntil(done);
  const fault = pushFault(push);
  if (fault !== null) {
    await body.cancel();
    return refuseGit(c, lease, { code: "proxy_refused", reason: fault });
  }
  const { key, cause } = target;
  const noted = await notePush(c.var.deps.matching, { key, cause, commands: push.commands }, Date.now());
  if (noted === null) {
    await body.cancel();
    const reason = "the push was not sent, because it could not be noted: try again soon";
    return renderToGit(c, { code: "index_behind", message: `This is for now: ${reason}.`, reason });
  }
  const answer = await askGit({ ...request, body }, c.var.deps.config.gitCredentials);
  if (!answer.ok) {
    // Of one that did not answer nobody knows what it has taken.
    if (answer.refusal.code !== "upstream_unreachable") await noted.takeBack(() => true);
    return refuseGit(c, lease, answer.refusal);
  }
  if (answer.value.body === null) return new Response(null, { headers: answerHeaders(answer.value) });
  const report = new PushReport(push.capabilities);
  // To its end, also when the agent's git is gone: what the upstream took counts.
  const passed = pump(answer.value.body, {
    onChunk: (chunk) => report.push(chunk),
    onEnd: () => settlePush(c, target, { push, report, noted }),
  });
  c.executionCtx.waitUntil(passed.done);
  return new Response(passed.stream, { headers: answerHeaders(answer.value) });
}

function pushFault({ commands, capabilities }: PushRequest): string | null {
  if (commands.length > REFS_LIMIT) return `a push may set at most ${REFS_LIMIT} refs`;
  const isReported = capabilities.some((name) => /^report-status(?:-v2)?$/.test(name));
  return commands.length === 0 || isReported ? null : "a push must ask for report-status";
}

interface SentPush {
  push: PushRequest;
  report: PushReport;
  noted: NotedPush;
}

async function settlePush(c: HttpContext, target: GitTarget, sent: SentPush): Promise<void> {
  const refused = sent.report.refused();
  await sent.noted.takeBack((ref) => refused.has(ref));
  await recordPush(c, target, sent);
}

async function recordPush(c: HttpContext, target: GitTarget, { push, report }: SentPush): Promise<void> {
  const { lease, number } = target;
  const branches = pushedBranches(push.commands, report.accepted());
  if (branches.length === 0) return;
  const facts = {
    what: "push",
    request_id: c.var.requestId,
    run_id: lease.run_id,
    repository: number,
    branches: branches.length,
  };
  try {
    const recorded = await c.var.deps.ownerOf(lease.run_id).recordPushes(lease, number, branches);
    logLine("info", { ...facts, outcome: recorded.ok ? "recorded" : recorded.refusal.code });
  } catch (fault) {
    logLine("error", { ...facts, outcome: errorText(fault) });
  }
}

function answerHeaders(answer: Response): Headers {
  const headers = pickHeaders(answer.headers, TO_AGENT);
  headers.set("cache-control", "no-cache");
  return headers;
}
