/** What of GitLab's payloads matters, to people in a line, to filters by name, to the agent. Pure; nothing throws. */
import type { Json, JsonObject } from "#protocol/schema.ts";
import { listed, namedFields, textsOf } from "./named-fields.ts";
import { contextOf, isObject, textAt, valueAt, wordAt } from "./payload.ts";

const COMMITS_TOLD = 20;
const NO_COMMIT = /^0{40,64}$/;

/** For instance `acme/app: merge request open, !1 MS-Viewport, by root`. */
export function gitlabSummary(name: string, action: string | null, payload: JsonObject): string {
  const project = projectOf(payload);
  const user = userOf(payload);
  const what = words([name.replaceAll("_", " "), action ?? statusOf(payload)], " ");
  const told = words([what, subjectOf(name, payload), user === null ? null : `by ${user}`], ", ");
  return words([project, told], ": ") ?? name;
}

export function gitlabFields(action: string | null, payload: JsonObject): Record<string, Json> {
  return namedFields({
    action,
    project: projectOf(payload),
    user: userOf(payload),
    branch: branchOf(payload),
    target_branch: textAt(payload, "object_attributes.target_branch") ?? textAt(payload, "merge_request.target_branch"),
    status: statusOf(payload),
    conversation: conversationOf(payload),
    brings_commits: bringsCommits(action, payload),
    labels: labelsOf(payload),
  });
}

export function gitlabContext(name: string, action: string | null, payload: JsonObject): string {
  const about = (member: string) => textAt(payload, `object_attributes.${member}`) ?? textAt(payload, member);
  return contextOf([
    ["Event", words([name, action], " ")],
    ["Project", projectOf(payload)],
    ["Project address", textAt(payload, "project.web_url")],
    ["By", userOf(payload)],
    ["About", subjectOf(name, payload)],
    ["Address", about("url")],
    ["State", about("state")],
    ["Status", statusOf(payload)],
    ["Branch", branchOf(payload)],
    ["Target branch", about("target_branch")],
    ["Commit", textAt(payload, "checkout_sha") ?? about("sha") ?? textAt(payload, "object_attributes.last_commit.id")],
    ["Labels", listed(labelsOf(payload))],
    ["Comment", about("note")],
    ["On", textAt(payload, "merge_request.url") ?? textAt(payload, "issue.url") ?? textAt(payload, "commit.url")],
    ["Failed jobs", failedJobs(payload)],
    ["Commits", commits(payload)],
    ["Description", about("description")],
  ]);
}

function projectOf(payload: JsonObject): string | null {
  const paths = ["project.path_with_namespace", "path_with_namespace", "full_path", "group_path", "group.full_path"];
  return firstText(payload, paths);
}

function userOf(payload: JsonObject): string | null {
  return firstText(payload, ["user.username", "user_username", "user.name", "user_name"]);
}

/** What it is about, in a few words: a merge request, an issue, a branch, a tag, a pipeline. */
function subjectOf(name: string, payload: JsonObject): string | null {
  const of = (path: string) => wordAt(payload, path);
  const titled = (sign: string, path: string) => numbered(sign, of(`${path}.iid`), of(`${path}.title`));
  const branch = branchOf(payload);
  switch (name) {
    case "push":
    case "tag_push":
      return NO_COMMIT.test(of("after") ?? "") ? words([branch, "deleted"], " ") : branch;
    case "merge_request":
      return titled("!", "object_attributes");
    case "issue":
    case "work_item":
      return titled("#", "object_attributes");
    case "note":
      return titled("!", "merge_request") ?? titled("#", "issue") ?? of("commit.id") ?? of("snippet.title");
    case "pipeline":
      return words([numbered("#", of("object_attributes.id"), null), branch], " on ");
    case "build":
      return words([of("build_name"), branch], " on ");
    case "deployment":
      return of("environment");
    case "release":
      return of("tag");
    default:
      return of("object_attributes.title") ?? of("object_attributes.name") ?? of("title") ?? of("name");
  }
}

function numbered(sign: string, number: string | null, title: string | null): string | null {
  return number === null ? null : words([`${sign}${number}`, title], " ");
}

/** What there is of them, joined; null where there is nothing. */
function words(parts: readonly (string | null)[], between: string): string | null {
  return parts.filter((part) => part !== null).join(between) || null;
}

function branchOf(payload: JsonObject): string | null {
  const ref = firstText(payload, ["object_attributes.source_branch", "object_attributes.ref", "ref"]);
  return ref === null ? null : ref.replace(/^refs\/(heads|tags)\//, "");
}

function statusOf(payload: JsonObject): string | null {
  return firstText(payload, ["object_attributes.status", "build_status", "status"]);
}

/** What a comment, a pipeline or an issue belongs to, as GitLab writes it: `acme/app!7` of a merge request, `acme/app#7` of an issue. */
function conversationOf(payload: JsonObject): string | null {
  const project = projectOf(payload);
  const kind = textAt(payload, "object_kind") ?? "";
  const own = (kinds: readonly string[]) => (kinds.includes(kind) ? wordAt(payload, "object_attributes.iid") : null);
  const request = wordAt(payload, "merge_request.iid") ?? own(["merge_request"]);
  const issue = wordAt(payload, "issue.iid") ?? own(["issue", "work_item"]);
  if (project === null || (request ?? issue) === null) return null;
  return request === null ? `${project}#${issue}` : `${project}!${request}`;
}

/**
 * Whether a push or a merge request has commits that were not there before. GitLab tells of labels, titles and reviewers under the
 * same action as of new commits; `oldrev` comes with these alone.
 * @returns undefined for what has no commits at all.
 * @see https://docs.gitlab.com/user/project/integrations/webhook_events/#merge-request-events
 */
function bringsCommits(action: string | null, payload: JsonObject): boolean | undefined {
  const kind = textAt(payload, "object_kind");
  if (kind === "push" || kind === "tag_push") {
    const count = valueAt(payload, "total_commits_count");
    return typeof count === "number" && count > 0;
  }
  if (kind !== "merge_request") return undefined;
  return action === "open" || action === "reopen" || textAt(payload, "object_attributes.oldrev") !== null;
}

function labelsOf(payload: JsonObject): string[] | null {
  return textsOf(valueAt(payload, "labels") ?? valueAt(payload, "object_attributes.labels"), "title");
}

function commits(payload: JsonObject): string | null {
  const lines = listAt(payload, "commits").map((commit) => {
    const title = textAt(commit, "title") ?? (textAt(commit, "message") ?? "").split("\n", 1)[0];
    return `${(textAt(commit, "id") ?? "").slice(0, 12)} ${title} (${textAt(commit, "author.name") ?? "unknown"})`;
  });
  if (lines.length === 0) return null;
  return `${wordAt(payload, "total_commits_count") ?? lines.length} in all, the newest last\n${lines.slice(-COMMITS_TOLD).join("\n")}`;
}

function failedJobs(payload: JsonObject): string | null {
  const failed = listAt(payload, "builds").filter((job) => textAt(job, "status") === "failed");
  const lines = failed.map((job) => {
    const why = textAt(job, "failure_reason");
    return `${wordAt(job, "stage")}/${wordAt(job, "name")}${why === null ? "" : `: ${why}`}`;
  });
  return lines.length === 0 ? null : lines.join("\n");
}

function listAt(payload: JsonObject, path: string): JsonObject[] {
  const list = valueAt(payload, path);
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function firstText(payload: JsonObject, paths: readonly string[]): string | null {
  return paths.map((path) => textAt(payload, path)).find((text) => text !== null) ?? null;
}
