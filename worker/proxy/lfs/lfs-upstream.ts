/** Asks the LFS server of a repository, with the instance's credential. */

import { z } from "zod";
import { type Refusal, type Result, refuse, success } from "#protocol/errors.ts";
import { beginningOf } from "#protocol/well-formed.ts";
import { parseJson } from "#rules/json.ts";
import { withheld } from "#rules/secrets/withheld.ts";
import { basicAuthorization } from "#worker/auth/credentials.ts";
import type { Access } from "#worker/github/installation-tokens.ts";
import { BodyTooSlow, paced } from "../../http/body-pace.ts";
import { askWithCredential, type GitCredential, type GitCredentials } from "../git/git-credentials.ts";
import { refusedBy } from "../git/upstream-refusals.ts";
import { readStart } from "../read-start.ts";
import { Stall } from "../stall.ts";
import { secretsOf } from "../withhold.ts";
import type { Place } from "./batch.ts";

export const LFS_TYPE = "application/vnd.git-lfs+json";

const REDIRECT_LIMIT = 3;
const ASK_MS = 60_000;
/** An error answer of a server's is short. */
const ERROR_BYTES = 16_384;
const ANSWER_BYTES = 8_388_608;

/**
 * @param url the repository's. @param path below `info/lfs/`.
 * @returns an answer that is a success. A move within the server's own origin is followed.
 */
export function askLfs(
  credentials: GitCredentials,
  url: string,
  path: string,
  access: Access,
  body: string,
): Promise<Result<Response>> {
  return askWithCredential(credentials, url, access, (credential) => follow(url, path, body, credential));
}

async function follow(url: string, path: string, body: string, credential: GitCredential): Promise<Result<Response>> {
  const { origin } = new URL(url);
  const headers = new Headers({ accept: LFS_TYPE, "content-type": LFS_TYPE });
  if (credential.pair !== null) headers.set("authorization", basicAuthorization(credential.pair));
  let place = `${url.replace(/\.git$/, "")}.git/info/lfs/${path}`;
  for (let followed = 0; followed <= REDIRECT_LIMIT; followed += 1) {
    const stall = new Stall(ASK_MS);
    const answer = await send(place, { method: "POST", headers, body }, stall);
    if (answer === null) return unanswered(origin, stall);
    if (answer.ok) return success(answer);
    const next = answer.headers.get("location");
    const isRedirect = answer.status >= 300 && answer.status < 400 && next !== null && URL.canParse(next, place);
    if (!isRedirect) return refusedLfs(answer, origin, credential);
    await answer.body?.cancel();
    const to = new URL(next, place);
    if (to.origin !== origin || !to.pathname.endsWith(`/info/lfs/${path}`)) break;
    place = to.href;
  }
  return refuse("repository_moved", { reason: `${origin} sends Git LFS on to another address` });
}

const errorSchema = z.object({ message: z.string() });

/** With the server's own words: that a quota is used up, for instance, has the same status as a credential that is refused. */
async function refusedLfs(answer: Response, origin: string, credential: GitCredential): Promise<Result<Response>> {
  const said = errorSchema.safeParse(parseJson(await readStart(answer.body, ERROR_BYTES)));
  const message = said.success ? withheld(said.data.message, secretsOf(credential.pair)) : "";
  const words = said.success ? `, and says: ${beginningOf(message.replace(/\s+/g, " "), 300)}` : "";
  const { status } = answer;
  if ((status === 404 || status === 410) && credential.ifRefused === null) {
    const told = `${origin} has no Git LFS for this repository, or the credential in GIT_CREDENTIALS may not see it (it answered ${status}${words}).`;
    return refuse("not_found", { message: told });
  }
  const { refusal } = refusedBy(answer, origin, credential);
  return {
    ok: false,
    refusal:
      words === "" ? refusal : { ...refusal, reason: `${refusal.reason ?? `${origin} answered ${status}`}${words}` },
  };
}

/** @param stall ended with the answer's beginning. @returns null where there is none. */
export async function send(url: string, request: RequestInit, stall: Stall): Promise<Response | null> {
  try {
    return await fetch(url, { ...request, redirect: "manual", signal: stall.signal });
  } catch {
    return null;
  } finally {
    stall.end();
  }
}

/** Why `send` has had no answer. */
export function unanswered(origin: string, stall: Stall): { ok: false; refusal: Refusal } {
  if (!stall.signal.aborted) return refuse("upstream_unreachable", { reason: `${origin} does not answer` });
  return refuse("upstream_slow", { reason: `${origin} neither took nor answered anything for ${stall.ms / 1_000} s` });
}

/** The whole of an answer of the server's, as text. */
export async function readLfsAnswer(answer: Response, origin: string): Promise<Result<string>> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  try {
    for await (const piece of answer.body === null ? [] : paced(answer.body)) {
      length += piece.length;
      if (length > ANSWER_BYTES) {
        return refuse("proxy_refused", { reason: `${origin} answers Git LFS with more than ${ANSWER_BYTES} bytes` });
      }
      text += decoder.decode(piece, { stream: true });
    }
    return success(text);
  } catch (error) {
    if (error instanceof BodyTooSlow)
      return refuse("upstream_slow", {
        reason: `${origin} had begun to answer Git LFS, and did not come to the end in time`,
      });
    return refuse("upstream_unreachable", { reason: `${origin} broke off its answer to Git LFS` });
  }
}

/**
 * The server's own headers for a place; where it named no authorization, at its own origin, with the credential, as git-lfs itself
 * would send it.
 */
export async function authorized(
  credentials: GitCredentials,
  { url, access }: { url: string; access: Access },
  { href, header }: Place,
  isAuthenticated: boolean,
): Promise<Place> {
  const isTold = Object.keys(header).some((name) => name.toLowerCase() === "authorization");
  if (isTold || isAuthenticated || new URL(href).origin !== new URL(url).origin) return { href, header };
  const credential = await credentials.of(url, access);
  const pair = credential.ok ? credential.value.pair : null;
  return { href, header: pair === null ? header : { ...header, authorization: basicAuthorization(pair) } };
}
