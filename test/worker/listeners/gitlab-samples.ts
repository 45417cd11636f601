/**
 * What GitLab sends, from the examples of its documentation; long lists are shortened.
 * @see https://docs.gitlab.com/user/project/integrations/webhook_events/
 */
import type { ListenerSample } from "./listener-case.ts";

/** The headers that an example of GitLab's API shows beside the event's own (project webhooks, list events). */
const SENT = {
  "Content-Type": "application/json",
  "User-Agent": "GitLab/19.2.0",
  "Idempotency-Key": "a5461c4d-9c7f-4af9-add6-cddebe3c426f",
  "X-Gitlab-Webhook-UUID": "3c5c0404-c866-44bc-a5f6-452bb1bfc76e",
  "X-Gitlab-Instance": "https://gitlab.example.com",
  "X-Gitlab-Event-UUID": "9cebe914-4827-408f-b014-cfa23a47a35f",
};

const user = { id: 1, name: "Administrator", username: "root", email: "admin@example.com" };
const project = {
  id: 1,
  name: "Gitlab Test",
  description: "Aut reprehenderit ut est.",
  web_url: "http://example.com/gitlabhq/gitlab-test",
  avatar_url: null,
  git_http_url: "http://example.com/gitlabhq/gitlab-test.git",
  namespace: "GitlabHQ",
  visibility_level: 20,
  path_with_namespace: "gitlabhq/gitlab-test",
  default_branch: "master",
};
const label = { id: 206, title: "API", color: "#ffffff", project_id: 14, type: "ProjectLabel", group_id: 41 };

const push = {
  object_kind: "push",
  event_name: "push",
  before: "95790bf891e76fee5e1747ab589903a6a1f80f22",
  after: "da1560886d4f094c3e6c9ef40349f7d38b5d27d7",
  ref: "refs/heads/master",
  ref_protected: true,
  checkout_sha: "da1560886d4f094c3e6c9ef40349f7d38b5d27d7",
  user_id: 4,
  user_name: "John Smith",
  user_username: "jsmith",
  user_email: "john@example.com",
  project_id: 15,
  project: { ...project, id: 15, name: "Diaspora", path_with_namespace: "mike/diaspora" },
  commits: [
    {
      id: "b6568db1bc1dcd7f8b4d5a946b0b91f9dacd7327",
      message:
        "Update Catalan translation to e38cb41.\n\nSee https://gitlab.com/gitlab-org/gitlab for more information",
      title: "Update Catalan translation to e38cb41.",
      timestamp: "2011-12-12T14:27:31+02:00",
      author: { name: "Jordi Mallach", email: "jordi@softcatala.org" },
      added: ["CHANGELOG"],
      modified: ["app/controller/application.rb"],
      removed: [],
    },
    {
      id: "da1560886d4f094c3e6c9ef40349f7d38b5d27d7",
      message: "fixed readme",
      title: "fixed readme",
      timestamp: "2012-01-03T23:36:29+02:00",
      author: { name: "GitLab dev user", email: "gitlabdev@dv6700.(none)" },
      added: ["CHANGELOG"],
      modified: ["app/controller/application.rb"],
      removed: [],
    },
  ],
  total_commits_count: 4,
};

const mergeRequest = {
  object_kind: "merge_request",
  event_type: "merge_request",
  user,
  project,
  object_attributes: {
    id: 99,
    iid: 1,
    target_branch: "master",
    source_branch: "ms-viewport",
    source_project_id: 14,
    author_id: 51,
    title: "MS-Viewport",
    state: "opened",
    draft: false,
    merge_status: "unchecked",
    target_project_id: 14,
    description: "",
    url: "http://example.com/diaspora/merge_requests/1",
    last_commit: { id: "da1560886d4f094c3e6c9ef40349f7d38b5d27d7", message: "fixed readme" },
    labels: [label],
    action: "open",
    detailed_merge_status: "mergeable",
  },
  labels: [label],
  changes: { draft: { previous: true, current: false } },
  assignees: [{ id: 6, name: "User1", username: "user1" }],
};

function updated(attributes: Record<string, unknown>) {
  return { ...mergeRequest, object_attributes: { ...mergeRequest.object_attributes, action: "update", ...attributes } };
}

