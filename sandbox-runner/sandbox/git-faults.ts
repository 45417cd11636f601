/** What the last request for each of a run's repositories met: whether a failed clone may be tried again, and when. */
import type { IncomingHttpHeaders } from "node:http";
import { apiErrorCodes, errorAnswer } from "#protocol/errors.ts";
import { REFUSAL_HEADER } from "#protocol/runner-link.ts";
import { gitFailure, retryAfterSeconds } from "#rules/calls/git-answers.ts";

/** An answer that a request has had. */
export interface Answered {
  status: number;
  headers: IncomingHttpHeaders;
  /** False where it broke off before its end. */
  isWhole: boolean;
}

export interface GitFault {
  /** It goes away by itself. */
  isPassing: boolean;
  /** For so many seconds whoever refused wants to be left alone; null where that is not known. */
  retryAfterS: number | null;
}

export class GitFaults {
  readonly #last = new Map<number, GitFault | null>();
  /** Repositories whose last request was for Git LFS. */
  readonly #atLfs = new Set<number>();

  /** A request sets out. @param target a path of the run's proxy for git. */
  asked(target: string): void {
    const number = numberIn(target);
    if (number === null) return;
    if (target.includes("/info/lfs/")) this.#atLfs.add(number);
    else this.#atLfs.delete(number);
  }

  /** @param target as of `asked`. */
  note(target: string, answered: Answered): void {
    const number = numberIn(target);
    if (number !== null) this.#last.set(number, faultOf(answered));
  }

  /** Whether the last request for a repository was for Git LFS: its server is another than git's. */
  isAtLfs(number: number): boolean {
    return this.#atLfs.has(number);
  }

  /** @returns null where the last request was answered well, or there was none. */
  of(number: number): GitFault | null {
    return this.#last.get(number) ?? null;
  }
}

function numberIn(target: string): number | null {
  const [, number] = /\/git\/([0-9]+)/.exec(target) ?? [];
  return number === undefined ? null : Number(number);
}

function faultOf({ status, headers, isWhole }: Answered): GitFault | null {
  const refused = apiErrorCodes.find((code) => code === headers[REFUSAL_HEADER]);
  const told = refused === undefined ? status : errorAnswer({ code: refused }, "").status;
  if (told < 400) return isWhole ? null : { isPassing: true, retryAfterS: null };
  const retryAfter = headers["retry-after"];
  const limits = new Headers(retryAfter === undefined ? {} : { "retry-after": retryAfter });
  return {
    isPassing: !isWhole || gitFailure(told, new Headers()) !== "lasting",
    retryAfterS: retryAfterSeconds(limits, Date.now()),
  };
}
