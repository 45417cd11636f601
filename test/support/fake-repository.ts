/**
 * `acme/app` at GitHub, in memory: its issues, pull requests and what is said there. *Documented*: the shapes are those of
 * `@octokit/openapi-types`, checked against them as far as they are answered.
 */
import type { components } from "@octokit/openapi-types";

type Schemas = components["schemas"];
type Shown<Name extends keyof Schemas> = { [Key in keyof Schemas[Name]]?: unknown };

export interface FakePull {
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

interface Said {
  id: number;
  html_url: string;
  body: string;
  user: { login: string; type: string };
  [more: string]: unknown;
}

interface FakeIssue extends Said {
  number: number;
  title: string;
  state: string;
}

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

export class FakeRepository {
  readonly pulls: FakePull[] = [];
  readonly branches = new Set(["main"]);
  readonly issues: FakeIssue[] = [];
  /** By the number of their issue or pull request. */
  readonly comments = new Map<number, Said[]>();
  readonly reviews = new Map<number, Said[]>();
  readonly diff = "diff --git a/README.md b/README.md\n+Hello.\n";
  readonly files = new Map([["README.md", "# App\n"]]);
  /** Answers of GraphQL, by the name of the operation. */
  graph: (operation: string, variables: Record<string, unknown>) => unknown = () => null;
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
        return json({
          default_branch: "main",
          full_name: "acme/app",
          node_id: "R_app",
        } satisfies Shown<"full-repository">);
      case "GET /pulls":
        return this.#listPulls(query);
      case "POST /pulls":
        return request.permissions["pull_requests"] === "write" ? this.#open(body) : lacking();
      case "GET /pulls/N":
        if (request.accept.includes("diff")) return new Response(this.diff);
        return found(this.#pull(pull) satisfies Shown<"pull-request"> | undefined);
      case "PATCH /pulls/N":
        return found(Object.assign(this.#pull(pull) ?? {}, body));
      case "GET /pulls/N/files":
        return json([{ filename: "README.md", status: "modified", patch: "+Hello." } satisfies Shown<"diff-entry">]);
      case "GET /pulls/N/reviews":
        return page(this.reviews.get(pull) ?? [], query);
      case "POST /pulls/N/reviews":
        if (body.comments?.some(({ path: at }: { path: string }) => !this.files.has(at))) {
          return refused(422, "Unprocessable Entity", [{ message: "Path could not be resolved" }]);
        }
        return this.#say(this.reviews, pull, `${HOME}/pull/${pull}#pullrequestreview-`, body);
      case "POST /pulls/N/requested_reviewers":
        this.#pull(pull)?.requested_reviewers.push(...body.reviewers.map((login: string) => ({ login })));
        return json({}, 201);
      case "GET /issues":
        return page(this.issues, query);
      case "POST /issues":
        return request.permissions["issues"] === "write" ? this.#openIssue(body) : lacking();
      case "GET /issues/N":
        return found(this.#issue(issue) ?? this.#pull(issue));
      case "GET /issues/N/comments":
        return page(this.comments.get(issue) ?? [], query);
      case "POST /issues/N/comments":
        if (this.#issue(issue) === undefined && this.#pull(issue) === undefined) return refused(404, "Not Found");
        return this.#say(this.comments, issue, `${HOME}/issues/${issue}#issuecomment-`, body);
      case "POST /issues/N/labels":
        this.#pull(issue)?.labels.push(...body.labels.map((name: string) => ({ name })));
        return json([]);
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
    if (path.startsWith("/contents/")) return refused(404, "Not Found");
    if (/^\/commits\/.+\/check-runs$/.test(path)) {
      const check: Shown<"check-run"> = { name: "build", status: "completed", conclusion: "failure", head_sha: SHA };
      return json({ total_count: 1, check_runs: [check] });
    }
    if (/^\/commits\/.+\/status$/.test(path)) return json({ state: "success", statuses: [] });
    if (path === "/releases")
      return json([{ tag_name: "v1.0.0", name: "First", body: "It begins." } satisfies Shown<"release">]);
    if (path === "/actions/runs/5/jobs") return json({ jobs: [{ id: 9, name: "build", conclusion: "failure" }] });
    if (path === "/actions/jobs/9/logs") {
      return new Response(null, { status: 302, headers: { location: "https://logs.test/9?sig=canary-log-signature" } });
    }
    return refused(404, "Not Found");
  }

  #listPulls(query: URLSearchParams): Response {
    const [head, base] = [query.get("head")?.replace("acme:", ""), query.get("base")];
    const state = query.get("state") ?? "open";
    const isWanted = (pull: FakePull) =>
      (state === "all" || pull.state === state) &&
      (head === undefined || pull.head.ref === head) &&
      (base === null || pull.base.ref === base);
    return page(this.pulls.filter(isWanted), query);
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
    return json({ ...pull, node_id: `PR_${number}`, user: BOT }, 201);
  }

  #openIssue({ title, body }: { title: string; body: string }): Response {
    return json(this.openIssue(title, body), 201);
  }

  #say(at: Map<number, Said[]>, number: number, address: string, { body, ...more }: { body: string }): Response {
    this.#ids += 1;
    const said = { ...more, id: this.#ids, html_url: `${address}${this.#ids}`, body, user: BOT };
    at.set(number, [...(at.get(number) ?? []), said]);
    return json(said, 201);
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

function page(items: readonly unknown[], query: URLSearchParams): Response {
  const [size, at] = [Number(query.get("per_page") ?? 30), Number(query.get("page") ?? 1)];
  const hasMore = items.length > size * at;
  const headers: HeadersInit = hasMore ? { link: `<https://api.github.com/next?page=${at + 1}>; rel="next"` } : {};
  return Response.json(items.slice(size * (at - 1), size * at), { headers });
}

function found(thing: object | undefined): Response {
  return thing === undefined ? refused(404, "Not Found") : json(thing);
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
