/** The named fields of GitHub's events, for docs and the web app; `pull-request-fields.ts` finds them in a payload. */
import type { ListenerField } from "../listener.ts";

export const EVERY_EVENT_FIELDS: readonly ListenerField[] = [
  { field: "sender", what: "Who did it, by login" },
  { field: "repository", what: "Where, as acme/app" },
  { field: "number", what: "Of the pull request, issue or discussion" },
];

const PULL_REQUEST_FIELDS: readonly ListenerField[] = [
  { field: "base_branch", what: "The branch that it is to go into" },
  { field: "head_branch", what: "The branch that it comes from" },
  { field: "author", what: "Who opened it, by login" },
  { field: "author_association", what: "OWNER, MEMBER, COLLABORATOR, CONTRIBUTOR, FIRST_TIME_CONTRIBUTOR or NONE" },
  { field: "title", what: "Its title" },
  { field: "body", what: "Its description" },
  { field: "labels", what: "The names of its labels" },
  { field: "is_draft", what: "Whether it is a draft" },
  { field: "is_merged", what: "Whether it has been merged" },
  { field: "from_fork", what: "Whether it comes from a fork" },
];

/** The named fields that an event can have; a comment may be on a pull request, and has then what is known of that. */
export function namedFieldsOf(event: string): readonly ListenerField[] {
  const isOfPullRequest = event.startsWith("pull_request") || event === "issue_comment";
  return [...(isOfPullRequest ? PULL_REQUEST_FIELDS : []), ...EVERY_EVENT_FIELDS];
}
