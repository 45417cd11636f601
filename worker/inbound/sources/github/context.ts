/** What the agent is told of a GitHub event: the fields that matter, per event, within `CONTEXT_LIMIT`. Pure. */
import type { JsonObject } from "#protocol/schema.ts";
import { contextOf, isObject, textAt, valueAt } from "../payload.ts";
import { fact, json, type Line, list, oneLine, type Told, text } from "./context-lines.ts";
import { mergeGroupTold, pushTold, releaseTold, runTold, statusTold } from "./context-of-code.ts";
import { idAt, pullRequestOf } from "./pull-request.ts";
import { labelsOf } from "./pull-request-fields.ts";

const BODY_LIMIT = 6_000;
const SIDE_LIMIT = 2_000;
const JSON_LIMIT = 8_000;

const NOTHING: Told = { facts: [], texts: [] };

/** In the order in which they are told: what happened before what it stands under. */
const TELLERS = new Map<string, (payload: JsonObject) => readonly Told[]>([
  ["pull_request", (payload) => [pullRequestTold(payload, BODY_LIMIT), changeTold(payload)]],
  ["pull_request_review", (payload) => [reviewTold(payload), pullRequestTold(payload, SIDE_LIMIT)]],
  ["pull_request_review_comment", (payload) => [commentTold(payload), pullRequestTold(payload, SIDE_LIMIT)]],
  ["issues", (payload) => [issueTold(payload, "issue", BODY_LIMIT), changeTold(payload)]],
  ["issue_comment", (payload) => [commentTold(payload), issueTold(payload, "issue", SIDE_LIMIT)]],
  ["sub_issues", (payload) => ["sub_issue", "parent_issue"].map((part) => issueTold(payload, part, SIDE_LIMIT))],
  ["commit_comment", (payload) => [commentTold(payload)]],
  ["discussion", (payload) => [issueTold(payload, "discussion", BODY_LIMIT), answerTold(payload), changeTold(payload)]],
  ["discussion_comment", (payload) => [commentTold(payload), issueTold(payload, "discussion", SIDE_LIMIT)]],
  ["push", (payload) => [pushTold(payload)]],
  ["release", (payload) => [releaseTold(payload)]],
  ["check_run", (payload) => [runTold(payload, "check_run")]],
  ["check_suite", (payload) => [runTold(payload, "check_suite")]],
  ["workflow_run", (payload) => [runTold(payload, "workflow_run")]],
  ["workflow_job", (payload) => [runTold(payload, "workflow_job")]],
  ["merge_group", (payload) => [mergeGroupTold(payload)]],
  ["status", (payload) => [statusTold(payload)]],
  ["workflow_dispatch", dispatchTold],
  ["repository_dispatch", dispatchTold],
]);

export function githubContext(name: string, payload: JsonObject): string {
  const told = TELLERS.get(name)?.(payload) ?? otherTold(payload);
  const head: Line[] = [
    ["Event", oneLine(name)],
    fact("Action", payload, "action"),
    fact("Repository", payload, "repository.full_name"),
    fact("By", payload, "sender.login"),
  ];
  const facts = told.flatMap((one) => one.facts);
  return contextOf([...head, ...facts, ...told.flatMap((one) => one.texts)]);
}

function pullRequestTold(payload: JsonObject, bodyLimit: number): Told {
  const pullRequest = valueAt(payload, "pull_request");
  if (!isObject(pullRequest)) return NOTHING;
  return {
    facts: [
      ...threadFacts("Pull request", pullRequest),
      fact("Draft", pullRequest, "draft"),
      fact("Merged", pullRequest, "merged"),
      fact("Base branch", pullRequest, "base.ref"),
      fact("Head branch", pullRequest, "head.label"),
      fact("Head commit", pullRequest, "head.sha"),
      ["From a fork", String(pullRequestOf(payload)?.isFork ?? true)],
      fact("Changed files", pullRequest, "changed_files"),
    ],
    texts: [text("Description of the pull request", pullRequest, "body", bodyLimit)],
  };
}

/** An issue or a discussion. */
function issueTold(payload: JsonObject, part: string, bodyLimit: number): Told {
  const issue = valueAt(payload, part);
  if (!isObject(issue)) return NOTHING;
  const isPullRequest = isObject(valueAt(issue, "pull_request"));
  const noun = isPullRequest
    ? "Pull request"
    : ({ discussion: "Discussion", parent_issue: "Parent issue" }[part] ?? "Issue");
  return {
    facts: [...threadFacts(noun, issue), fact("Category", issue, "category.name"), fact("Type", issue, "type.name")],
    texts: [text(`Description of the ${noun.toLowerCase()}`, issue, "body", bodyLimit)],
  };
}

