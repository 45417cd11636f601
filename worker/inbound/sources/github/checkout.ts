/** Which commit an event is about, and how git fetches it from the repository itself, never from a fork. Pure. */
import { branchRef, readRef } from "#protocol/git-refs.ts";
import type { JsonObject } from "#protocol/schema.ts";
import type { GithubFacts } from "#protocol/source-event.ts";
import { textAt, valueAt } from "../payload.ts";
import { idAt, pullRequestOf, pullRequestsAt, shaAt } from "./pull-request.ts";
import { isOwnRun } from "./strangers.ts";

type Checkout = NonNullable<GithubFacts["checkout"]>;

const CHECKOUTS = new Map<string, (payload: JsonObject) => Checkout | null>([
  ["push", ofPush],
  ["release", ofRelease],
  ["merge_group", ofMergeGroup],
  ["check_run", (payload) => ofCheck(payload, "check_run", "check_run.check_suite")],
  ["check_suite", (payload) => ofCheck(payload, "check_suite", "check_suite")],
  ["workflow_run", ofWorkflowRun],
  ["deployment", ofDeployment],
  ["deployment_status", ofDeployment],
  ["deployment_review", ofDeployment],
  ["status", ofStatus],
]);

/** @returns null when the event names no commit, or not where it is: a comment's issue, a job's or a fork's bare commit. */
export function checkoutOf(name: string, payload: JsonObject): Checkout | null {
  return (CHECKOUTS.get(name) ?? ofPullRequest)(payload);
}

function checkout(
  ref: string | null,
  commit: string | null,
  isFork: boolean,
  trustedBranch: string | null,
): Checkout | null {
  const safe = readRef(ref);
  return safe === null || commit === null
    ? null
    : // Whoever opens a fork's pull request chooses the branch that it is to be merged into.
      { ref: safe, commit, is_fork: isFork, trusted_ref: isFork ? null : trustedRef(trustedBranch) };
}

/** By its name alone, unless that could be read as the whole name of another ref. */
function trustedRef(branch: string | null): string | null {
  const ref = branchRef(branch);
  return ref === null || branch?.startsWith("refs/") ? ref : branch;
}

function ofPullRequest(payload: JsonObject): Checkout | null {
  const pullRequest = pullRequestOf(payload);
  if (pullRequest === null || pullRequest.number === null) return null;
  const ref = `refs/pull/${pullRequest.number}/head`;
  return checkout(ref, pullRequest.headSha, pullRequest.isFork, pullRequest.baseRef);
}

/** Of an annotated tag, `after` is the tag and no commit. A deleted branch leaves nothing. */
function ofPush(payload: JsonObject): Checkout | null {
  const ref = textAt(payload, "ref");
  if (ref === null || !ref.startsWith("refs/") || shaAt(payload, "after") === null) return null;
  const tagged = ref.startsWith("refs/tags/") ? shaAt(payload, "head_commit.id") : null;
  return checkout(ref, tagged ?? shaAt(payload, "after"), false, null);
}

/** A draft has no tag yet, and a deleted release often has none left. */
function ofRelease(payload: JsonObject): Checkout | null {
  const tag = textAt(payload, "release.tag_name");
  const isWithoutTag = valueAt(payload, "release.draft") === true || textAt(payload, "action") === "deleted";
  if (tag === null || isWithoutTag) return null;
  return checkout(`refs/tags/${tag}`, shaAt(payload, "release.target_commitish"), false, null);
}

function ofMergeGroup(payload: JsonObject): Checkout | null {
  // What left the queue has lost its branch.
  if (textAt(payload, "action") === "destroyed") return null;
  const branchAt = (path: string) => textAt(payload, path)?.replace(/^refs\/heads\//, "") ?? null;
  const head = branchRef(branchAt("merge_group.head_ref"));
  return checkout(head, shaAt(payload, "merge_group.head_sha"), false, branchAt("merge_group.base_ref"));
}

function ofCheck(payload: JsonObject, check: string, suite: string): Checkout | null {
  const lists = [valueAt(payload, `${check}.pull_requests`), valueAt(payload, `${suite}.pull_requests`)];
  return ofListed(payload, lists, shaAt(payload, `${check}.head_sha`));
}

function ofWorkflowRun(payload: JsonObject): Checkout | null {
  const sha = shaAt(payload, "workflow_run.head_sha");
  if (!isOwnRun(payload)) return ofListed(payload, [valueAt(payload, "workflow_run.pull_requests")], sha);
  const head = textAt(payload, "workflow_run.head_branch");
  const isRelease = textAt(payload, "workflow_run.event") === "release";
  return checkout(isRelease && head !== null ? `refs/tags/${head}` : branchRef(head), sha, false, null);
}

/** Nothing tells where a deployment's commit is, unless a workflow deployed what it ran on. */
function ofDeployment(payload: JsonObject): Checkout | null {
  const found = ofWorkflowRun(payload);
  const deployed = shaAt(payload, "deployment.sha");
  return deployed === null || deployed === found?.commit ? found : null;
}

/** By the pull request that GitHub lists for the commit: its branch, or for a fork's the ref that it has here. */
function ofListed(payload: JsonObject, lists: Parameters<typeof pullRequestsAt>[0], sha: string | null) {
  const own = idAt(payload, "repository.id");
  if (own === null) return null;
  for (const one of pullRequestsAt(lists, sha)) {
    const isHere = idAt(one, "base.repo.id") === own;
    const base = isHere ? textAt(one, "base.ref") : null;
    if (idAt(one, "head.repo.id") === own) return checkout(branchRef(textAt(one, "head.ref")), sha, false, base);
    const number = idAt(one, "number");
    if (isHere && number !== null) return checkout(`refs/pull/${number}/head`, sha, true, base);
  }
  return null;
}

function ofStatus(payload: JsonObject): Checkout | null {
  const sha = shaAt(payload, "sha");
  const branches = valueAt(payload, "branches");
  if (!Array.isArray(branches) || sha === null) return null;
  const head = branches.find((branch) => shaAt(branch, "commit.sha") === sha);
  return checkout(branchRef(textAt(head, "name")), sha, false, null);
}
