/** Pull requests from what a session has pushed, as a person would press it. */
import { refuse, success } from "#protocol/errors.ts";
import { openedPullRequestSchema, pullRequestInputSchema, pullRequestListSchema } from "#protocol/pull-request.ts";
import { actorOf } from "../auth/authenticate.ts";
import { openPullRequest } from "../github/open-pull-request.ts";
import { endpoint } from "../http/endpoint.ts";
import { type App, baseUrl } from "../http/http-env.ts";
import { sessionParams } from "./inputs.ts";

const PATH = "/api/v1/sessions/{id}/pull-requests";

export function mountPullRequests(app: App): void {
  endpoint(
    app,
    {
      method: "post",
      path: PATH,
      tag: "Sessions",
      id: "openPullRequest",
      refuses: [
        "pull_request_without_branch",
        "pull_request_without_app",
        "pull_request_elsewhere",
        "pull_request_refused",
        "github_app_not_installed",
        "github_app_suspended",
        "github_repository_not_selected",
        "github_app_lacks_permission",
        "github_app_key_refused",
        "github_unreachable",
        "secret_unreadable",
      ],
      summary: "Open a pull request from a branch that the session has pushed",
      description:
        "The instance's GitHub App opens it. One that is open from the branch already is found instead, so that repeating this is safe.",
      needs: "runs:write",
      params: sessionParams,
      body: { schema: pullRequestInputSchema, optional: true },
      answer: { status: 200, schema: openedPullRequestSchema },
    },
    async ({ c, principal, params, body }) => {
      if (principal === null) return refuse("authentication_required");
      const { deps } = c.var;
      const owner = deps.ownerOf(params.id);
      const plan = await owner.beginPullRequest(body, actorOf(principal), `${baseUrl(c)}/sessions/${params.id}`);
      if (!plan.ok) return plan;
      const opened = await openPullRequest(deps, plan.value, Date.now());
      if (!opened.ok) return opened;
      const { repository, branch, run_id } = plan.value;
      const { pull, wasOpen } = opened.value;
      const seen = { repository, branch, base: pull.base.ref, number: pull.number, url: pull.html_url };
      const noted = await owner.endPullRequest(seen);
      if (!noted.ok) return noted;
      return success({ ...seen, title: pull.title, draft: pull.draft ?? false, run_id, was_open: wasOpen });
    },
  );
  endpoint(
    app,
    {
      method: "get",
      path: PATH,
      tag: "Sessions",
      id: "listPullRequests",
      summary: "List the pull requests that people have asked for",
      needs: "runs:read",
      params: sessionParams,
      answer: { status: 200, schema: pullRequestListSchema },
    },
    async ({ c, params }) => c.var.deps.ownerOf(params.id).pullRequests(),
  );
}
