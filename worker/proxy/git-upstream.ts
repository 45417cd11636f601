/** Asks a git upstream with the instance's credential, and turns what can go wrong into refusals. */
import { type Result, refuse, success } from "#protocol/errors.ts";
import { basicAuthorization } from "../auth/credentials.ts";
import { Stall } from "../within.ts";

export interface GitRequest {
  method: "GET" | "POST";
  url: string;
  headers: Headers;
  body: ReadableStream<Uint8Array> | null;
}

/** A renamed repository redirects once or twice. */
const REDIRECT_LIMIT = 3;
/** An upstream that says nothing for this long does not answer. The runner's relay waits as long. */
export const STALL_MS = 300_000;

/**
 * @param credentials origin → `user:password`; the credential of an origin is sent to that origin alone.
 * @param stall told of what is sent meanwhile; it bounds how long the answer may take to begin, and has ended afterwards.
 * @returns a 2xx answer. Its body is never compressed, whatever the upstream sent.
 */
export async function askGit(
  request: GitRequest,
  credentials: ReadonlyMap<string, string>,
  stall = new Stall(STALL_MS),
): Promise<Result<Response>> {
  try {
    return await follow(request, credentials, stall.signal);
  } finally {
    stall.end();
  }
}

async function follow(
  request: GitRequest,
  credentials: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<Result<Response>> {
  const { origin } = new URL(request.url);
  const headers = new Headers(request.headers);
  const credential = credentials.get(origin);
  if (credential !== undefined) headers.set("authorization", basicAuthorization(credential));
  let url = request.url;
  for (let followed = 0; ; followed += 1) {
    const answer = await send({ ...request, url, headers }, signal);
    if (answer === null) return refuse("upstream_unreachable", { reason: `${origin} does not answer` });
    if (answer.ok) return success(answer);
    await answer.body?.cancel();
    const next = redirectTarget(answer, url);
    if (next === null) return refusedBy(answer.status, origin);
    // The credential must not leave its origin, and a body that has been sent can't be sent again.
    if (new URL(next).origin !== origin || request.method !== "GET" || followed === REDIRECT_LIMIT) {
      return refuse("upstream_unreachable", { reason: "the repository has moved: give the routine its new address" });
    }
    url = next;
  }
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

/** A 401 would make git ask for a password that nobody can give. */
function refusedBy(status: number, origin: string) {
  if (status === 401 || status === 403) {
    const reason = `${origin} refused the credential: set one with access to this repository in GIT_CREDENTIALS`;
    return refuse("proxy_refused", { reason });
  }
  if (status === 404) return refuse("not_found", { message: `${origin} has no such repository.` });
  if (status >= 400 && status < 500) return refuse("proxy_refused", { reason: `${origin} answered ${status}` });
  return refuse("upstream_unreachable", { reason: `${origin} answered ${status}` });
}
