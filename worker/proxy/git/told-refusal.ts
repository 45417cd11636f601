/** A refusal as git shows it: its reason, and what to do. Pure. */
import { type ApiErrorCode, errorAnswer, type Refusal } from "#protocol/errors.ts";
import { REFUSAL_HEADER } from "#protocol/runner-link.ts";
import { refusalPackets } from "./refused-push.ts";

export interface ToldRefusal {
  status: number;
  headers: Record<string, string>;
  body: string | Uint8Array<ArrayBuffer>;
}

/** Where a server names no time, it is asked again after so long. */
const DEFAULT_RETRY_AFTER_S = 30;

/**
 * Git shows a person what a refusal says in plain text where it asks for refs. Where it asks for objects or pushes, it shows
 * nothing of an HTTP error, so it gets an error of its own protocol.
 * @param path of the request; null for one that has no body.
 */
export function toldToGit(refusal: Refusal, path: string | null): ToldRefusal {
  const { status } = errorAnswer(refusal, "");
  const retryAfterS = refusal.retry_after_s ?? (status === 429 ? DEFAULT_RETRY_AFTER_S : null);
  const headers: Record<string, string> = { [REFUSAL_HEADER]: refusal.code };
  if (retryAfterS !== null) headers["retry-after"] = String(Math.ceil(retryAfterS));
  const service = path?.split("/").at(-1) ?? "";
  const packets = refusalPackets(service, gitWords(refusal));
  if (packets === null) {
    return {
      status,
      headers: { ...headers, "content-type": "text/plain" },
      body: `${sentences(refusal).join("\n")}\n`,
    };
  }
  return { status: 200, headers: { ...headers, "content-type": `application/x-${service}-result` }, body: packets };
}

/** What git shows of a refusal, on one line. */
export function gitWords(refusal: Refusal): string {
  return sentences(refusal)
    .map((text) => text.replace(/\.$/, ""))
    .join(". ");
}

/** The reason, and what to do where the reason does not say that itself. */
function sentences(refusal: Refusal): string[] {
  const { error } = errorAnswer(refusal, "").body;
  const hint = refusal.hint ?? (HINTED.includes(refusal.code) ? error.hint : undefined);
  const words = [refusal.reason ?? error.message, ...(hint === undefined ? [] : [hint])];
  return words.map((text) => text.replace(/\s+/g, " ").trim());
}

/** Refusals whose hint in the table is for whoever reads git's output. */
const HINTED: readonly ApiErrorCode[] = [
  "upstream_unreachable",
  "upstream_slow",
  "upstream_limited",
  "github_unreachable",
];
