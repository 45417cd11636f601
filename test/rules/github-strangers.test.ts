/** Whose GitHub events are a stranger's: what can be brought about without rights in a public repository. */
import { describe, expect, it } from "vitest";
import type { JsonObject } from "#protocol/schema.ts";
import { readGithub } from "#worker/inbound/sources/github/read-event.ts";
import {
  type Association,
  by,
  inPublic,
  listed,
  OTHER_SHA,
  privateRepository,
  pullRequest,
  SHA,
  stranger,
  workflowRun,
} from "./support/github-payloads.ts";

const KNOWN: readonly Association[] = ["OWNER", "MEMBER", "COLLABORATOR"];
const UNKNOWN: readonly Association[] = ["CONTRIBUTOR", "FIRST_TIME_CONTRIBUTOR", "NONE"];

type Case = readonly [what: string, name: string, payload: JsonObject];

const OF_KNOWN: readonly Case[] = [
  ...KNOWN.flatMap((who): Case[] => [
    [`a fork's pull request by ${who}`, "pull_request", { action: "opened", pull_request: pullRequest(who, "fork") }],
    [`an issue by ${who}`, "issues", { action: "opened", issue: by(who) }],
    [`a comment by ${who} on a stranger's issue`, "issue_comment", { issue: by("NONE"), comment: by(who) }],
    [`a review by ${who}`, "pull_request_review", { pull_request: pullRequest("NONE", "own"), review: by(who) }],
    [`a comment by ${who} on a commit`, "commit_comment", { comment: by(who) }],
    [`a discussion by ${who}`, "discussion", { action: "created", discussion: by(who), answer: null }],
    [
      `a comment by ${who} on a stranger's discussion`,
      "discussion_comment",
      { discussion: by("NONE"), comment: by(who) },
    ],
  ]),
  // Its branch is in the repository: pushing it took write access. Of bots GitHub tells no association.
  ["a pull request within the repository", "pull_request", { pull_request: pullRequest("NONE", "own") }],
  [
    "new commits by a known author of a fork's pull request",
    "pull_request",
    { action: "synchronize", pull_request: pullRequest("MEMBER", "fork") },
  ],
  [
    "a resolved thread of known people",
    "pull_request_review_thread",
    { pull_request: pullRequest("MEMBER", "own"), thread: { comments: [by("OWNER"), by("MEMBER")] } },
  ],
  ["a sub-issue where both are by known people", "sub_issues", { sub_issue: by("OWNER"), parent_issue: by("MEMBER") }],
  ["a workflow run of a push", "workflow_run", { workflow_run: workflowRun("push", "own") }],
  ["a workflow run of a pull request within", "workflow_run", { workflow_run: workflowRun("pull_request", "own") }],
  [
    "a check of a pull request within the repository",
    "check_run",
    { check_run: { head_sha: SHA, pull_requests: [listed("own")], check_suite: {} } },
  ],
  [
    "a check that only its suite lists a pull request for",
    "check_run",
    { check_run: { head_sha: SHA, pull_requests: [], check_suite: { pull_requests: [listed("own")] } } },
  ],
  ["a suite of the same", "check_suite", { check_suite: { head_sha: SHA, pull_requests: [listed("own")] } }],
  ["a status of a commit on a branch", "status", { sha: SHA, branches: [{ name: "main", commit: { sha: SHA } }] }],
  ["a deployment by an app", "deployment", { deployment: {}, workflow_run: null }],
  ["a deployment by a push's workflow", "deployment_status", { workflow_run: workflowRun("push", "own") }],
  ["an alert on a branch", "code_scanning_alert", { ref: "refs/heads/main" }],
  ["a published advisory", "repository_advisory", { action: "published" }],
  ...`push create delete release merge_group workflow_dispatch repository_dispatch label milestone public repository
      dependabot_alert`
    .split(/\s+/)
    .map((name): Case => [`${name}, which takes write access`, name, {}]),
];

