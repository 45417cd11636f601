/** Payloads in GitHub's shapes with what the rules look at, for hand-made tables. */
import type { Json, JsonObject } from "#protocol/schema.ts";

export const SHA = "1234567890abcdef1234567890abcdef12345678";
export const OTHER_SHA = "abcdef1234567890abcdef1234567890abcdef12";
export const ZEROS = "0".repeat(40);
const OURS = 1_296_269;
const THEIRS = 77;

export type Association = "OWNER" | "MEMBER" | "COLLABORATOR" | "CONTRIBUTOR" | "FIRST_TIME_CONTRIBUTOR" | "NONE";

export const publicRepository: JsonObject = { id: OURS, full_name: "acme/app", private: false };
export const privateRepository: JsonObject = { ...publicRepository, private: true };
export const maintainer: JsonObject = { id: 1, login: "maya" };
export const stranger: JsonObject = { id: 2, login: "sam" };

/** An event in the public repository, by the maintainer. */
export function inPublic(payload: JsonObject): JsonObject {
  return { repository: publicRepository, sender: maintainer, ...payload };
}

export function pullRequest(author: Association, head: "own" | "fork" | "gone", more: JsonObject = {}): JsonObject {
  const repositories = { own: { id: OURS }, fork: { id: THEIRS, fork: true }, gone: null };
  return {
    number: 7,
    title: "Fix the thing",
    body: "It was broken.",
    html_url: "https://github.com/acme/app/pull/7",
    user: author === "OWNER" || author === "MEMBER" || author === "COLLABORATOR" ? maintainer : stranger,
    author_association: author,
    state: "open",
    draft: false,
    merged: false,
    labels: [{ name: "bug" }, { name: "needs-backport" }],
    base: { ref: "main", repo: { id: OURS } },
    head: { ref: "fix", label: "sam:fix", sha: SHA, repo: repositories[head] },
    ...more,
  };
}

/** A comment, review, issue or discussion. */
export function by(association: Association | null, more: JsonObject = {}): JsonObject {
  return { number: 3, title: "Crash", body: "Words", user: stranger, author_association: association, ...more };
}

/** As GitHub lists pull requests with checks and workflow runs. */
export function listed(head: "own" | "fork", sha: string = SHA, base: Json = { id: OURS }): JsonObject {
  return {
    number: 7,
    head: { ref: "fix", sha, repo: { id: head === "own" ? OURS : THEIRS } },
    base: { ref: "main", sha: OTHER_SHA, repo: base },
  };
}

export function workflowRun(event: string, head: "own" | "fork" | "gone", more: JsonObject = {}): JsonObject {
  const repositories = { own: { id: OURS }, fork: { id: THEIRS }, gone: null };
  const run = { name: "CI", event, head_branch: "main", head_sha: SHA, head_repository: repositories[head] };
  return { ...run, pull_requests: [], conclusion: "failure", ...more };
}
