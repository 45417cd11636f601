/**
 * `acme/app` at GitHub, in memory: its issues, pull requests and what is said there. *Documented*: the shapes are those of
 * `@octokit/openapi-types`, checked against them as far as they are answered.
 */
import type { components } from "@octokit/openapi-types";

type Schemas = components["schemas"];
/** Of a published shape what is answered: each part of it has the published type, in whatever depth. */
type Part<Whole> = Whole extends readonly (infer Item)[]
  ? Part<Item>[]
  : Whole extends object
    ? { [Key in keyof Whole]?: Part<Whole[Key]> }
    : Whole;
export type Shown<Name extends keyof Schemas> = Part<Schemas[Name]>;

export interface FakePull extends Shown<"pull-request"> {
  number: number;
  html_url: string;
  title: string;
  body: string;
  draft: boolean;
  head: { ref: string; sha: string; repo: { full_name: string } };
  base: { ref: string };
  state: "open" | "closed";
  labels: { name: string }[];
  requested_reviewers: { login: string }[];
}

/** What is said there, with an id, an address and an author as GitHub gives them. */
interface Said {
  id: number;
  html_url: string;
  body: string;
  user: { login: string; type: string };
}
type FakeComment = Said & Shown<"issue-comment">;
/** The event and the comments on lines are as they were asked for; GitHub answers them elsewhere. */
type FakeReview = Said & Shown<"pull-request-review"> & { event?: string; comments?: object[] };
type FakeIssue = Said & Shown<"issue"> & { number: number; title: string };

export interface RepositoryRequest {
  method: string;
  pathname: string;
  search: string;
  text: string;
  accept: string;
  /** What the token may do. */
  permissions: Record<string, string>;
}

const HOME = "https://github.com/acme/app";
const BOT = { login: "reveille-test[bot]", type: "Bot" };
const SHA = "a".repeat(40);
/** Of GitHub's own: nothing inside may see them. */
export const CLONE_TOKEN = "canary-clone-token";
const LOG_SIGNATURE = "canary-log-signature";

export class FakeRepository {
  readonly pulls: FakePull[] = [];
  readonly branches = new Set(["main"]);
  readonly issues: FakeIssue[] = [];
  /** By the number of their issue or pull request. */
  readonly comments = new Map<number, FakeComment[]>();
  readonly reviews = new Map<number, FakeReview[]>();
  readonly diff = "diff --git a/README.md b/README.md\n+Hello.\n";
  readonly files = new Map([["README.md", "# App\n"]]);
  /** Answers of GraphQL, by the name of the operation. */
  graph: (operation: string, variables: Record<string, unknown>) => unknown = () => null;
  /** The address of the API, as its answers name it. */
  api = "https://api.github.com";
  /** Where logs lie: GitHub answers with an address that needs no token. */
  logsAt = "https://logs.test";
  #ids = 100;

