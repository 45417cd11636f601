/** What Bitbucket Cloud sends, as its documentation shows it; long bodies are shortened. */
import { bitbucket } from "#worker/inbound/sources/bitbucket.ts";
import type { ListenerCase, ListenerSample, SourceSends } from "./listener-case.ts";
import { sampleOf } from "./sample-of.ts";
import { hmacHex } from "./signing.ts";

const UUID = "5b2f6f0a-3a5b-4dd0-9d41-0c5d0c8ba0e1";
const headersOf = (event: string, attempt = 1, uuid = UUID) => ({
  "content-type": "application/json; charset=UTF-8",
  "user-agent": "Bitbucket-Webhooks/2.0",
  "x-event-key": event,
  "x-hook-uuid": "e7a3a1c6-7a4e-4f3a-8e41-4c1d7d6f1a0b",
  "x-request-uuid": uuid,
  "x-attempt-number": String(attempt),
  "x-event-time": "Fri, 20 Nov 2026 09:30:00 GMT",
});

const actor = {
  type: "user",
  display_name: "Emma",
  nickname: "emmap1",
  uuid: "{a54f16da-24e9-4d7f-a3a7-b1ba2cd98aa3}",
};
const repository = {
  type: "repository",
  name: "repo_name",
  full_name: "team_name/repo_name",
  uuid: "{673a6070-3421-46c9-9d48-90745f7bfe8e}",
  is_private: true,
  links: { html: { href: "https://bitbucket.org/team_name/repo_name" } },
};
const HASH = "03f4a7270240708834de475bcf21532d6134777e";
const branch = (name: string, hash: string) => ({ type: "branch", name, target: { type: "commit", hash } });
const change = {
  new: branch("main", HASH),
  old: branch("main", "1e65c05c1d5171631d92438a13901ca7dae9618c"),
  links: { html: { href: "https://bitbucket.org/team_name/repo_name/branches/compare/c..d" } },
  created: false,
  forced: false,
  closed: false,
  commits: [{ hash: HASH, type: "commit", message: "Mend the door\n\nIt squeaked.", author: actor }],
  truncated: false,
};
const pullrequest = {
  id: 1,
  title: "Title of pull request",
  description: "Description of pull request",
  state: "OPEN",
  draft: false,
  author: actor,
  source: { branch: { name: "branch2" }, commit: { hash: "d3022fc0ca3d" }, repository },
  destination: { branch: { name: "main" }, commit: { hash: "ce5965ddd289" }, repository },
  links: { html: { href: "https://bitbucket.org/team_name/repo_name/pull-requests/1" } },
};
const push = (changes: unknown[]) => () => JSON.stringify({ actor, repository, push: { changes } });

