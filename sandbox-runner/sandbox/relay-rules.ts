/** Which requests the relay lets through: exact forms of this run's proxy paths, and nothing that only looks like one. */
import { endToEnd } from "#rules/network/hop-by-hop.ts";
import { ownPathKind } from "#rules/network/own-paths.ts";

export interface RelayScope {
  runId: string;
  /** How many repositories the run has; their numbers start at 0. */
  repositories: number;
}

export interface RelayRequest {
  method: string | undefined;
  /** The request's target as it was sent, not parsed. */
  target: string | undefined;
}

export type RelayKind = "model" | "git" | "mcp" | "gh";

/** @returns whether the target may be forwarded, byte for byte as it was sent. */
export function relayAllows(request: RelayRequest, scope: RelayScope): boolean {
  return relayKind(request, scope) !== null;
}

/** @returns what a target that may be forwarded is for; null for every other. */
export function relayKind({ method, target }: RelayRequest, scope: RelayScope): RelayKind | null {
  const prefix = `/proxy/${scope.runId}/`;
  if (target === undefined || !target.startsWith(prefix)) return null;
  const rest = target.slice(prefix.length);
  if (method === "POST" && /^model\/v1\/messages(?:\/count_tokens)?(?:\?beta=true)?$/.test(rest)) return "model";
  if (method === "POST" && rest === "sign") return "git";
  if (rest.startsWith("gh/") && (method === "GET" || method === "POST")) return plainKind(target, scope);
  if (MCP_METHODS.has(method ?? "") && /^mcp\/[a-z0-9][a-z0-9_-]{0,63}$/.test(rest)) return "mcp";
  const git = /^git\/(0|[1-9][0-9]?)(?:\.git(?=\/info\/lfs\/))?\/(.*)$/.exec(rest);
  if (git === null || Number(git[1]) >= scope.repositories) return null;
  if (LFS_PATHS[method ?? ""]?.test(git[2] ?? "") === true) return "git";
  const path = method === "GET" ? /^info\/refs\?service=git-(?:upload|receive)-pack$/ : /^git-(?:upload|receive)-pack$/;
  return (method === "GET" || method === "POST") && path.test(git[2] ?? "") ? "git" : null;
}

/** What gh asks for, as the relay forwards it: no path that programs on the way could read in different ways. */
function plainKind(target: string, { runId }: RelayScope): RelayKind | null {
  return ownPathKind(target, runId) === "proxy" ? "gh" : null;
}

/** Where gh looks for GitHub's API, which is the run's own path here. @returns null for every other address. */
export function ghTarget(target: string | undefined, { runId }: RelayScope): string | null {
  const [, path] = /^http:\/\/api\.github\.localhost\/(.*)$/.exec(target ?? "") ?? [];
  return path === undefined ? null : `/proxy/${runId}/gh/${path}`;
}

/** Streamable HTTP: calls, the stream of what the server says by itself, and the end of a session. */
const MCP_METHODS: ReadonlySet<string> = new Set(["POST", "GET", "DELETE"]);

/** Git LFS: which objects there are, the objects themselves, and locks, which the instance refuses in words. */
const LFS_PATHS: Readonly<Record<string, RegExp>> = {
  GET: /^info\/lfs\/objects\/[A-Za-z0-9_.-]{16,7600}$/,
  PUT: /^info\/lfs\/objects\/[A-Za-z0-9_.-]{16,7600}$/,
  POST: /^info\/lfs\/(?:objects\/batch|locks\/verify)$/,
};

const ANY_REQUEST = ["accept", "accept-encoding", "authorization", "content-length", "content-type", "user-agent"];
/** What a request may carry to the instance. A server in front of it may obey any other, and take the request for another. */
const REQUEST_HEADERS: Readonly<Record<RelayKind, ReadonlySet<string>>> = {
  model: new Set([...ANY_REQUEST, "anthropic-beta", "anthropic-version", "x-api-key"]),
  git: new Set([...ANY_REQUEST, "content-encoding", "git-protocol"]),
  gh: new Set(ANY_REQUEST),
  mcp: new Set([...ANY_REQUEST, "last-event-id", "mcp-method", "mcp-name", "mcp-protocol-version", "mcp-session-id"]),
};

/** The headers of a request that go on, as pairs in their order. */
export function requestHeaders(raw: readonly string[], kind: RelayKind): [name: string, value: string][] {
  return endToEndHeaders(raw).filter(([name]) => {
    const lower = name.toLowerCase();
    // Headers that repeat arguments of a tool's call, from the revision 2026-07-28 of MCP on.
    return REQUEST_HEADERS[kind].has(lower) || (kind === "mcp" && lower.startsWith("mcp-param-"));
  });
}

/** Headers that say how long a body is. */
const FRAMING = ["content-length", "transfer-encoding"];

/**
 * Whether a request's body begins and ends where both sides think it does. Node frames what it sends by these headers:
 * a GET with a body, or a length that `Connection` takes away, would put bare bytes behind the request, where the
 * instance reads them as a request of its own.
 * @param headers by lower-case name, as Node gives them.
 */
export function isFramedPlainly(method: string | undefined, headers: Readonly<Record<string, unknown>>): boolean {
  const named = String(headers["connection"] ?? "").toLowerCase();
  if (FRAMING.some((name) => named.includes(name))) return false;
  return method !== "GET" || FRAMING.every((name) => headers[name] === undefined || headers[name] === "0");
}

/** The headers that go on, as pairs in their order: without `Host`, hop-by-hop ones, and those that `Connection` names. */
export function endToEndHeaders(raw: readonly string[]): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) pairs.push([raw[index] ?? "", raw[index + 1] ?? ""]);
  const connection = pairs.filter(([name]) => name.toLowerCase() === "connection").map(([, value]) => value);
  const goesOn = endToEnd(connection);
  return pairs.filter(([name]) => goesOn(name));
}
