/** The tools of the server `github` that read. Shapes of requests and answers are GitHub's REST API's (*documented*). */
import { z } from "zod";
import { type Result, success } from "#protocol/errors.ts";
import type { GithubRead } from "#protocol/github-deed.ts";
import { withoutSense } from "#worker/github/github-api.ts";
import type { Purpose } from "#worker/github/installation-tokens.ts";
import { bounded, forAgent, listed, partOf } from "./for-agent.ts";
import type { GithubPlace } from "./github-calls.ts";
import type { GithubWork } from "./github-work.ts";
import { readLogEnd } from "./read-log.ts";
import { defineTool, number, page, type Tool } from "./tool.ts";

const PER_PAGE = 30;
const ISSUE = "GET /repos/{owner}/{repo}/issues/{issue_number}";
const PULL = "GET /repos/{owner}/{repo}/pulls/{pull_number}";
const COMMIT = "GET /repos/{owner}/{repo}/commits/{ref}";

/** A ref as git allows it: a path of GitHub's API with dots alone would be another path. */
const ref = z
  .string()
  .min(1)
  .max(300)
  .refine((name) => !/^\.+$/.test(name), "must be a branch, tag or commit");
const state = z.enum(["open", "closed", "all"]).default("open");

/** Where the parts of a pull request are that are lists. */
const PARTS = {
  files: `${PULL}/files`,
  commits: `${PULL}/commits`,
  reviews: `${PULL}/reviews`,
  review_comments: `${PULL}/comments`,
  comments: `${ISSUE}/comments`,
} as const;

