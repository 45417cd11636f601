/** How metadata, registrations and tokens are asked for: as connectors are, within a deadline and so many bytes, and no more than that. */
import { askOutside, type OutsideOptions } from "../ask-outside.ts";
import { boundedAnswer } from "../bounded-answer.ts";

const ANSWER_MS = 10_000;
/** Metadata and tokens are far shorter. */
const ANSWER_BYTES = 262_144;

/** What a request met: why it got no answer, or the status of the one that came last. */
export interface Met {
  detail: string | null;
  status: number | null;
  host: string;
}

export interface SafeFetch {
  fetch(url: string | URL, init?: RequestInit): Promise<Response>;
  met: Met;
}

/**
 * For the SDK, which puts credentials into bodies: what is posted is never sent on to where a redirect leads.
 * @param signal ends all that is asked by it.
 */
export function safeFetch(outside: OutsideOptions, signal: AbortSignal): SafeFetch {
  const met: Met = { detail: null, status: null, host: "" };
  return {
    met,
    fetch: async (url, init = {}) => {
      const isRead = (init.method ?? "GET") === "GET";
      met.host = new URL(url).host;
      const answered = await askOutside(
        {
          url: String(url),
          method: isRead ? "GET" : "POST",
          headers: new Headers(init.headers),
          credential: new Headers(),
          body: isRead || init.body == null ? null : String(init.body),
          answerMs: ANSWER_MS,
          signal,
          redirects: isRead ? "followed" : "refused",
        },
        outside,
      );
      met.detail = answered.ok ? null : answered.detail;
      met.status = answered.ok ? answered.answer.status : null;
      if (!answered.ok) throw new Error(answered.detail);
      return boundedAnswer(answered.answer, ANSWER_BYTES);
    },
  };
}