function threadFacts(noun: string, thread: JsonObject): Line[] {
  const number = idAt(thread, "number");
  return [
    [noun, oneLine([number === null ? "" : `#${number}`, textAt(thread, "title") ?? ""].join(" "))],
    fact("Address", thread, "html_url"),
    fact("Author", thread, "user.login"),
    fact("Author's association", thread, "author_association"),
    fact("State", thread, "state"),
    list("Labels", labelsOf(thread)),
  ];
}

function reviewTold(payload: JsonObject): Told {
  return {
    facts: [
      fact("Review", payload, "review.state"),
      fact("Address of the review", payload, "review.html_url"),
      fact("Reviewer", payload, "review.user.login"),
      fact("Reviewer's association", payload, "review.author_association"),
      fact("Reviewed commit", payload, "review.commit_id"),
    ],
    texts: [text("Review's text", payload, "review.body", BODY_LIMIT)],
  };
}

function commentTold(payload: JsonObject): Told {
  return {
    facts: [
      fact("Comment", payload, "comment.html_url"),
      fact("Comment's author", payload, "comment.user.login"),
      fact("Comment author's association", payload, "comment.author_association"),
      fact("File", payload, "comment.path"),
      fact("Line", payload, "comment.line"),
      fact("Commit", payload, "comment.commit_id"),
    ],
    texts: [
      text("Comment's text", payload, "comment.body", BODY_LIMIT),
      text("Diff at the comment", payload, "comment.diff_hunk", SIDE_LIMIT),
    ],
  };
}

function answerTold(payload: JsonObject): Told {
  return {
    facts: [fact("Answer", payload, "answer.html_url"), fact("Answer's author", payload, "answer.user.login")],
    texts: [text("Answer's text", payload, "answer.body", SIDE_LIMIT)],
  };
}

/** Which label, person or field it was that changed. */
function changeTold(payload: JsonObject): Told {
  const changes = valueAt(payload, "changes");
  return {
    facts: [
      fact("Label", payload, "label.name"),
      fact("Assignee", payload, "assignee.login"),
      fact("Requested reviewer", payload, "requested_reviewer.login"),
      fact("Requested team", payload, "requested_team.name"),
      fact("Milestone", payload, "milestone.title"),
      list("Changed", isObject(changes) ? Object.keys(changes) : []),
      fact("Before", payload, "before"),
    ],
    texts: [],
  };
}

function dispatchTold(payload: JsonObject): readonly Told[] {
  const facts = [fact("Workflow", payload, "workflow"), fact("Ref", payload, "ref"), fact("Branch", payload, "branch")];
  const given = [json("Inputs", payload, "inputs", JSON_LIMIT), json("Payload", payload, "client_payload", JSON_LIMIT)];
  return [{ facts, texts: given }];
}

/** Of any other event: what it stands under, where it says so, and the words and numbers at its top. */
function otherTold(payload: JsonObject): readonly Told[] {
  const keys = Object.keys(payload)
    .slice(0, KEYS_LIMIT)
    .filter((key) => key !== "action" && !key.includes("."));
  return [
    commentTold(payload),
    pullRequestTold(payload, SIDE_LIMIT),
    issueTold(payload, "issue", SIDE_LIMIT),
    issueTold(payload, "discussion", SIDE_LIMIT),
    {
      facts: keys.map((key) => fact(oneLine(key) ?? "", payload, key)),
      texts: keys.flatMap((key) => partOf(payload, key)),
    },
  ];
}

const TOLD_ELSEWHERE = ["comment", "pull_request", "issue", "discussion", "repository", "organization", "sender"];
const ABOUT_THE_HOOK = ["installation", "enterprise"];
const PART_LIMIT = 2_000;
const KEYS_LIMIT = 100;

function partOf(payload: JsonObject, key: string): Line[] {
  const isTold = [...TOLD_ELSEWHERE, ...ABOUT_THE_HOOK].includes(key);
  const value = isTold ? undefined : valueAt(payload, key);
  return typeof value === "object" ? [json(oneLine(key) ?? "", payload, key, PART_LIMIT)] : [];
}