const issue = {
  object_kind: "issue",
  event_type: "issue",
  user,
  project,
  object_attributes: {
    id: 301,
    iid: 23,
    title: "New API: create/update/delete file",
    description: "Create new API for manipulations with repository",
    type: "Issue",
    url: "http://example.com/diaspora/issues/23",
    state: "opened",
    action: "open",
    severity: "high",
    labels: [label],
  },
  labels: [label],
};

const note = {
  object_kind: "note",
  event_type: "note",
  user,
  project_id: 5,
  project,
  object_attributes: {
    id: 1244,
    note: "This MR needs work.",
    noteable_type: "MergeRequest",
    author_id: 1,
    system: false,
    action: "create",
    url: "http://example.com/gitlab-org/gitlab-test/merge_requests/1#note_1244",
  },
  merge_request: {
    id: 7,
    iid: 1,
    title: "Tempora et eos debitis quae laborum et.",
    target_branch: "markdown",
    source_branch: "master",
    state: "opened",
    url: "http://example.com/gitlab-org/gitlab-test/merge_requests/1",
  },
};

const pipeline = {
  object_kind: "pipeline",
  object_attributes: {
    id: 31,
    iid: 3,
    name: "Pipeline for branch: master",
    ref: "master",
    tag: false,
    sha: "bcbb5ec396a2c0f828686f14fac9b80b780504f2",
    source: "merge_request_event",
    status: "failed",
    stages: ["build", "test", "deploy"],
    url: "http://example.com/gitlab-org/gitlab-test/-/pipelines/31",
  },
  user,
  project,
  builds: [
    { id: 380, stage: "deploy", name: "production", status: "skipped", failure_reason: null },
    { id: 377, stage: "test", name: "test-image", status: "failed", failure_reason: "script_failure" },
  ],
};

const release = {
  id: 1,
  description: "v1.1 has been released",
  name: "v1.1",
  tag: "v1.1",
  object_kind: "release",
  project: { ...project, path_with_namespace: "gitlab-org/release-webhook-example" },
  url: "https://example.com/gitlab-org/release-webhook-example/-/releases/v1.1",
  action: "create",
};

const subgroup = {
  created_at: "2021-01-20T09:40:12Z",
  event_name: "subgroup_create",
  name: "subgroup1",
  path: "subgroup1",
  full_path: "group1/subgroup1",
  group_id: 10,
  parent_full_path: "group1",
};

