/** Git LFS as the sandbox sees it: objects of the run's repositories, with the instance's credential put in. */

import { errorAnswer, type Refusal, type Result, refuse, success } from "#protocol/errors.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { parseJson } from "#rules/json.ts";
import { schemaRefusal } from "#rules/routine/schema-faults.ts";
import { withheld } from "#rules/secrets/withheld.ts";
import type { HttpContext } from "#worker/http/http-env.ts";
import { readBytes } from "#worker/http/read-bytes.ts";
import { renderRefusal } from "#worker/http/render-error.ts";
import { readLease } from "../authorize.ts";
import { type GitTarget, readRepository } from "../git/git-target.ts";
import { NOTHING_ALLOWED } from "../git/push-rules.ts";
import { tellRefusal } from "../render-to-agent.ts";
import { secretsOf } from "../withhold.ts";
import { answerBatch, type BatchRequest, batchAnswerSchema, batchRequestSchema } from "./batch.ts";
import { askLfs, authorized, LFS_TYPE, readLfsAnswer } from "./lfs-upstream.ts";
import { sealTicket } from "./tickets.ts";

const REQUEST_BYTES = 1_048_576;

/** `POST …/info/lfs/objects/batch`: which objects there are, and where. */
export function proxyLfsBatch(c: HttpContext): Promise<Response> {
  return withRepository(c, async (target) => {
    const asked = await readBatch(c);
    if (!asked.ok) return asked;
    const { operation } = asked.value;
    if (operation === "upload" && target.rule.push === "none")
      return refuse("proxy_refused", { reason: NOTHING_ALLOWED });
    const access = operation === "upload" ? "write" : "read";
    const sent = { ...asked.value, transfers: ["basic"], hash_algo: "sha256" };
    const answer = await askLfs(c.var.deps.gitCredentials, target.url, "objects/batch", access, JSON.stringify(sent));
    if (!answer.ok) return answer;
    const { origin } = new URL(target.url);
    const text = await readLfsAnswer(answer.value, origin);
    if (!text.ok) return text;
    const told = batchAnswerSchema.safeParse(parseJson(text.value));
    if (!told.success)
      return refuse("upstream_unreachable", { reason: `${origin} answers Git LFS in no form that is known` });
    const { keyRing, gitCredentials } = c.var.deps;
    const answered = await answerBatch(asked.value, told.data, origin, {
      authorize: (place, isAuthenticated) =>
        authorized(gitCredentials, { url: target.url, access }, place, isAuthenticated),
      addressOf: async (transfer) => {
        const ticket = await sealTicket(keyRing, target.lease.run_id, target.number, transfer);
        return ticket === null ? null : `${lfsAddress(target.url)}/objects/${ticket}`;
      },
    });
    // Its errors are in the server's own words.
    const credential = await gitCredentials.of(target.url, access);
    const secrets = secretsOf(credential.ok ? credential.value.pair : null);
    const words = withheld(JSON.stringify(answered), secrets);
    return success(new Response(words, { headers: { "content-type": LFS_TYPE } }));
  });
}

/** Locks are not passed on: git-lfs goes on without them, and the server has the last word on a push. */
export function refuseLocks(c: HttpContext): Promise<Response> {
  const message = "Locks of Git LFS are not passed on to the repository's server.";
  return withRepository(c, async () =>
    success(Response.json({ message }, { status: 404, headers: { "content-type": LFS_TYPE } })),
  );
}

/** Where git-lfs looks for a repository's objects. In the sandbox git sends it from there to the run's own proxy. */
export function lfsAddress(url: string): string {
  return `${url.replace(/\.git$/, "")}.git/info/lfs`;
}

/** Renders what goes wrong as git-lfs shows it. */
export async function withRepository(
  c: HttpContext,
  work: (target: GitTarget) => Promise<Result<Response>>,
): Promise<Response> {
  const leased = await readLease(c);
  if (!leased.ok) return render(c, leased.refusal);
  const target = await readRepository(c, leased.value);
  const answer = target.ok ? await work(target.value) : target;
  if (answer.ok) return answer.value;
  await tellUnlessMissing(c, leased.value, answer.refusal);
  return render(c, answer.refusal);
}

/** That one object is not there is git-lfs's to tell. */
async function tellUnlessMissing(c: HttpContext, lease: LeaseRef, refusal: Refusal): Promise<void> {
  if (refusal.code !== "not_found") await tellRefusal(c, lease, refusal);
}

function render(c: HttpContext, refusal: Refusal): Response {
  const { status, headers } = renderRefusal(c, refusal);
  const { error } = errorAnswer(refusal, c.var.requestId).body;
  const kept = new Headers({ "content-type": LFS_TYPE });
  const retryAfter = headers.get("retry-after");
  if (retryAfter !== null) kept.set("retry-after", retryAfter);
  const message = refusal.hint === undefined ? error.message : `${error.message} ${refusal.hint}`;
  // A 401 would have git-lfs ask for a password that nobody can give.
  return Response.json(
    { message, request_id: c.var.requestId },
    { status: status === 401 ? 403 : status, headers: kept },
  );
}

async function readBatch(c: HttpContext): Promise<Result<BatchRequest>> {
  const bytes = await readBytes(c.req.raw, REQUEST_BYTES);
  if (!bytes.ok) return bytes;
  const json = parseJson(new TextDecoder().decode(bytes.value));
  const read = batchRequestSchema.safeParse(json);
  return read.success
    ? success(read.data)
    : { ok: false, refusal: schemaRefusal(batchRequestSchema, json, read.error) };
}
