/** What gh asks of GitHub's REST API: reads of a list, in the run's repositories, each with the permission that it takes. */
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { Purpose } from "#worker/github/installation-tokens.ts";
import type { GithubPlace } from "./github-calls.ts";
import type { GithubWork } from "./github-work.ts";

/** The address at which gh looks for GitHub's API: it speaks plain HTTP with this one alone (docs/decisions/0025-gh.md). */
export const GH_API = "http://api.github.localhost";
const LOG_LIMIT_BYTES = 2 ** 26;
const LOG_DEADLINE_MS = 60_000;
/** What may stand in a query. Every other name may be one of the client's own: an address, a header, a method. */
const PARAMETERS = new Set(
  "actor after assignee base before branch check_name created creator direction event exclude_pull_requests filter head labels mentioned milestone page path per_page recursive ref sha since sort state status".split(
    " ",
  ),
);

/** Below `repos/{owner}/{repo}`. */
const READS: readonly [path: RegExp, purpose: Purpose][] = [
  [/^$/, "read"],
  [/^\/(?:branches|tags|commits|contents|contributors|languages|topics|readme)$/, "read"],
  [/^\/(?:branches|commits|compare|contents|git\/ref|git\/trees)\/[\w./~-]+$/, "read"],
  [/^\/releases(?:\/latest|\/tags\/[\w./~-]+|\/[0-9]+)?$/, "read"],
  [/^\/issues(?:\/[0-9]+(?:\/(?:comments|events|labels|timeline))?)?$/, "issues"],
  [/^\/issues\/comments\/[0-9]+$/, "issues"],
  [/^\/(?:labels|milestones)$/, "issues"],
  [/^\/pulls(?:\/[0-9]+(?:\/(?:comments|commits|files|requested_reviewers|reviews))?)?$/, "pulls"],
  [/^\/pulls\/(?:comments\/[0-9]+|[0-9]+\/reviews\/[0-9]+(?:\/comments)?)$/, "pulls"],
  [/^\/actions\/(?:runs|workflows)(?:\/[0-9]+)?$/, "actions"],
  [/^\/actions\/runs\/[0-9]+\/(?:artifacts|jobs|attempts\/[0-9]+(?:\/jobs)?)$/, "actions"],
  [/^\/actions\/workflows\/[0-9]+\/runs$/, "actions"],
  [/^\/actions\/jobs\/[0-9]+$/, "actions"],
  [/^\/check-(?:runs|suites)\/[0-9]+(?:\/(?:annotations|check-runs))?$/, "checks"],
];
/** Before the rows above: their last word says what they are about. */
const OF_COMMITS: readonly [path: RegExp, purpose: Purpose][] = [
  [/^\/commits\/[\w./~-]+\/check-(?:runs|suites)$/, "checks"],
  [/^\/commits\/[\w./~-]+\/status(?:es)?$/, "statuses"],
  [/^\/commits\/[\w./~-]+\/pulls$/, "pulls"],
];
/** Not as HTML: there GitHub signs addresses of images. */
const ACCEPTED = /^(?!.*\b(?:html|full|octet-stream)\b)[\w.+*/,;= -]{1,300}$/;
const LOGS = /^\/actions\/(?:jobs\/[0-9]+|runs\/[0-9]+(?:\/attempts\/[0-9]+)?)\/logs$/;

