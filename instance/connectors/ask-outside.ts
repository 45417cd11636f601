/**
 * Asks an address that a person has named: nothing of the machine's, of its network or of the platform's can be reached by it,
 * however it is written, nor by a redirect. Names are judged, not what they resolve to: the platform resolves them.
 */
import { outsideAddressFault } from "#protocol/outside-address.ts";

export interface OutsideRequest {
  url: string;
  method: "GET" | "POST" | "DELETE";
  headers: Headers;
  /** Sent to the address's own origin alone. */
  credential: Headers;
  /** Whether it is for this address alone, and what is below: not for others of its origin. */
  isCredentialForPath?: boolean;
  /** Bytes, so that they can be sent again to where a redirect leads. */
  body: string | null;
  /** For the beginning of the answer. */
  answerMs: number;
  /** Ends the request, and its answer. */
  signal: AbortSignal;
  /** To another origin goes only what has neither a body nor a session in it, such as a question for metadata. */
  redirects: "followed" | "own_origin" | "refused";
}

export interface OutsideOptions {
  /** Whether addresses of this machine may be asked. */
  hasLoopback: boolean;
  fetch(url: string, init: RequestInit): Promise<Response>;
}

/** `detail` is a clause for people that follows who was asked; it quotes nothing that may be a secret. */
export type OutsideAnswer = { ok: true; answer: Response } | { ok: false; detail: string };

const REDIRECT_LIMIT = 3;
/** Redirects after which the same is sent again. After the others a POST would come as a GET. */
const REPEATING = [307, 308];

/** Follows redirects by itself: each is judged as the first address was, and another origin gets no credential. Never rejects. */
export async function askOutside(request: OutsideRequest, options: OutsideOptions): Promise<OutsideAnswer> {
  const asked = URL.parse(request.url);
  const fault = outsideAddressFault(asked, options.hasLoopback);
  if (asked === null || fault !== null) return { ok: false, detail: `can't be asked: its address ${fault}` };
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), request.answerMs);
  const signal = AbortSignal.any([request.signal, late.signal]);
  try {
    let { url } = request;
    for (let followed = 0; ; followed += 1) {
      const isOwn = isSameParty(asked, new URL(url), request.isCredentialForPath === true);
      const answer = await options.fetch(url, {
        method: request.method,
        headers: isOwn ? joined(request.headers, request.credential) : request.headers,
        body: request.body,
        redirect: "manual",
        signal,
      });
      if (answer.status < 300 || answer.status >= 400) return { ok: true, answer };
      await answer.body?.cancel().catch(() => undefined);
      const next = URL.parse(answer.headers.get("location") ?? "", url);
      if (next === null) return { ok: false, detail: `answers ${answer.status}, and does not say where to go` };
      if (request.redirects === "refused")
        return { ok: false, detail: `redirects to ${next.origin}, which is not followed` };
      const moved = outsideAddressFault(next, options.hasLoopback);
      if (moved !== null) return { ok: false, detail: `redirects to an address that ${moved}` };
      if (request.redirects === "own_origin" && next.origin !== asked.origin)
        return { ok: false, detail: `has moved to ${next.origin}: give the connector the new address` };
      const mayRepeat = REPEATING.includes(answer.status) || request.method === "GET";
      if (!mayRepeat) return { ok: false, detail: `has moved to ${next.origin}: give the connector the new address` };
      if (followed === REDIRECT_LIMIT) return { ok: false, detail: `redirects more than ${REDIRECT_LIMIT} times` };
      url = next.href;
    }
  } catch {
    if (!late.signal.aborted) return { ok: false, detail: "could not be reached, or the connection broke off" };
    return { ok: false, detail: `did not answer within ${Math.round(request.answerMs / 1_000)} seconds` };
  } finally {
    clearTimeout(timer);
  }
}

function isSameParty(asked: URL, at: URL, isForPath: boolean): boolean {
  if (at.origin !== asked.origin) return false;
  const path = asked.pathname.replace(/\/+$/, "");
  // Slashes that are only encoded: whoever decodes them may come out above the path again.
  if (/%(?:2f|5c)/i.test(at.pathname) && at.pathname !== asked.pathname) return false;
  return !isForPath || at.pathname === asked.pathname || at.pathname === path || at.pathname.startsWith(`${path}/`);
}

function joined(headers: Headers, credential: Headers): Headers {
  const both = new Headers(headers);
  for (const [name, value] of credential) both.set(name, value);
  return both;
}
