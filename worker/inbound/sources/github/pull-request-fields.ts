/** The fields that filters see by name: those of pull requests, and whose, where and which for every event. Pure. */
import type { Json, JsonObject } from "#protocol/schema.ts";
import { isObject, textAt, valueAt } from "../payload.ts";
import { idAt, pullRequestOf } from "./pull-request.ts";

/** What is not known has no field: a filter on it does not match. */
export function fieldsOf(payload: JsonObject): Record<string, Json> {
  const fields: Record<string, Json> = {};
  const found: Record<string, Json> = {
    sender: textAt(payload, "sender.login"),
    repository: textAt(payload, "repository.full_name"),
    number: numberOf(payload),
  };
  for (const [name, value] of Object.entries(found)) if (value !== null) fields[name] = value;
  return { ...fields, ...pullRequestFields(payload) };
}

/** The number of the pull request, issue or discussion that an event is about. */
export function numberOf(payload: JsonObject): number | null {
  const places = ["pull_request.number", "issue.number", "discussion.number", "number"];
  return places.map((path) => idAt(payload, path)).find((number) => number !== null) ?? null;
}

/** The labels of an issue, pull request or discussion, by name. */
export function labelsOf(thing: Json | undefined): string[] {
  const labels = valueAt(thing, "labels");
  if (!Array.isArray(labels)) return [];
  return labels.flatMap((label) => (typeof label === "string" ? label : (textAt(label, "name") ?? [])));
}

function pullRequestFields(payload: JsonObject): Record<string, Json> {
  const pullRequest = valueAt(payload, "pull_request");
  if (isObject(pullRequest)) {
    return {
      ...sharedFields(pullRequest),
      base_branch: textAt(pullRequest, "base.ref"),
      head_branch: textAt(pullRequest, "head.ref"),
      is_merged: valueAt(pullRequest, "merged") === true || textAt(pullRequest, "merged_at") !== null,
      from_fork: pullRequestOf(payload)?.isFork ?? true,
    };
  }
  const issue = valueAt(payload, "issue");
  // A comment on a pull request comes with its issue, which knows neither branches nor repositories.
  if (!isObject(valueAt(issue, "pull_request"))) return {};
  return { ...sharedFields(issue), is_merged: textAt(issue, "pull_request.merged_at") !== null };
}

function sharedFields(thing: Json | undefined): Record<string, Json> {
  return {
    author: textAt(thing, "user.login"),
    author_association: textAt(thing, "author_association"),
    title: textAt(thing, "title"),
    body: textAt(thing, "body"),
    labels: labelsOf(thing),
    is_draft: valueAt(thing, "draft") === true,
  };
}