/** @param path as gh asks for it, without a slash at its beginning. */
export async function answerRest(work: GithubWork, path: string): Promise<Result<Response>> {
  const { method } = work.c.req;
  const [, owner, repo, rest = ""] = /^repos\/([\w.-]+)\/([\w.-]+)((?:\/[\w.~-]+)*)$/.exec(path) ?? [];
  const isPlain = !path.split("/").some((part) => part === "." || part === "..");
  const isLog = LOGS.test(rest);
  const purpose = isLog ? "actions" : [...OF_COMMITS, ...READS].find(([pattern]) => pattern.test(rest))?.[1];
  if (method !== "GET" || owner === undefined || !isPlain || purpose === undefined) return notServed(method, path);
  const place = work.place(`${owner}/${repo}`);
  if (!place.ok) return place;
  const route = `GET /repos/{owner}/{repo}${rest}`;
  if (isLog) return await passLog(work, place.value, route);
  const { accept } = work.c.req.header();
  const given = [...new URL(work.c.req.url).searchParams].filter(([name]) => PARAMETERS.has(name));
  const headers = accept === undefined || !ACCEPTED.test(accept) ? {} : { headers: { accept } };
  const called = await work.call(place.value, purpose, route, { ...Object.fromEntries(given), ...headers });
  if (!called.ok) return called;
  const { value } = called;
  if (!value.ok) {
    const { status, words } = value.failure;
    if (status === null || status >= 500 || [401, 403, 429].includes(status)) {
      return { ok: false, refusal: work.refusalOf(value.failure, purpose) };
    }
    return success(Response.json({ message: words }, { status }));
  }
  const { data, link } = value.value;
  const answer = new Headers(link === null ? {} : { link: pagesForGh(work, place.value, link) });
  answer.set(
    "content-type",
    typeof data === "string" ? "text/plain; charset=utf-8" : "application/json; charset=utf-8",
  );
  const text = typeof data === "string" ? data : JSON.stringify(data, forGh(work));
  return success(new Response(text, { headers: answer }));
}

/**
 * Addresses of the API are those that gh knows, and follows. GitHub shows tokens for a clone, and addresses of files that are good
 * without one: these stay out.
 */
function forGh({ deps }: GithubWork): (key: string, value: unknown) => unknown {
  const api = `${deps.config.github.apiUrl}/`;
  return (key, value) => {
    if (key === "temp_clone_token" || key === "download_url") return null;
    const isAddress = typeof value === "string" && /(?:^|_)url$/.test(key) && value.startsWith(api);
    return isAddress ? `${GH_API}/${value.slice(api.length)}` : value;
  };
}

/** GitHub names a repository by its number there. */
function pagesForGh({ deps }: GithubWork, { owner, repo }: GithubPlace, link: string): string {
  const { apiUrl } = deps.config.github;
  const [first = "", ...rest] = link.split(`${apiUrl}/repositories/`);
  const parts = rest.map((part) => `${GH_API}/repos/${owner}/${repo}${part.replace(/^[0-9]+/, "")}`);
  return [first, ...parts].join("").replaceAll(`${apiUrl}/`, `${GH_API}/`);
}

async function passLog(work: GithubWork, place: GithubPlace, route: string): Promise<Result<Response>> {
  const asked = await work.ask(place, "actions", route, { request: { redirect: "manual" } });
  if (!asked.ok) return asked;
  const { location, data } = asked.value;
  if (location === null) return success(new Response(typeof data === "string" ? data : ""));
  const failed = () => refuse("github_unreachable", { reason: "GitHub does not give out the log" });
  if (URL.parse(location)?.protocol !== "https:") return failed();
  try {
    const log = await fetch(location, { redirect: "manual", signal: AbortSignal.timeout(LOG_DEADLINE_MS) });
    if (!log.ok || log.body === null) return failed();
    let left = LOG_LIMIT_BYTES;
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        left -= chunk.byteLength;
        if (left < 0) throw new RangeError("the log is too long");
        controller.enqueue(chunk);
      },
    });
    const headers = { "content-type": log.headers.get("content-type") ?? "application/octet-stream" };
    return success(new Response(log.body.pipeThrough(counted), { headers }));
  } catch {
    return failed();
  }
}

function notServed(method: string, path: string): Result<never> {
  const shown = path.replace(/[^!-~]/g, "?").slice(0, 100);
  return refuse("proxy_refused", {
    reason: "gh is served what its listed commands ask",
    message: `gh is not served ${method} ${shown} here.`,
    hint: "Use gh pr, issue, release, run or repo view, gh api for reads in the attached repositories, or the tools of the MCP server github (mcp__github__…).",
  });
}
