/** What GitHub's GraphQL API answers to gh's documents about `acme/app`, as far as gh needs it. *Documented*. */
import { crc32 } from "node:zlib";
import { GITHUB_URL, type WorkerGithub } from "./worker-github.ts";

const AT = "2026-11-20T10:00:00Z";
const NOTHING = { nodes: [], totalCount: 0, pageInfo: {} };
const APP = { id: "R_app", name: "app", nameWithOwner: "acme/app", owner: { login: "acme" }, hasIssuesEnabled: true };
const REPOSITORY = {
  ...APP,
  viewerPermission: "WRITE",
  defaultBranchRef: { name: "main" },
  description: "An app",
};
const CHECK = {
  ...{ __typename: "CheckRun", name: "build", status: "COMPLETED", conclusion: "FAILURE", isRequired: true },
  ...{ startedAt: AT, completedAt: AT, detailsUrl: `${GITHUB_URL}/actions/runs/5/job/9` },
  checkSuite: { workflowRun: { event: "push", workflow: { name: "CI" } } },
};
const CHECKS = { contexts: { nodes: [CHECK], totalCount: 1, pageInfo: { hasNextPage: false } } };

/** A pull request is from this branch. @returns what answers a document, by its operation. */
export function ghAnswers(behind: WorkerGithub, branch: string) {
  const { pulls, issues } = behind.github.repository;
  const of = (one: { number: number; title: string; body: string }, type: string) => ({
    ...one,
    ...{ __typename: type, id: `${type}_${one.number}`, state: "OPEN", createdAt: AT, updatedAt: AT },
    ...{ comments: NOTHING, labels: NOTHING, assignees: NOTHING, reviews: NOTHING, author: { login: "ada" } },
    ...{ headRefName: branch, baseRefName: "main", isDraft: false, headRepositoryOwner: { login: "acme" } },
    url: `${GITHUB_URL}/${type === "Issue" ? "issues" : "pull"}/${one.number}`,
    commits: { totalCount: 1, nodes: [] },
    statusCheckRollup: { nodes: [{ commit: { oid: "a".repeat(40), statusCheckRollup: CHECKS } }] },
  });
  const said = (body: string) => ({
    ...{ id: "C_1", body, author: { login: "ada" }, authorAssociation: "MEMBER", createdAt: AT, url: GITHUB_URL },
    ...{ includesCreatedEdit: false, isMinimized: false, reactionGroups: [], viewerDidAuthor: false },
  });
  return (operation: string, { id, number, pr_number }: Record<string, unknown>): unknown => {
    const shown = pulls.map(({ head: _head, base: _base, labels: _labels, ...pull }) => of(pull, "PullRequest"));
    const review = {
      ...{ id: "R_1", body: "The review.", author: { login: "ada" }, authorAssociation: "MEMBER", submittedAt: AT },
      ...{ includesCreatedEdit: false, reactionGroups: [], state: "COMMENTED", url: GITHUB_URL, commit: { oid: "a" } },
    };
    const page = { nodes: [said("The second page.")], pageInfo: { hasNextPage: false } };
    switch (operation) {
      case "":
        if (id === "R_app") return { node: { nameWithOwner: "acme/app" } };
        // Of a public repository, which every token opens.
        if (id === "Issue_public") return { node: { number: 1, repository: { nameWithOwner: "other/public" } } };
        return { node: { number: Number(String(id).split("_")[1]), repository: { nameWithOwner: "acme/app" } } };
      case "PullRequestList":
        return { repository: { pullRequests: { ...NOTHING, totalCount: shown.length, nodes: shown } } };
      case "PullRequestSearch":
      case "IssueSearch":
        return { repository: { hasIssuesEnabled: true }, search: { ...NOTHING, issueCount: 0 } };
      case "PullRequestStatus": {
        const edges = shown.map((node) => ({ node }));
        const found = { totalCount: edges.length, edges };
        return { repository: { ...REPOSITORY, pullRequests: found }, viewerCreated: found, reviewRequested: found };
      }
      case "PullRequestByNumber": {
        const found = shown.find((pull) => pull.number === pr_number);
        const more = {
          nodes: [said("The first page.")],
          totalCount: 2,
          pageInfo: { hasNextPage: true, endCursor: "c" },
        };
        return {
          repository: {
            pullRequest: found === undefined ? null : { ...found, comments: more, reviews: { ...more, nodes: [] } },
          },
        };
      }
      case "PullRequestForBranch":
        return { repository: { pullRequests: { nodes: shown }, defaultBranchRef: { name: "main" } } };
      case "PullRequestForRun":
        return { repository: { pullRequests: { nodes: shown } } };
      case "PullRequestStatusChecks":
        return { node: of({ number: 2, title: "", body: "" }, "PullRequest") };
      case "IssueByNumber": {
        const found = issues.find((issue) => issue.number === number);
        return { repository: { hasIssuesEnabled: true, issue: found === undefined ? null : of(found, "Issue") } };
      }
      case "CommentsForIssue":
      case "CommentsForPullRequest":
        return { node: { comments: page } };
      case "ReviewsForPullRequest":
        return { node: { reviews: { nodes: [review], pageInfo: { hasNextPage: false } } } };
      case "IssueList": {
        const nodes = issues.map((issue) => of(issue, "Issue"));
        return { repository: { hasIssuesEnabled: true, issues: { ...NOTHING, nodes } } };
      }
      case "RepositoryReleaseList": {
        const release = { name: "First", tagName: "v1.0.0", isLatest: true, publishedAt: AT, createdAt: AT };
        return { repository: { releases: { nodes: [release], pageInfo: {} } } };
      }
      case "PullRequest_fields":
      case "PullRequest_fields2":
        return {};
      default:
        return { repository: REPOSITORY };
    }
  };
}

/** An archive as GitHub sends the logs of a run: files, none of them compressed. */
export function zipOf(files: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const parts: Buffer[] = [];
  const index: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const [title, data] = [Buffer.from(name), Buffer.from(text)];
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt32LE(crc32(data), 10);
    facts.writeUInt32LE(data.length, 14);
    facts.writeUInt32LE(data.length, 18);
    facts.writeUInt16LE(title.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), facts, title, data]);
    const places = Buffer.alloc(14);
    places.writeUInt32LE(offset, 10);
    index.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), facts, places, title]));
    parts.push(local);
    offset += local.length;
  }
  const listed = Buffer.concat(index);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(index.length, 4);
  end.writeUInt16LE(index.length, 6);
  end.writeUInt32LE(listed.length, 8);
  end.writeUInt32LE(offset, 12);
  return new Uint8Array(Buffer.concat([...parts, listed, Buffer.from("PK\x05\x06"), end]));
}
