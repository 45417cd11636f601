/** Asks a git upstream with the instance's credential, and turns what can go wrong into refusals. */

import { type Result, refuse, success } from "#protocol/errors.ts";
import { withheld } from "#rules/secrets/withheld.ts";
import { basicAuthorization } from "#worker/auth/credentials.ts";
import type { Access } from "#worker/github/installation-tokens.ts";
import { Stall } from "#worker/proxy/stall.ts";
import { secretsOf, withhold } from "#worker/proxy/withhold.ts";
import { askWithCredential, type GitCredential, type GitCredentials } from "./git-credentials.ts";
import { notGit, refusedBy } from "./upstream-refusals.ts";

export interface GitRequest {
  method: "GET" | "POST";
  url: string;
  headers: Headers;
  /** Bytes can be sent again, to where a repository has moved or with another credential; a stream can't. */
  body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null;
}

export interface AskOptions {
  /** Told of what is sent meanwhile; it bounds how long the answer may take to begin, and has ended afterwards. */
  stall?: Stall;
  /** Told of the address to which the repository has moved, when that was followed. */
  onMoved?: (address: string) => void;
}

/** A renamed repository redirects once or twice. */
const REDIRECT_LIMIT = 3;
/** An upstream that says nothing for this long does not answer. The runner's relay waits as long. */
export const STALL_MS = 300_000;

/**
 * @param credentials the credential of an origin is sent to that origin alone.
 * @returns git's own answer. Its body is never compressed, whatever the upstream sent. Whatever else is answered, as a
 *   sign-in page is, would be an empty repository to git: it is refused.
 */
export async function askGit(
  request: GitRequest,
  credentials: GitCredentials,
  { stall = new Stall(STALL_MS), onMoved = () => {} }: AskOptions = {},
): Promise<Result<Response>> {
  try {
    const ask = (credential: GitCredential) => quietly(request, credential, stall.signal, onMoved);
    return await askWithCredential(credentials, request.url, accessOf(request.url), ask, canBeSentAgain(request));
  } finally {
    stall.end();
  }
}

/** The same without the credential, should the upstream quote it. Objects are packed, so that they can't be looked through. */
async function quietly(
  request: GitRequest,
  credential: GitCredential,
  signal: AbortSignal,
  onMoved: (address: string) => void,
): Promise<Result<Response>> {
  const secrets = secretsOf(credential.pair);
  const answer = await follow(request, credential, signal, (to) => onMoved(withheld(to, secrets)));
  if (answer.ok) return request.url.endsWith("/git-upload-pack") ? answer : success(withhold(answer.value, secrets));
  const { refusal } = answer;
  const words = ([key, value]: [string, unknown]) => [
    key,
    typeof value === "string" ? withheld(value, secrets) : value,
  ];
  return { ok: false, refusal: { ...refusal, ...Object.fromEntries(Object.entries(refusal).map(words)) } };
}

async function follow(
  request: GitRequest,
  credential: GitCredential,
  signal: AbortSignal,
  onMoved: (address: string) => void,
): Promise<Result<Response>> {
  const { origin } = new URL(request.url);
  const headers = new Headers(request.headers);
  if (credential.pair !== null) headers.set("authorization", basicAuthorization(credential.pair));
  let url = request.url;
  for (let followed = 0; ; followed += 1) {
    const answer = await send({ ...request, url, headers }, signal);
    if (answer === null) return refuse("upstream_unreachable", { reason: `${origin} does not answer` });
    const found = answer.ok ? whatItIs(answer, url) : null;
    if (answer.ok && found === null) {
      if (followed > 0) onMoved(repositoryOf(url));
      return success(answer);
    }
    await answer.body?.cancel();
    if (found !== null) return notGit(found, origin, credential);
    const next = redirectTarget(answer, url);
    if (next === null) return refusedBy(answer, origin, credential);
    if (!isSamePath(next, url)) return notGit("a redirect to another page", origin, credential);
    // The credential must not leave its origin.
    const mayFollow = new URL(next).origin === origin && canBeSentAgain(request) && followed < REDIRECT_LIMIT;
    if (!mayFollow) {
      return refuse("repository_moved", { reason: movedWords(followed, repositoryOf(next)) });
    }
    url = next;
  }
}

function movedWords(followed: number, to: string): string {
  if (followed === REDIRECT_LIMIT) return `it redirects more than ${REDIRECT_LIMIT} times, at last to ${to}`;
  return `it has moved to ${to}: give the routine that address`;
}

function canBeSentAgain({ body }: GitRequest): boolean {
  return body === null || body instanceof Uint8Array;
}

async function send({ method, url, headers, body }: GitRequest, signal: AbortSignal): Promise<Response | null> {
  try {
    return await fetch(url, { method, headers, body, redirect: "manual", signal });
  } catch {
    return null;
  }
}

function redirectTarget(answer: Response, url: string): string | null {
  const location = answer.headers.get("location");
  if (answer.status < 300 || answer.status >= 400 || location === null) return null;
  return URL.canParse(location, url) ? new URL(location, url).href : null;
}

/** @returns null for an answer of git's; else what it is. */
function whatItIs(answer: Response, url: string): string | null {
  const [type = ""] = (answer.headers.get("content-type") ?? "").split(";");
  if (type.trim().toLowerCase() !== answerType(new URL(url))) return type.trim().slice(0, 100) || "no content type";
  const isEmpty = answer.body === null || answer.headers.get("content-length") === "0";
  return isEmpty ? "an empty body" : null;
}

/** The content type of git's own answer at an address: `…/info/refs?service=git-upload-pack`, `…/git-upload-pack`. */
function answerType({ pathname, searchParams }: URL): string {
  const service = searchParams.get("service");
  return service === null
    ? `application/x-${pathname.split("/").at(-1)}-result`
    : `application/x-${service}-advertisement`;
}

/** How git's paths in a repository end. */
const GIT_PATH = /\/(?:info\/refs|git-[a-z]+-pack)$/;

/** Whether a redirect leads to the same one of git's paths, as it does when a repository has moved. */
function isSamePath(next: string, url: string): boolean {
  const [to, from] = [new URL(next), new URL(url)];
  const end = GIT_PATH.exec(from.pathname)?.[0] ?? from.pathname;
  return to.pathname.endsWith(end) && to.search === from.search;
}

/** The address of a repository, for people: nothing that may be a secret is in it. @param url of one of git's paths in it. */
function repositoryOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname.replace(GIT_PATH, "")}`;
}

/** A push writes; everything else reads. */
function accessOf(url: string): Access {
  const { pathname, searchParams } = new URL(url);
  const isPush = pathname.endsWith("/git-receive-pack") || searchParams.get("service") === "git-receive-pack";
  return isPush ? "write" : "read";
}
