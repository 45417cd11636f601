/** What a payload tells of pull requests and commits: numbers, refs, and whose repository they are in. Pure. */
import type { Json, JsonObject } from "#protocol/schema.ts";
import { isObject, textAt, valueAt } from "../payload.ts";

export interface PullRequest {
  number: number | null;
  /** Its head is in another repository than its base, or in one that is gone. */
  isFork: boolean;
  headSha: string | null;
  baseRef: string | null;
}

/** The pull request that an event is about; null when it is about none. */
export function pullRequestOf(payload: JsonObject): PullRequest | null {
  const pullRequest = valueAt(payload, "pull_request");
  if (!isObject(pullRequest)) return null;
  const base = idAt(pullRequest, "base.repo.id") ?? idAt(payload, "repository.id");
  const head = idAt(pullRequest, "head.repo.id");
  return {
    number: idAt(pullRequest, "number"),
    isFork: head === null || head !== base,
    headSha: shaAt(pullRequest, "head.sha"),
    baseRef: textAt(pullRequest, "base.ref"),
  };
}

/**
 * Pull requests that GitHub lists with a check or a workflow run, whose head is exactly this commit. GitHub matches them by
 * the branch's name, which proves nothing: a fork may call its branch as it likes.
 */
export function pullRequestsAt(lists: readonly (Json | undefined)[], sha: string | null): JsonObject[] {
  if (sha === null) return [];
  return lists
    .flatMap((list) => (Array.isArray(list) ? list : []))
    .filter((one) => isObject(one))
    .filter((one) => shaAt(one, "head.sha") === sha);
}

/** A positive whole number at a path, as ids and numbers are; null for everything else. */
export function idAt(value: Json | undefined, path: string): number | null {
  const found = valueAt(value, path);
  return typeof found === "number" && Number.isSafeInteger(found) && found > 0 ? found : null;
}

/** The whole name of a commit at a path; null for everything else, and for the zeros that stand for none. */
export function shaAt(value: Json | undefined, path: string): string | null {
  const found = textAt(value, path);
  return found !== null && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(found) && !/^0+$/.test(found) ? found : null;
}
