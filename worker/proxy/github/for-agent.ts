/** What of GitHub's answers an agent is given: without the addresses that only programs need, and bounded. Pure. */

/** Of one answer, and of one text in it, in characters. */
export const ANSWER_LIMIT = 60_000;
const TEXT_LIMIT = 12_000;
const DEPTH_LIMIT = 12;
/** What no agent has a use for. */
const NOISE = new Set([
  ...["_links", "author_association_url", "gravatar_id", "node_id", "permissions", "performed_via_github_app"],
  ...["site_admin", "url", "user_view_type", "temp_clone_token", "template_repository", "organization"],
]);

/** GitHub's things each carry tens of addresses of its API, and everything that is not so. */
export function forAgent(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return cutText(value, TEXT_LIMIT);
  if (typeof value !== "object" || value === null) return value;
  if (depth > DEPTH_LIMIT) return "…";
  if (Array.isArray(value)) return value.map((one) => forAgent(one, depth + 1));
  const login = Reflect.get(value, "login");
  if (typeof login === "string" && depth > 0) return login;
  const kept = Object.entries(value).filter(([key, held]) => isTold(key, held));
  return Object.fromEntries(kept.map(([key, held]) => [key, forAgent(held, depth + 1)]));
}

function isTold(key: string, value: unknown): boolean {
  if (NOISE.has(key) || (key.endsWith("_url") && key !== "html_url")) return false;
  return value !== null && value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0);
}

/** A page of a list: each item on a line of its own. */
export function listed(items: readonly unknown[], page: number, hasMore: boolean): string {
  const lines = items.map((item) => JSON.stringify(forAgent(item)));
  const head = items.length === 0 ? `Nothing on page ${page}.` : `Page ${page}, ${items.length} items.`;
  return bounded(
    [hasMore ? `${head} There is a page ${page + 1}.` : `${head} It is the last page.`, ...lines].join("\n"),
  );
}

/** A part of a long text, by its number from 1. */
export function partOf(text: string, page: number): string {
  const pages = Math.max(1, Math.ceil(text.length / ANSWER_LIMIT));
  const part = text.slice((page - 1) * ANSWER_LIMIT, page * ANSWER_LIMIT);
  return pages === 1 ? part : `Part ${page} of ${pages}.\n${part}`;
}

export function bounded(text: string): string {
  return cutText(text, ANSWER_LIMIT);
}

function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit).replace(/[\uD800-\uDBFF]$/, "")}… [cut: ${text.length} characters in all]`;
}
