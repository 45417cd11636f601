/** Pure: which requests the demo upstream serves. Everything else of `git http-backend` stays shut. */

export interface GitRequest {
  repository: string;
  /** What CGI calls PATH_INFO, made of checked parts only. */
  pathInfo: string;
  query: string;
}

/** @returns the checked request, or the status to refuse it with. */
export function parseGitRequest(method: string, target: string): GitRequest | 404 | 405 {
  const [path = "", query = ""] = target.split("?", 2);
  const [, repository, endpoint] =
    /^\/([a-z0-9][a-z0-9-]{0,62})\.git\/(info\/refs|git-(?:upload|receive)-pack)$/.exec(path) ?? [];
  if (repository === undefined || endpoint === undefined) return 404;
  if (endpoint === "info/refs") {
    if (method !== "GET") return 405;
    // Without a service git would serve its dumb protocol.
    if (!/^service=git-(?:upload|receive)-pack$/.test(query)) return 404;
    return { repository, pathInfo: `/${repository}.git/info/refs`, query };
  }
  if (method !== "POST") return 405;
  return { repository, pathInfo: `/${repository}.git/${endpoint}`, query: "" };
}

/** Parses the head that a CGI program writes before its body. */
export function parseCgiHead(text: string): { status: number; headers: [string, string][] } {
  let status = 200;
  const headers: [string, string][] = [];
  for (const line of text.split(/\r?\n/)) {
    const [, name, value] = /^([A-Za-z0-9-]+):[ \t]*(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    if (name.toLowerCase() === "status") status = Number.parseInt(value, 10) || 500;
    else headers.push([name, value]);
  }
  return { status, headers };
}