const OF_STRANGERS: readonly Case[] = [
  ...UNKNOWN.flatMap((who): Case[] => [
    [`a fork's pull request by ${who}`, "pull_request", { action: "opened", pull_request: pullRequest(who, "fork") }],
    [`an issue by ${who}`, "issues", { action: "opened", issue: by(who) }],
    [`a comment by ${who} on a member's issue`, "issue_comment", { issue: by("MEMBER"), comment: by(who) }],
    [`a review by ${who}`, "pull_request_review", { pull_request: pullRequest("MEMBER", "own"), review: by(who) }],
    [
      `a review comment by ${who}`,
      "pull_request_review_comment",
      { pull_request: pullRequest("MEMBER", "own"), comment: by(who) },
    ],
    [`a comment by ${who} on a commit`, "commit_comment", { comment: by(who) }],
    [`a discussion by ${who}`, "discussion", { action: "created", discussion: by(who) }],
    [`a comment by ${who} on a discussion`, "discussion_comment", { discussion: by("OWNER"), comment: by(who) }],
  ]),
  ["one whose fork is gone", "pull_request", { pull_request: pullRequest("NONE", "gone") }],
  [
    "a stranger's pull request that a maintainer labels",
    "pull_request",
    { action: "labeled", label: { name: "ok" }, pull_request: pullRequest("NONE", "fork") },
  ],
  ["a stranger's issue that a maintainer labels", "issues", { action: "labeled", issue: by("NONE") }],
  [
    "commits that somebody else pushed to a member's fork",
    "pull_request",
    { action: "synchronize", sender: stranger, pull_request: pullRequest("MEMBER", "fork") },
  ],
  [
    "a member's review of a stranger's fork",
    "pull_request_review",
    { pull_request: pullRequest("NONE", "fork"), review: by("MEMBER") },
  ],
  ["a stranger's comment that a maintainer edits", "issue_comment", { action: "edited", comment: by("NONE") }],
  ["an association that is missing", "issue_comment", { comment: by(null) }],
  ["an association in lower case", "issue_comment", { comment: { author_association: "owner" } }],
  [
    "a thread in which a stranger wrote",
    "pull_request_review_thread",
    { pull_request: pullRequest("MEMBER", "own"), thread: { comments: [by("OWNER"), by("NONE")] } },
  ],
  [
    "a thread without comments",
    "pull_request_review_thread",
    { pull_request: pullRequest("MEMBER", "own"), thread: { comments: [] } },
  ],
  ["a stranger's answer in a member's discussion", "discussion", { discussion: by("MEMBER"), answer: by("NONE") }],
  ["a stranger's sub-issue", "sub_issues", { sub_issue: by("NONE"), parent_issue: by("OWNER") }],
  ["a stranger's blocking issue", "issue_dependencies", { blocked_issue: by("OWNER"), blocking_issue: by("NONE") }],
  ["a workflow run of a fork", "workflow_run", { workflow_run: workflowRun("pull_request", "fork") }],
  [
    "a workflow run of a fork that calls its branch main",
    "workflow_run",
    { workflow_run: workflowRun("push", "fork") },
  ],
  ["a workflow run of a fork that is gone", "workflow_run", { workflow_run: workflowRun("pull_request", "gone") }],
  ["a workflow run that an issue started", "workflow_run", { workflow_run: workflowRun("issues", "own") }],
  ["one that a comment started", "workflow_run", { workflow_run: workflowRun("issue_comment", "own") }],
  ["one of pull_request_target", "workflow_run", { workflow_run: workflowRun("pull_request_target", "own") }],
  ["a workflow job", "workflow_job", { workflow_job: { head_branch: "main", head_sha: SHA } }],
  [
    "a check on a branch called main without a pull request",
    "check_suite",
    { check_suite: { head_branch: "main", head_sha: SHA, pull_requests: [] } },
  ],
  ["a check of a fork", "check_run", { check_run: { head_sha: SHA, pull_requests: [listed("fork")] } }],
  [
    "a check of another commit than the listed pull request's",
    "check_run",
    { check_run: { head_sha: SHA, pull_requests: [listed("own", OTHER_SHA)] } },
  ],
  ["a status of a fork's commit", "status", { sha: SHA, branches: [] }],
  ["a deployment by a fork's workflow", "deployment", { workflow_run: workflowRun("pull_request", "fork") }],
  ["a review of a fork's deployment", "deployment_review", { workflow_run: workflowRun("pull_request", "fork") }],
  ["an alert on a pull request", "code_scanning_alert", { ref: "refs/pull/7/merge" }],
  ["a reported advisory", "repository_advisory", { action: "reported" }],
  ...["fork", "star", "watch", "gollum", "secret_scanning_alert", "sponsorship", "made_up", "constructor"].map(
    (name): Case => [`${name}, which anybody may do`, name, {}],
  ),
];

describe("in a public repository", () => {
  it.each(OF_KNOWN)("%s is of somebody known (%s)", (_, name, payload) => {
    expect(isStrangers(name, inPublic(payload))).toBe(false);
  });

  it.each(OF_STRANGERS)("%s is a stranger's (%s)", (_, name, payload) => {
    expect(isStrangers(name, inPublic(payload))).toBe(true);
  });

  it("one that does not say whether it is private counts", () => {
    expect(isStrangers("issues", { issue: by("NONE"), repository: { id: 1, full_name: "acme/app" } })).toBe(true);
  });
});

describe("in a private repository", () => {
  it.each(OF_STRANGERS)("%s is nobody's whom it does not know (%s)", (_, name, payload) => {
    expect(isStrangers(name, { ...inPublic(payload), repository: privateRepository })).toBe(false);
  });
});

describe("the association that is told", () => {
  it.each([
    ["pull_request", { pull_request: pullRequest("CONTRIBUTOR", "fork") }, "CONTRIBUTOR"],
    ["issue_comment", { issue: by("OWNER"), comment: by("NONE") }, "NONE"],
    ["pull_request_review", { pull_request: pullRequest("OWNER", "own"), review: by("MEMBER") }, "MEMBER"],
    ["discussion", { discussion: by("COLLABORATOR") }, "COLLABORATOR"],
    ["push", {}, null],
  ] as const)("of %s is of whoever wrote it", (name, payload, association) => {
    const reading = readGithub(name, "1", inPublic(payload));
    expect(reading).toMatchObject({ github: { actor: { login: "maya", association } } });
  });

  it("of a push without a sender comes with the pusher", () => {
    expect(readGithub("push", "1", { pusher: { name: "maya" } })).toMatchObject({
      github: { actor: { login: "maya" } },
    });
    expect(readGithub("push", "1", {})).toMatchObject({ github: { actor: null } });
  });
});

function isStrangers(name: string, payload: JsonObject): boolean {
  const reading = readGithub(name, "1", payload);
  if (reading.kind !== "event") throw new Error(reading.reason);
  return reading.github.is_stranger;
}
