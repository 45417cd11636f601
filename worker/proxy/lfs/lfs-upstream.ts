/** Asks the LFS server of a repository, with the instance's credential. */
import { type Result, refuse, success } from "#protocol/errors.ts";
import { basicAuthorization } from "#worker/auth/credentials.ts";
import type { Access } from "#worker/github/installation-tokens.ts";
import type { GitCredentials } from "../git/git-credentials.ts";
import { refusedBy } from "../git/upstream-refusals.ts";
import { Stall } from "../stall.ts";
import type { Place } from "./batch.ts";

export const LFS_TYPE = "application/vnd.git-lfs+json";

const REDIRECT_LIMIT = 3;
const ASK_MS = 60_000;

/**
 * @param url the repository's. @param path below `info/lfs/`.
 * @returns an answer that is a success. A move within the server's own origin is followed.
 */
export async function askLfs(
  credentials: GitCredentials,
  url: string,
  path: string,
  access: Access,
  body: string,
): Promise<Result<Response>> {
  const { origin } = new URL(url);
  const credential = await credentials.of(url, access);
  if (!credential.ok) return credential;
  const headers = new Headers({ accept: LFS_TYPE, "content-type": LFS_TYPE });
  if (credential.value.pair !== null) headers.set("authorization", basicAuthorization(credential.value.pair));
  let place = `${url.replace(/\.git$/, "")}.git/info/lfs/${path}`;
  for (let followed = 0; followed <= REDIRECT_LIMIT; followed += 1) {
    const answer = await send(place, { method: "POST", headers, body });
    if (answer === null) return refuse("upstream_unreachable", { reason: `${origin} does not answer` });
    if (answer.ok) return success(answer);
    await answer.body?.cancel();
    const next = answer.headers.get("location");
    const isRedirect = answer.status >= 300 && answer.status < 400 && next !== null && URL.canParse(next, place);
    if (!isRedirect) return refusedBy(answer, origin, credential.value);
    const to = new URL(next, place);
    if (to.origin !== origin || !to.pathname.endsWith(`/info/lfs/${path}`)) break;
    place = to.href;
  }
  return refuse("repository_moved", { reason: `${origin} sends Git LFS on to another address` });
}

async function send(
  url: string,
  request: { method: string; headers: Headers; body: string },
): Promise<Response | null> {
  const stall = new Stall(ASK_MS);
  try {
    return await fetch(url, { ...request, redirect: "manual", signal: stall.signal });
  } catch {
    return null;
  } finally {
    stall.end();
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
