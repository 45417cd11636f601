/** What GitLab sends on retry, edit and delete, the most, and the rarest. */
import type { SourceSends } from "./listener-case.ts";

const PAGE = "https://docs.gitlab.com/user/project/integrations/webhooks/";
const EVENTS = "https://docs.gitlab.com/user/project/integrations/webhook_events/";
const HEADERS = {
  "Content-Type": "application/json",
  "User-Agent": "GitLab/19.2.0",
  "Idempotency-Key": "a5461c4d-9c7f-4af9-add6-cddebe3c426f",
};
const ABOUT = { user: { username: "root" }, project: { path_with_namespace: "gitlabhq/gitlab-test" } };

export const gitlabSends: SourceSends = {
  onRetry: {
    page: `${PAGE}#delivery-headers`,
    title: "the same delivery, by hand or by itself, under another id of the request",
    headers: { ...HEADERS, "X-Gitlab-Event": "Push Hook", "X-Gitlab-Webhook-UUID": "2" },
    first: { headers: { ...HEADERS, "X-Gitlab-Event": "Push Hook", "X-Gitlab-Webhook-UUID": "1" } },
    body: () => JSON.stringify({ ...ABOUT, object_kind: "push", ref: "refs/heads/main" }),
    reads: { kind: "event", event: { name: "push", dedupe_key: HEADERS["Idempotency-Key"] }, context: [] },
    knownBy: "id",
  },
  onEdit: {
    page: `${EVENTS}#comment-events`,
    title: "a changed comment",
    headers: { ...HEADERS, "X-Gitlab-Event": "Note Hook" },
    body: () =>
      JSON.stringify({
        ...ABOUT,
        object_kind: "note",
        object_attributes: { id: 1244, note: "As I meant to say", noteable_type: "Issue", action: "update" },
        issue: { iid: 23, title: "New API" },
      }),
    reads: {
      kind: "event",
      event: { name: "note", action: "update", summary: "gitlabhq/gitlab-test: note update, #23 New API, by root" },
      context: ["Comment: As I meant to say"],
    },
  },
  onDelete: {
    page: `${EVENTS}#release-events`,
    title: "a deleted release",
    headers: { ...HEADERS, "X-Gitlab-Event": "Release Hook" },
    body: () => JSON.stringify({ ...ABOUT, object_kind: "release", name: "v1.1", tag: "v1.1", action: "delete" }),
    reads: {
      kind: "event",
      event: { name: "release", action: "delete", summary: "gitlabhq/gitlab-test: release delete, v1.1, by root" },
      context: [],
    },
  },
  largest: {
    page: "https://docs.gitlab.com/administration/instance_limits/#webhook-limits",
    title: "twenty commits with all their files; of GitLab's limit of 25 MB the fifth that an endpoint takes",
    headers: { ...HEADERS, "X-Gitlab-Event": "Push Hook" },
    body: () =>
      JSON.stringify({
        ...ABOUT,
        object_kind: "push",
        ref: "refs/heads/main",
        total_commits_count: 20,
        commits: Array.from({ length: 20 }, (_, commit) => ({
          id: String(commit).repeat(20),
          title: `Commit ${commit}`,
          modified: Array.from({ length: 5_000 }, (_, file) => `packages/app/src/lib/folder/of/files/file-${file}.ts`),
        })),
      }),
    bytes: 4_500_000,
    reads: {
      kind: "event",
      event: { name: "push", fields: { branch: "main", project: "gitlabhq/gitlab-test", user: "root" } },
      context: ["Commit 0", "Commit 19"],
      paths: { "commits.19.modified.4999": "packages/app/src/lib/folder/of/files/file-4999.ts" },
    },
  },
  rarestEncoding: {
    page: `${PAGE}#custom-webhook-template`,
    title: "a body of one's own, which is called JSON and names its event in the header alone, in decomposed letters",
    headers: { ...HEADERS, "X-Gitlab-Event": "Confidential Issue Hook" },
    body: () => '\ufeff{"where":"gitlabhq/cafe\u0301","id":7654321098765432101}',
    reads: {
      kind: "event",
      event: { name: "confidential_issue", action: null },
      context: [],
      paths: { id: "7654321098765432101" },
    },
  },
};