const samples: ListenerSample[] = [
  {
    title: "a push (Event payloads, repo:push)",
    headers: headersOf("repo:push"),
    body: push([change]),
    reads: {
      kind: "event",
      event: {
        name: "repo:push",
        action: null,
        summary: "team_name/repo_name: repo:push, main, by Emma",
        dedupe_key: UUID,
        fields: { repository: "team_name/repo_name", user: "Emma", branch: "main" },
      },
      context: ["Branch: main", `Commit: ${HASH}`, "Commits: 03f4a7270240 Mend the door"],
      absent: ["sha256="],
      paths: { "push.changes.0.forced": false },
    },
  },
  {
    title: "the same push a second time",
    headers: headersOf("repo:push", 2),
    body: push([change]),
    reads: { kind: "event", event: { name: "repo:push", dedupe_key: UUID }, context: [] },
  },
  {
    title: "a branch that was deleted",
    headers: headersOf("repo:push"),
    body: push([{ ...change, new: null, closed: true, commits: [] }]),
    reads: {
      kind: "event",
      event: { name: "repo:push", fields: { branch: "main" } },
      context: ["Deleted: main"],
    },
  },
  {
    title: "a push of many branches and long messages, the largest form",
    headers: headersOf("repo:push"),
    body: push(Array(5).fill({ ...change, commits: Array(5).fill({ hash: HASH, message: "x".repeat(20_000) }) })),
    reads: { kind: "event", event: { name: "repo:push" }, context: ["Branch: main"] },
  },
  {
    title: "a new pull request (Event payloads, pullrequest:created)",
    headers: headersOf("pullrequest:created"),
    body: () => JSON.stringify({ actor, repository, pullrequest }),
    reads: {
      kind: "event",
      event: {
        name: "pullrequest:created",
        summary: "team_name/repo_name: pullrequest:created, #1 Title of pull request, by Emma",
        fields: {
          repository: "team_name/repo_name",
          user: "Emma",
          branch: "branch2",
          target_branch: "main",
          title: "Title of pull request",
          state: "OPEN",
        },
      },
      context: [
        "About: #1 Title of pull request",
        "Address: https://bitbucket.org/team_name/repo_name/pull-requests/1",
        "Commit: d3022fc0ca3d",
        "Description: Description of pull request",
      ],
      paths: { "pullrequest.draft": false },
    },
  },
  {
    title: "a comment that was changed (Event payloads, pullrequest:comment_updated), beyond ASCII",
    headers: headersOf("pullrequest:comment_updated"),
    body: () =>
      JSON.stringify({
        actor,
        repository,
        pullrequest,
        comment: { id: 17, content: { raw: "Sí, “así” 🎺" }, links: { html: { href: "https://bitbucket.org/c/17" } } },
      }),
    reads: {
      kind: "event",
      event: { name: "pullrequest:comment_updated", fields: { comment: "Sí, “así” 🎺" } },
      context: ["Comment: Sí, “así” 🎺", "Address: https://bitbucket.org/c/17"],
    },
  },
  {
    title: "a build that failed (Event payloads, repo:commit_status_updated)",
    headers: headersOf("repo:commit_status_updated"),
    body: () =>
      JSON.stringify({
        actor,
        repository,
        commit_status: {
          name: "Unit Tests (Python)",
          key: "mybuildtool",
          state: "FAILED",
          url: "https://ci.example/1",
        },
      }),
    reads: {
      kind: "event",
      event: {
        name: "repo:commit_status_updated",
        summary: "team_name/repo_name: repo:commit_status_updated, Unit Tests (Python), by Emma",
        fields: { state: "FAILED" },
      },
      context: ["Address: https://ci.example/1"],
    },
  },
  { title: "no event's key", body: push([change]), reads: { kind: "unreadable", reason: /X-Event-Key/ } },
  {
    title: "no JSON",
    headers: headersOf("repo:push"),
    body: () => "hello",
    reads: { kind: "unreadable", reason: /JSON/ },
  },
];

const PAGE = "https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/";
const of = (title: string) => sampleOf(samples, title, PAGE);
const sends: SourceSends = {
  onRetry: { ...of("the same push"), first: { headers: headersOf("repo:push") }, knownBy: "id" },
  onEdit: of("a build that failed"),
  onDelete: of("a branch that was deleted"),
  largest: { ...of("a push of many branches"), bytes: 500_000 },
  rarestEncoding: of("a comment that was changed"),
};

export const bitbucketCase: ListenerCase = {
  listener: bitbucket,
  documentation: [
    "https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/",
    "https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/",
  ],
  secrets: ["It's a Secret to Everybody", "another secret of the repository"],
  signature: { header: "x-hub-signature", prefix: "sha256=", encoding: "hex" },
  coversBody: true,
  windowSeconds: null,
  async sign(body, secret) {
    return { "x-hub-signature": `sha256=${await hmacHex(secret, body)}` };
  },
  samples,
  sends,
  vectors: [
    {
      source: '"Manage webhooks", under "Secure webhooks": its test of an implementation',
      headers: { "X-Hub-Signature": "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9" },
      body: "Hello World!",
      secrets: ["It's a Secret to Everybody"],
      atMs: 0,
    },
  ],
};
