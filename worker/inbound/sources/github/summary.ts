/** One line that tells people what happened, for instance "Pull request #7 opened in acme/app: Fix the thing". Pure. */
import type { JsonObject } from "#protocol/schema.ts";
import { cut, isObject, textAt, valueAt } from "../payload.ts";
import { idAt } from "./pull-request.ts";

/** What happened, and what it is called; each may be null where the payload does not say. */
interface Told {
  what: string;
  title: string | null;
}

const PIECE_LIMIT = 150;

const TOLD = new Map<string, (payload: JsonObject) => Told>([
  ["pull_request", ofPullRequest],
  ["pull_request_review", (payload) => ofReview(payload)],
  ["pull_request_review_comment", (payload) => under(payload, "Review comment")],
  ["pull_request_review_thread", (payload) => under(payload, "Review thread")],
  [
    "issues",
    (payload) => ({ what: said(numbered(payload, "Issue", "issue"), payload), title: piece(payload, "issue.title") }),
  ],
  ["issue_comment", (payload) => under(payload, "Comment")],
  ["sub_issues", ofSubIssues],
  ["discussion", ofDiscussion],
  ["discussion_comment", (payload) => under(payload, "Comment")],
  ["commit_comment", (payload) => under(payload, "Commit comment")],
  ["push", ofPush],
  ["release", ofRelease],
  ["check_run", (payload) => ofRun(payload, "Check run", "check_run", "name")],
  ["check_suite", (payload) => ofRun(payload, "Check suite", "check_suite", "app.name")],
  ["workflow_run", ofWorkflowRun],
  ["workflow_job", (payload) => ofRun(payload, "Workflow job", "workflow_job", "name")],
  [
    "workflow_dispatch",
    (payload) => ({ what: words("Workflow", piece(payload, "workflow"), "dispatched"), title: null }),
  ],
  ["repository_dispatch", (payload) => ({ what: words("Repository dispatch", piece(payload, "action")), title: null })],
  ["merge_group", (payload) => ({ what: said("Merge group", payload), title: piece(payload, "merge_group.head_ref") })],
  ["status", ofStatus],
]);

/** Not yet of an event's length: `readEvent` cuts it. */
export function summaryOf(name: string, payload: JsonObject): string {
  const { what, title } = TOLD.get(name)?.(payload) ?? { what: said(titled(name), payload), title: null };
  const place = textAt(payload, "repository.full_name") ?? textAt(payload, "organization.login");
  const sentence = place === null ? what : `${what} in ${cut(place, PIECE_LIMIT)}`;
  return title === null ? sentence : `${sentence}: ${title}`;
}

/** `pull_request_review` as people write it: "Pull request review". */
export function titled(name: string): string {
  const text = name.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function ofPullRequest(payload: JsonObject): Told {
  const isMerged = textAt(payload, "action") === "closed" && valueAt(payload, "pull_request.merged") === true;
  const subject = numbered(payload, "Pull request", "pull_request");
  const what = isMerged ? words(subject, "merged") : said(subject, payload);
  return { what, title: piece(payload, "pull_request.title") };
}

function ofReview(payload: JsonObject): Told {
  const state = piece(payload, "review.state")?.replaceAll("_", " ") ?? null;
  return under(payload, "Review", state === null ? null : `(${state})`);
}

/** Of what stands under a pull request, an issue or a discussion. */
function under(payload: JsonObject, subject: string, detail: string | null = null): Told {
  const [noun, part] = isObject(valueAt(payload, "pull_request"))
    ? ["pull request", "pull_request"]
    : isObject(valueAt(payload, "discussion"))
      ? ["discussion", "discussion"]
      : [isObject(valueAt(payload, "issue.pull_request")) ? "pull request" : "issue", "issue"];
  const what = words(said(subject, payload), detail);
  if (!isObject(valueAt(payload, part))) return { what, title: null };
  return { what: `${what} on ${numbered(payload, noun, part)}`, title: piece(payload, `${part}.title`) };
}

function ofSubIssues(payload: JsonObject): Told {
  const action = textAt(payload, "action");
  const what = action === null ? "Sub issues" : titled(cut(action, PIECE_LIMIT));
  return { what: `${what}: ${numbered(payload, "parent", "parent_issue")}`, title: piece(payload, "sub_issue.title") };
}

function ofDiscussion(payload: JsonObject): Told {
  return {
    what: said(numbered(payload, "Discussion", "discussion"), payload),
    title: piece(payload, "discussion.title"),
  };
}

function ofPush(payload: JsonObject): Told {
  const ref = piece(payload, "ref") ?? "";
  const kind = ref.startsWith("refs/tags/") ? "Tag" : "Branch";
  const name = ref.replace(/^refs\/(?:heads|tags)\//, "");
  if (valueAt(payload, "deleted") === true) return { what: words(kind, name, "deleted"), title: null };
  const commits = valueAt(payload, "commits");
  const count = Array.isArray(commits) ? commits.length : 0;
  const message = textAt(payload, "head_commit.message");
  const title = message === null ? null : cut(message.slice(0, PIECE_LIMIT * 2).split("\n")[0] ?? "", PIECE_LIMIT);
  if (kind === "Tag") return { what: words(kind, name, "pushed"), title };
  return { what: `Push of ${count} ${count === 1 ? "commit" : "commits"} to ${name}`, title };
}

function ofRelease(payload: JsonObject): Told {
  const tag = piece(payload, "release.tag_name");
  const name = piece(payload, "release.name");
  return { what: said(words("Release", tag), payload), title: name === tag ? null : name };
}

function ofRun(payload: JsonObject, subject: string, part: string, name: string): Told {
  const conclusion = piece(payload, `${part}.conclusion`)?.replaceAll("_", " ") ?? null;
  const what = said(words(subject, piece(payload, `${part}.${name}`)), payload);
  return { what: words(what, conclusion === null ? null : `(${conclusion})`), title: null };
}

function ofWorkflowRun(payload: JsonObject): Told {
  return {
    ...ofRun(payload, "Workflow run", "workflow_run", "name"),
    title: piece(payload, "workflow_run.display_title"),
  };
}

function ofStatus(payload: JsonObject): Told {
  const what = words("Status", piece(payload, "context"), piece(payload, "state"));
  return { what, title: piece(payload, "description") };
}

function numbered(payload: JsonObject, noun: string, part: string): string {
  const number = idAt(payload, `${part}.number`);
  return number === null ? noun : `${noun} #${number}`;
}

/** With the action, as people write it. */
function said(subject: string, payload: JsonObject): string {
  const action = piece(payload, "action");
  return words(subject, action === "synchronize" ? "updated" : (action?.replaceAll("_", " ") ?? null));
}

function words(...parts: readonly (string | null)[]): string {
  return parts.filter((part) => part !== null && part !== "").join(" ");
}

function piece(payload: JsonObject, path: string): string | null {
  const text = textAt(payload, path);
  return text === null ? null : cut(text, PIECE_LIMIT);
}