export const readTools: Record<GithubRead, Tool> = {
  list_issues: defineTool(
    "List issues of a repository, newest first, without pull requests.",
    { state, labels: z.array(z.string().max(100)).max(20).optional(), page },
    async (work, place, { labels, ...rest }) => {
      const given = { ...rest, ...(labels === undefined ? {} : { labels: labels.join(",") }) };
      return await list(work, place, "issues", "GET /repos/{owner}/{repo}/issues", given, isIssue);
    },
  ),
  read_issue: defineTool(
    "Read an issue, or a pull request's conversation: its text on page 1, and its comments, oldest first.",
    { number, page },
    async (work, place, { number: issue_number, page: wanted }) => {
      const comments = await list(work, place, "issues", `${ISSUE}/comments`, { issue_number, page: wanted });
      if (!comments.ok || wanted > 1) return comments;
      const issue = await work.ask(place, "issues", ISSUE, { issue_number });
      return issue.ok ? success(bounded(`${shown(issue.value.data)}\nComments. ${comments.value}`)) : issue;
    },
  ),
  list_pull_requests: defineTool(
    "List pull requests of a repository, newest first. head is a branch of the repository itself.",
    { state, base: ref.optional(), head: ref.optional(), page },
    async (work, place, { head, ...rest }) => {
      const given = { ...rest, ...(head === undefined ? {} : { head: `${place.owner}:${head}` }) };
      return await list(work, place, "pulls", "GET /repos/{owner}/{repo}/pulls", given);
    },
  ),
  read_pull_request: defineTool(
    "Read a part of a pull request: overview, diff, files (with patches), commits, comments (of the conversation), reviews, or " +
      "review_comments (on lines).",
    {
      number,
      part: z
        .enum(["overview", "diff", "files", "commits", "comments", "reviews", "review_comments"])
        .default("overview"),
      page,
    },
    async (work, place, { number: pull_number, part, page: wanted }) => {
      if (part === "overview") {
        const pull = await work.ask(place, "pulls", PULL, { pull_number });
        return pull.ok ? success(bounded(shown(pull.value.data))) : pull;
      }
      if (part === "diff") {
        const headers = { accept: "application/vnd.github.diff" };
        const diff = await work.ask(place, "pulls", PULL, { pull_number, headers });
        return diff.ok ? success(partOf(String(diff.value.data), wanted)) : diff;
      }
      const given = { pull_number, issue_number: pull_number, page: wanted };
      return await list(work, place, part === "comments" ? "issues" : "pulls", PARTS[part], given);
    },
  ),
  read_checks: defineTool(
    "Read the checks and commit statuses of a commit, branch or tag: the newest of each name.",
    { ref, page },
    async (work, place, { ref: of, page: wanted }) => {
      const checks = await list(work, place, "checks", `${COMMIT}/check-runs`, { ref: of, page: wanted });
      if (!checks.ok || wanted > 1) return checks;
      const statuses = await work.ask(place, "statuses", `${COMMIT}/status`, { ref: of });
      const told = statuses.ok ? shown(statuses.value.data) : `Not read: ${statuses.refusal.message ?? "no access"}`;
      return success(bounded(`Checks. ${checks.value}\nCommit statuses. ${told}`));
    },
  ),
  list_workflow_runs: defineTool(
    "List runs of GitHub Actions, newest first; with run_id the jobs of one run, with their steps.",
    { branch: ref.optional(), run_id: number.optional(), page },
    async (work, place, { run_id, ...rest }) =>
      run_id === undefined
        ? await list(work, place, "actions", "GET /repos/{owner}/{repo}/actions/runs", rest)
        : await list(work, place, "actions", "GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs", {
            run_id,
            page: rest.page,
          }),
  ),
  read_job_log: defineTool(
    "Read the end of the log of a job of GitHub Actions, where what failed stands.",
    { job_id: number },
    async (work, place, { job_id }) => {
      const log = await readLogEnd(work, place, job_id);
      return log.ok ? success(bounded(log.value)) : log;
    },
  ),
  read_file: defineTool(
    "Read a file of a repository at a branch, tag or commit, or list a folder. What is cloned is read faster in the workspace.",
    { path: z.string().max(2_000).default(""), ref: ref.optional(), page },
    async (work, place, { path, ref: at, page: wanted }) => {
      // Each segment by itself: a path can't lead out of the repository's contents.
      const segments = path.split("/").filter((part) => part !== "" && part !== "." && part !== "..");
      const route = `GET /repos/{owner}/{repo}/contents/${segments.map(encodeURIComponent).join("/")}`;
      const headers = { accept: "application/vnd.github.raw+json" };
      const file = await work.ask(place, "read", route, { headers, ...(at === undefined ? {} : { ref: at }) });
      if (!file.ok) return file;
      const { data } = file.value;
      return success(typeof data === "string" ? partOf(data, wanted) : bounded(shown(data)));
    },
  ),
  list_releases: defineTool(
    "List releases of a repository, newest first; with tag the one of that tag.",
    { tag: ref.optional(), page },
    async (work, place, { tag, page: wanted }) => {
      if (tag === undefined)
        return await list(work, place, "read", "GET /repos/{owner}/{repo}/releases", { page: wanted });
      const release = await work.ask(place, "read", "GET /repos/{owner}/{repo}/releases/tags/{tag}", { tag });
      return release.ok ? success(bounded(shown(release.value.data))) : release;
    },
  ),
};

/** Lists of GitHub's are arrays, or lie in an object beside their count. */
const listsSchema = z.union([
  z.array(z.unknown()),
  z.object({ check_runs: z.array(z.unknown()) }).transform((one) => one.check_runs),
  z.object({ workflow_runs: z.array(z.unknown()) }).transform((one) => one.workflow_runs),
  z.object({ jobs: z.array(z.unknown()) }).transform((one) => one.jobs),
]);

async function list(
  work: GithubWork,
  place: GithubPlace,
  purpose: Purpose,
  route: string,
  given: Record<string, unknown> & { page: number },
  isWanted: (item: unknown) => boolean = () => true,
): Promise<Result<string>> {
  const answer = await work.ask(place, purpose, route, { per_page: PER_PAGE, ...given });
  if (!answer.ok) return answer;
  const items = listsSchema.safeParse(answer.value.data);
  if (!items.success) return withoutSense();
  return success(listed(items.data.filter(isWanted), given.page, answer.value.hasMore));
}

/** GitHub lists pull requests among issues. */
function isIssue(item: unknown): boolean {
  return typeof item === "object" && item !== null && !("pull_request" in item);
}

function shown(data: unknown): string {
  return JSON.stringify(forAgent(data), null, 1);
}