export const gitlabSamples: readonly ListenerSample[] = [
  {
    title: "a push",
    headers: { ...SENT, "X-Gitlab-Event": "Push Hook" },
    body: () => JSON.stringify(push),
    reads: {
      kind: "event",
      event: {
        name: "push",
        action: null,
        summary: "mike/diaspora: push, master, by jsmith",
        dedupe_key: SENT["Idempotency-Key"],
        fields: { project: "mike/diaspora", user: "jsmith", branch: "master", brings_commits: true },
      },
      context: ["Branch: master", "4 in all", "b6568db1bc1d Update Catalan translation to e38cb41. (Jordi Mallach)"],
      paths: { ref: "refs/heads/master", "commits.1.author.name": "GitLab dev user", total_commits_count: 4 },
    },
  },
  {
    title: "the end of a branch",
    headers: { ...SENT, "X-Gitlab-Event": "Push Hook" },
    body: () => JSON.stringify({ ...push, after: "0".repeat(40), commits: [], total_commits_count: 0 }),
    reads: {
      kind: "event",
      event: {
        name: "push",
        summary: "mike/diaspora: push, master deleted, by jsmith",
        fields: { brings_commits: false },
      },
      context: ["About: master deleted"],
    },
  },
  {
    title: "a tag",
    headers: { ...SENT, "X-Gitlab-Event": "Tag Push Hook" },
    body: () => JSON.stringify({ ...push, object_kind: "tag_push", event_name: "tag_push", ref: "refs/tags/v1.0.0" }),
    reads: { kind: "event", event: { name: "tag_push", fields: { branch: "v1.0.0" } }, context: ["Branch: v1.0.0"] },
  },
  {
    title: "a merge request",
    headers: { ...SENT, "X-Gitlab-Event": "Merge Request Hook" },
    body: () => JSON.stringify(mergeRequest),
    reads: {
      kind: "event",
      event: {
        name: "merge_request",
        action: "open",
        summary: "gitlabhq/gitlab-test: merge request open, !1 MS-Viewport, by root",
        fields: {
          action: "open",
          branch: "ms-viewport",
          target_branch: "master",
          conversation: "gitlabhq/gitlab-test!1",
          brings_commits: true,
          labels: ["API"],
        },
      },
      context: [
        "Event: merge_request open",
        "Address: http://example.com/diaspora/merge_requests/1",
        "Target branch: master",
        "Labels: API",
        "Commit: da1560886d4f094c3e6c9ef40349f7d38b5d27d7",
      ],
      paths: { "object_attributes.draft": false, "changes.draft.previous": true },
    },
  },
  {
    title: "new commits of a merge request, which an update with oldrev tells",
    headers: { ...SENT, "X-Gitlab-Event": "Merge Request Hook" },
    body: () => JSON.stringify(updated({ oldrev: "e59094b8de0f2f91abbe4760a52d9137260252d8" })),
    reads: {
      kind: "event",
      event: { name: "merge_request", action: "update", fields: { brings_commits: true } },
      context: [],
    },
  },
  {
    title: "another label of a merge request, which is an update too",
    headers: { ...SENT, "X-Gitlab-Event": "Merge Request Hook" },
    body: () => JSON.stringify(updated({})),
    reads: {
      kind: "event",
      event: { name: "merge_request", action: "update", fields: { brings_commits: false } },
      context: [],
    },
  },
  {
    title: "an issue",
    headers: { ...SENT, "X-Gitlab-Event": "Issue Hook" },
    body: () => JSON.stringify(issue),
    reads: {
      kind: "event",
      event: {
        name: "issue",
        action: "open",
        summary: "gitlabhq/gitlab-test: issue open, #23 New API: create/update/delete file, by root",
        fields: { conversation: "gitlabhq/gitlab-test#23" },
      },
      context: ["Description: Create new API for manipulations with repository", "State: opened"],
      paths: { "object_attributes.severity": "high" },
    },
  },
  {
    title: "a comment on a merge request",
    headers: { ...SENT, "X-Gitlab-Event": "Note Hook" },
    body: () => JSON.stringify(note),
    reads: {
      kind: "event",
      event: {
        name: "note",
        action: "create",
        fields: { target_branch: "markdown", conversation: "gitlabhq/gitlab-test!1" },
      },
      context: [
        "Comment: This MR needs work.",
        "About: !1 Tempora et eos debitis quae laborum et.",
        "On: http://example.com/gitlab-org/gitlab-test/merge_requests/1",
      ],
      paths: { "object_attributes.noteable_type": "MergeRequest" },
    },
  },
  {
    title: "a pipeline that failed",
    headers: { ...SENT, "X-Gitlab-Event": "Pipeline Hook" },
    body: () => JSON.stringify(pipeline),
    reads: {
      kind: "event",
      event: {
        name: "pipeline",
        action: null,
        summary: "gitlabhq/gitlab-test: pipeline failed, #31 on master, by root",
        fields: { status: "failed", branch: "master" },
      },
      context: ["Failed jobs: test/test-image: script_failure", "Commit: bcbb5ec396a2c0f828686f14fac9b80b780504f2"],
    },
  },
  {
    title: "a release, whose action stands at the top",
    headers: { ...SENT, "X-Gitlab-Event": "Release Hook" },
    body: () => JSON.stringify(release),
    reads: {
      kind: "event",
      event: { name: "release", action: "create", summary: "gitlab-org/release-webhook-example: release create, v1.1" },
      context: ["Description: v1.1 has been released"],
    },
  },
  {
    title: "a group's event, which has no object_kind",
    headers: { ...SENT, "X-Gitlab-Event": "Subgroup Hook" },
    body: () => JSON.stringify(subgroup),
    reads: {
      kind: "event",
      event: { name: "subgroup_create", summary: "group1/subgroup1: subgroup create, subgroup1" },
      context: ["Project: group1/subgroup1"],
    },
  },
  {
    title: "a body of one's own, from a custom template",
    headers: { ...SENT, "X-Gitlab-Event": "Merge Request Hook" },
    body: () => '{"event":"mr","where":"gitlabhq/gitlab-test"}',
    reads: { kind: "event", event: { name: "merge_request", action: null }, context: [], paths: { event: "mr" } },
  },
  {
    title: "a list, which a custom template can make",
    headers: { ...SENT, "X-Gitlab-Event": "Push Hook" },
    body: () => "[1]",
    reads: { kind: "unreadable", reason: /not a JSON object/ },
  },
  {
    title: "a body that names no event, from a proxy that drops headers",
    body: () => '{"hello":"world"}',
    reads: { kind: "unreadable", reason: /names an event/ },
  },
];
