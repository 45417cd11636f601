/** Whether somebody whom the repository does not know brought an event about, or wrote what it tells. Pure. */
import type { JsonObject } from "#protocol/schema.ts";
import { isObject, textAt, valueAt } from "../payload.ts";
import { idAt, pullRequestOf, pullRequestsAt, shaAt } from "./pull-request.ts";
import { isByKnown } from "./who.ts";

/** Events that only people and apps with rights in the repository bring about, and that carry nobody else's text. */
const OF_WRITERS = new Set(
  `push create delete release merge_group workflow_dispatch repository_dispatch branch_protection_configuration
  branch_protection_rule custom_property custom_property_values dependabot_alert deploy_key label member membership meta
  milestone org_block organization package page_build project project_card project_column public registry_package repository
  repository_import repository_ruleset repository_vulnerability_alert secret_scanning_scan security_and_analysis team
  team_add`.split(/\s+/),
);

/** What starts a workflow that only people with write access can have started, once its head is in the repository. */
const RUNS_OF_WRITERS =
  "push pull_request merge_group schedule workflow_dispatch repository_dispatch release create delete".split(" ");

/** When an event is from people whom the repository knows. What is not here is judged by `OF_WRITERS`. */
const FROM_KNOWN = new Map<string, (payload: JsonObject) => boolean>([
  ["pull_request", isKnownPullRequest],
  ["pull_request_review", (payload) => isKnownPullRequest(payload) && isByKnown(payload, "review")],
  ["pull_request_review_comment", (payload) => isKnownPullRequest(payload) && isByKnown(payload, "comment")],
  ["pull_request_review_thread", (payload) => isKnownPullRequest(payload) && isKnownThread(payload)],
  ["issues", (payload) => isByKnown(payload, "issue")],
  ["issue_comment", (payload) => isByKnown(payload, "comment")],
  ["commit_comment", (payload) => isByKnown(payload, "comment")],
  ["sub_issues", (payload) => isByKnown(payload, "sub_issue") && isByKnown(payload, "parent_issue")],
  ["issue_dependencies", (payload) => isByKnown(payload, "blocked_issue") && isByKnown(payload, "blocking_issue")],
  ["discussion", isKnownDiscussion],
  ["discussion_comment", (payload) => isByKnown(payload, "comment")],
  ["check_run", (payload) => isCheckOfOwn(payload, "check_run", "check_run.check_suite")],
  ["check_suite", (payload) => isCheckOfOwn(payload, "check_suite", "check_suite")],
  ["workflow_run", isOwnRun],
  // It does not tell which repository its commit is in.
  ["workflow_job", () => false],
  ["status", isStatusOfOwn],
  ["deployment", isOwnDeployment],
  ["deployment_status", isOwnDeployment],
  ["deployment_review", isOwnRun],
  ["code_scanning_alert", (payload) => textAt(payload, "ref")?.startsWith("refs/heads/") ?? false],
  // Anyone may report one.
  ["repository_advisory", (payload) => textAt(payload, "action") === "published"],
]);

/**
 * Strangers are found in public repositories alone. Whatever can't be told to be from somebody with rights is a stranger's:
 * so is every event of a name that is not known here.
 */
export function isStrangers(name: string, payload: JsonObject): boolean {
  if (valueAt(payload, "repository.private") === true) return false;
  const isFromKnown = FROM_KNOWN.get(name);
  return isFromKnown === undefined ? !OF_WRITERS.has(name) : !isFromKnown(payload);
}

/** Whether a workflow ran for the repository's own commit, started by something that takes write access. */
export function isOwnRun(payload: JsonObject): boolean {
  const own = idAt(payload, "repository.id");
  if (own === null || idAt(payload, "workflow_run.head_repository.id") !== own) return false;
  return RUNS_OF_WRITERS.includes(textAt(payload, "workflow_run.event") ?? "");
}

/**
 * A head in the repository itself took write access. Of a fork's, the author counts, whoever labels or assigns it: what would
 * be checked out is theirs. Commits that someone else pushed to the fork are nobody's whom GitHub names an association for.
 */
function isKnownPullRequest(payload: JsonObject): boolean {
  const pullRequest = pullRequestOf(payload);
  if (pullRequest === null) return false;
  if (!pullRequest.isFork) return true;
  const isOfOthers =
    textAt(payload, "action") === "synchronize" &&
    idAt(payload, "sender.id") !== (idAt(payload, "pull_request.user.id") ?? -1);
  return isByKnown(payload, "pull_request") && !isOfOthers;
}

function isKnownThread(payload: JsonObject): boolean {
  const comments = valueAt(payload, "thread.comments");
  if (!Array.isArray(comments) || comments.length === 0) return false;
  return comments.every((_, place) => isByKnown(payload, `thread.comments.${place}`));
}

/** An answer is a comment, and often not by who asked. */
function isKnownDiscussion(payload: JsonObject): boolean {
  const answers = ["answer", "old_answer"].filter((part) => isObject(valueAt(payload, part)));
  return isByKnown(payload, "discussion") && answers.every((part) => isByKnown(payload, part));
}

/** A check names neither its commit's repository nor who pushed it; a pull request within the repository does both. */
function isCheckOfOwn(payload: JsonObject, check: string, suite: string): boolean {
  const lists = [valueAt(payload, `${check}.pull_requests`), valueAt(payload, `${suite}.pull_requests`)];
  const own = idAt(payload, "repository.id");
  const ofCommit = pullRequestsAt(lists, shaAt(payload, `${check}.head_sha`));
  return own !== null && ofCommit.some((one) => idAt(one, "head.repo.id") === own);
}

/** GitHub lists the branches of the repository that have the commit: none for a fork's. */
function isStatusOfOwn(payload: JsonObject): boolean {
  const branches = valueAt(payload, "branches");
  return Array.isArray(branches) && branches.length > 0;
}

/** Creating one takes write access; where a workflow did, the workflow counts. */
function isOwnDeployment(payload: JsonObject): boolean {
  return !isObject(valueAt(payload, "workflow_run")) || isOwnRun(payload);
}
