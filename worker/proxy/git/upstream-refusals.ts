/** What an upstream answers in place of git, as a refusal in words for people. */
import { refuse } from "#protocol/errors.ts";
import { gitFailure, retryAfterSeconds } from "#rules/calls/git-answers.ts";
import type { GitCredential } from "./git-credentials.ts";

type Refused = ReturnType<typeof refuse>;

/** @param found what has come instead, for instance a content type. */
export function notGit(found: string, origin: string, { pair, ifRefused }: GitCredential): Refused {
  if (ifRefused !== null) return { ok: false, refusal: ifRefused };
  const remedy =
    pair === null
      ? "set a credential with access to this repository in GIT_CREDENTIALS"
      : "check the credential for it in GIT_CREDENTIALS";
  return refuse("proxy_refused", {
    reason: `${origin} answers with ${found} in place of git, as a sign-in page does: ${remedy}`,
    hint: `GIT_CREDENTIALS is JSON: {"${origin}":"user:token"}, with a token that has access to the repository.`,
  });
}

/** @param answer that is no success and no redirect. A 401 is none to git, which would ask for a password that nobody can give. */
export function refusedBy({ status, headers }: Response, origin: string, { pair, ifRefused }: GitCredential): Refused {
  const failure = gitFailure(status, headers);
  const waitS = failure === "lasting" ? null : retryAfterSeconds(headers, Date.now());
  const wait = waitS === null ? {} : { retry_after_s: waitS };
  if (failure === "limited") {
    const until = waitS === null ? "" : `, and wants to be asked again after ${waitS} s`;
    return refuse("upstream_limited", { reason: `${origin} answered ${status}${until}`, ...wait });
  }
  if (failure === "passing") return refuse("upstream_unreachable", { reason: `${origin} answered ${status}`, ...wait });
  if (ifRefused !== null && [401, 403, 404].includes(status)) return { ok: false, refusal: ifRefused };
  if (status === 401 || status === 403) {
    const what = pair === null ? "wants a credential" : "refused the credential";
    return refuse("proxy_refused", {
      reason: `${origin} ${what}: set one with access to this repository in GIT_CREDENTIALS`,
    });
  }
  if (status === 404 || status === 410) {
    return refuse("not_found", {
      message: `${origin} has no such repository${status === 410 ? " any more" : ""}, or the credential in GIT_CREDENTIALS may not see it.`,
    });
  }
  return refuse("proxy_refused", { reason: REASONS[status]?.(origin) ?? `${origin} answered ${status}` });
}

/** Statuses by which git servers say something that a person or an agent can do something about. */
const REASONS: Readonly<Record<number, (origin: string) => string>> = {
  411: (origin) =>
    `${origin} takes a push only with its length told (411): give git room for the whole of it, git -c http.postBuffer=BYTES push`,
  413: (origin) => `${origin} takes no push of this size (413): push less at once, or large files by Git LFS`,
};