  answer(request: RepositoryRequest): Response {
    const { method, pathname, search, text } = request;
    const path = pathname.replace(/^\/repos\/acme\/app/, "");
    const query = new URLSearchParams(search);
    if (pathname === "/graphql") return this.#graph(text);
    const body = text === "" ? {} : JSON.parse(text);
    const issue = Number(/^\/issues\/(\d+)/.exec(path)?.[1]);
    const pull = Number(/^\/pulls\/(\d+)/.exec(path)?.[1]);
    switch (`${method} ${path.replace(/\/\d+/, "/N")}`) {
      case "GET ":
        return shown<"full-repository">({
          default_branch: "main",
          full_name: "acme/app",
          node_id: "R_app",
          url: `${this.api}/repos/acme/app`,
          temp_clone_token: CLONE_TOKEN,
        });
      case "GET /pulls":
        return this.#listPulls(query);
      case "POST /pulls":
        return request.permissions["pull_requests"] === "write" ? this.#open(body) : lacking();
      case "GET /pulls/N":
        if (request.accept.includes("diff")) return new Response(this.diff);
        return found<"pull-request">(this.#pull(pull));
      case "PATCH /pulls/N": {
        const changed = this.#pull(pull);
        return found<"pull-request">(changed && Object.assign(changed, body));
      }
      case "GET /pulls/N/files":
        return page<"diff-entry">([{ filename: "README.md", status: "modified", patch: "+Hello." }], query);
      case "GET /pulls/N/commits":
        return page<"commit">([{ sha: SHA, commit: { message: "Mend it" } }], query);
      case "GET /pulls/N/comments":
        return page<"pull-request-review-comment">([{ id: 1, path: "README.md", body: "Say more." }], query);
      case "GET /pulls/N/reviews":
        return page<"pull-request-review">(this.reviews.get(pull) ?? [], query);
      case "POST /pulls/N/reviews":
        if (body.comments?.some(({ path: at }: { path: string }) => !this.files.has(at))) {
          return refused(422, "Unprocessable Entity", [{ message: "Path could not be resolved" }]);
        }
        return this.#say<"pull-request-review">(this.reviews, pull, `${HOME}/pull/${pull}#pullrequestreview-`, body);
      case "POST /pulls/N/requested_reviewers":
        this.#pull(pull)?.requested_reviewers.push(...body.reviewers.map((login: string) => ({ login })));
        return found<"pull-request-simple">(this.#pull(pull), 201);
      case "GET /issues":
        return page<"issue">(this.issues, query, this.api);
      case "POST /issues":
        return request.permissions["issues"] === "write" ? this.#openIssue(body) : lacking();
      case "GET /issues/N":
        return found<"issue">(this.#issue(issue) ?? asIssue(this.#pull(issue)));
      case "GET /issues/N/comments":
        return page<"issue-comment">(this.comments.get(issue) ?? [], query);
      case "POST /issues/N/comments":
        if (this.#issue(issue) === undefined && this.#pull(issue) === undefined) return refused(404, "Not Found");
        return this.#say<"issue-comment">(this.comments, issue, `${HOME}/issues/${issue}#issuecomment-`, body);
      case "POST /issues/N/labels":
        if (body.labels.includes("none"))
          return refused(422, "Validation Failed", [{ code: "custom", message: "no label" }]);
        this.#pull(issue)?.labels.push(...body.labels.map((name: string) => ({ name })));
        return page<"label">(this.#pull(issue)?.labels ?? [], query);
      default:
        return this.#ofCode(path, request);
    }
  }

  openIssue(title: string, body: string): FakeIssue {
    const number = this.#next();
    const issue = { id: number, number, title, body, state: "open", html_url: `${HOME}/issues/${number}`, user: BOT };
    this.issues.push(issue);
    return issue;
  }

  #ofCode(path: string, { accept }: RepositoryRequest): Response {
    const file = this.files.get(decodeURIComponent(path.replace("/contents/", "")));
    if (file !== undefined && accept.includes("raw"))
      return new Response(file, { headers: { "content-type": "text/plain" } });
    if (file !== undefined) {
      const download_url = `https://raw.githubusercontent.com/acme/app/main/README.md?token=${CLONE_TOKEN}`;
      return shown<"content-file">({ type: "file", name: "README.md", path: "README.md", download_url });
    }
    if (path.startsWith("/contents/")) return refused(404, "Not Found");
    if (/^\/commits\/.+\/check-runs$/.test(path)) {
      const check_runs: Shown<"check-run">[] = [
        { name: "build", status: "completed", conclusion: "failure", head_sha: SHA },
      ];
      return json({ total_count: 1, check_runs });
    }
    if (/^\/commits\/.+\/status$/.test(path)) {
      return shown<"combined-commit-status">({ state: "success", statuses: [] });
    }
    if (path === "/releases" || path === "/releases/tags/v1.0.0") {
      const release: Shown<"release"> = { tag_name: "v1.0.0", name: "First", body: "It begins." };
      return json(path === "/releases" ? [release] : release);
    }
    return this.#ofActions(path.replace(/^\/actions/, ""));
  }

  /** One run of one workflow, whose only job failed in its second step. */
  #ofActions(path: string): Response {
    const [at, url] = ["2026-11-20T10:00:00Z", `${this.api}/repos/acme/app/actions`];
    const run: Shown<"workflow-run"> = {
      ...{ id: 5, name: "CI", display_title: "Mend it", run_number: 1, run_attempt: 1, event: "push", workflow_id: 3 },
      ...{ status: "completed", conclusion: "failure", head_branch: "main", head_sha: SHA, check_suite_id: 4 },
      ...{ created_at: at, updated_at: at, run_started_at: at, jobs_url: `${url}/runs/5/jobs`, url: `${url}/runs/5` },
      ...{ html_url: `${HOME}/actions/runs/5`, head_commit: { message: "Mend it" }, pull_requests: [] },
      ...{ head_repository: { name: "app", owner: { login: "acme" } }, repository: { name: "app" } },
    };
    const [steps, ran] = [
      [
        { name: "Set up job", status: "completed" as const, conclusion: "success", number: 1 },
        { name: "Test", status: "completed" as const, conclusion: "failure", number: 2 },
      ],
      { started_at: at, completed_at: at },
    ];
    const job: Shown<"job"> = {
      ...{ id: 9, run_id: 5, name: "build", status: "completed", conclusion: "failure", head_sha: SHA, ...ran },
      ...{ url: `${url}/jobs/9`, html_url: `${HOME}/actions/runs/5/job/9` },
      ...{ check_run_url: `${this.api}/repos/acme/app/check-runs/9`, run_url: `${url}/runs/5`, steps },
    };
    const workflow: Shown<"workflow"> = { id: 3, name: "CI", state: "active", path: ".github/workflows/ci.yml" };
    switch (path) {
      case "/runs":
        return json({ total_count: 1, workflow_runs: [run] });
      case "/runs/5":
        return json(run);
      case "/runs/5/jobs":
        return json({ total_count: 1, jobs: [job] });
      case "/runs/5/artifacts":
        return json({ total_count: 0, artifacts: [] });
      case "/jobs/9":
        return json(job);
      case "/workflows":
        return json({ total_count: 1, workflows: [workflow] });
      case "/workflows/3":
        return json(workflow);
      case "/jobs/9/logs":
        return new Response(null, { status: 302, headers: { location: `${this.logsAt}/9?sig=${LOG_SIGNATURE}` } });
      case "/runs/5/logs":
        return new Response(null, { status: 302, headers: { location: `${this.logsAt}/5.zip?sig=${LOG_SIGNATURE}` } });
      default:
        // Of a check.
        return path === "/check-runs/9/annotations"
          ? page<"check-annotation">([], new URLSearchParams())
          : refused(404, "Not Found");
    }
  }

  #listPulls(query: URLSearchParams): Response {
    const [head, base] = [query.get("head")?.replace("acme:", ""), query.get("base")];
    const state = query.get("state") ?? "open";
    const isWanted = (pull: FakePull) =>
      (state === "all" || pull.state === state) &&
      (head === undefined || pull.head.ref === head) &&
      (base === null || pull.base.ref === base);
    return page<"pull-request-simple">(this.pulls.filter(isWanted), query);
  }

  #open({
    head,
    base,
    title,
    body,
    draft = false,
  }: Record<"head" | "base" | "title" | "body", string> & { draft?: boolean }) {
    const invalid = (field: string) => ({ resource: "PullRequest", field, code: "invalid" });
    const said = (message: string) => ({ resource: "PullRequest", code: "custom", message });
    if (!this.branches.has(head)) return refused(422, "Validation Failed", [invalid("head")]);
    if (!this.branches.has(base)) return refused(422, "Validation Failed", [invalid("base")]);
    if (head === base) return refused(422, "Validation Failed", [said(`No commits between ${base} and ${head}`)]);
    if (this.pulls.some((pull) => pull.state === "open" && pull.head.ref === head && pull.base.ref === base)) {
      return refused(422, "Validation Failed", [said(`A pull request already exists for acme:${head}.`)]);
    }
    const number = this.#next();
    const pull: FakePull = {
      number,
      html_url: `${HOME}/pull/${number}`,
      title,
      body,
      draft,
      head: { ref: head, sha: SHA, repo: { full_name: "acme/app" } },
      base: { ref: base },
      state: "open",
      labels: [],
      requested_reviewers: [],
    };
    this.pulls.push(pull);
    return shown<"pull-request">({ ...pull, node_id: `PR_${number}`, user: BOT }, 201);
  }

  #openIssue({ title, body }: { title: string; body: string }): Response {
    return shown<"issue">(this.openIssue(title, body), 201);
  }

  #say<Name extends "issue-comment" | "pull-request-review">(
    at: Map<number, (Said & Shown<Name>)[]>,
    number: number,
    address: string,
    { body, ...more }: { body: string },
  ): Response {
    this.#ids += 1;
    const told = { ...more, id: this.#ids, html_url: `${address}${this.#ids}`, body, user: BOT };
    const said = told as typeof told & Shown<Name>;
    at.set(number, [...(at.get(number) ?? []), said]);
    return shown<Name>(said, 201);
  }

  #graph(text: string): Response {
    const { query, variables = {} } = JSON.parse(text) as { query: string; variables?: Record<string, unknown> };
    const operation = /\b(?:query|mutation)\s+(\w+)/.exec(query)?.[1] ?? "";
    return json({ data: this.graph(operation, variables) });
  }

  #pull(number: number): FakePull | undefined {
    return this.pulls.find((one) => one.number === number);
  }

  #issue(number: number): FakeIssue | undefined {
    return this.issues.find((one) => one.number === number);
  }

  #next(): number {
    return this.pulls.length + this.issues.length + 1;
  }
}

function page<Name extends keyof Schemas>(
  items: readonly Shown<Name>[],
  query: URLSearchParams,
  api = "https://api.github.com",
): Response {
  const [size, at] = [Number(query.get("per_page") ?? 30), Number(query.get("page") ?? 1)];
  const hasMore = items.length > size * at;
  // By the repository's number, as GitHub does.
  const next = `${api}/repositories/77/issues?per_page=${size}&page=${at + 1}`;
  const headers: HeadersInit = hasMore ? { link: `<${next}>; rel="next"` } : {};
  return Response.json(items.slice(size * (at - 1), size * at), { headers });
}

function shown<Name extends keyof Schemas>(thing: Shown<Name>, status = 200): Response {
  return json(thing, status);
}

function found<Name extends keyof Schemas>(thing: Shown<Name> | undefined, status = 200): Response {
  return thing === undefined ? refused(404, "Not Found") : json(thing, status);
}

/** GitHub has each pull request among the issues. */
function asIssue(pull: FakePull | undefined): Shown<"issue"> | undefined {
  if (pull === undefined) return undefined;
  const { number, html_url, title, body, state, labels } = pull;
  return { number, html_url, title, body, state, labels, pull_request: { html_url } };
}

function lacking(): Response {
  return refused(403, "Resource not accessible by integration");
}

export function json(value: unknown, status = 200): Response {
  return Response.json(value, { status });
}

export function refused(status: number, message: string, errors?: object[]): Response {
  return Response.json(
    { message, ...(errors === undefined ? {} : { errors }), documentation_url: "https://docs.github.com/rest" },
    { status },
  );
}
