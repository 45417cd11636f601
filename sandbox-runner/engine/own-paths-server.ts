/**
 * The way out of a container without a network: a Unix socket at which this runner passes the run's own requests on to the
 * instance, and nothing else. Whoever is in the container may speak to it, so it holds no secret: tokens go through as they are.
 */
import { createServer, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { ARTIFACT_NAME_HEADER } from "#protocol/artifact.ts";
import { WORKSPACE_SHA256 } from "#protocol/conversation.ts";
import { SETUP_HEADERS } from "#protocol/setup-archive.ts";
import { ownPathKind } from "#rules/network/own-paths.ts";
import { joinSockets } from "../network/join-sockets.ts";
import { answer, dial, type ForwardOptions, forward } from "../sandbox/forward.ts";
import { type Listening, listenAt } from "../sandbox/listen.ts";
import { endToEndHeaders, isFramedPlainly, relayKind, requestHeaders } from "../sandbox/relay-rules.ts";

export interface OwnPathsOptions extends ForwardOptions {
  socketPath: string;
  runId: string;
}

type Headers = [name: string, value: string][];

/** A run's repositories are counted by the relay in its container; this is as many as any run has. */
const REPOSITORIES = 100;
const LINK_HEADERS = new Set(["accept", "authorization", "user-agent"]);
const SETUP_ARCHIVE_HEADERS = new Set([...LINK_HEADERS, "content-length", SETUP_HEADERS.sha256]);
const WORKSPACE_HEADERS = new Set([...LINK_HEADERS, "content-length", WORKSPACE_SHA256]);
const CALL_METHODS = new Set(["GET", "PUT", "DELETE"]);
const CALL_HEADERS = new Set([...LINK_HEADERS, "content-length", "content-type", ARTIFACT_NAME_HEADER]);
const SOCKET_HEADERS = new Set([
  ...LINK_HEADERS,
  "sec-websocket-extensions",
  "sec-websocket-key",
  "sec-websocket-protocol",
  "sec-websocket-version",
]);
const UPGRADE_DEADLINE_MS = 10_000;

export async function serveOwnPaths(options: OwnPathsOptions): Promise<Listening> {
  const server = createServer((request, response) => {
    const headers = headersThatGoOn(request, options.runId);
    if (headers === null) answer(response, "proxy_refused", "A run may ask its instance for its own paths only.");
    else forward(request, response, headers, options);
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => {});
    if (isLink(request, options.runId)) passUpgrade(request, socket, head, options);
    else refuse(socket, "403 Forbidden");
  });
  server.on("connect", (_request, socket: Duplex) => {
    socket.on("error", () => {});
    refuse(socket, "403 Forbidden");
  });
  return await listenAt(server, { path: options.socketPath });
}

/** @returns the headers with which a request goes on; null when it does not. */
function headersThatGoOn(request: IncomingMessage, runId: string): Headers | null {
  const { method, url = "", headers, rawHeaders } = request;
  if (!isFramedPlainly(method, headers)) return null;
  switch (ownPathKind(url, runId)) {
    case "link":
      // Asked without an upgrade by a runner that wants to know why its socket was refused.
      return method === "GET" ? only(rawHeaders, LINK_HEADERS) : null;
    case "setup":
      return method === "GET" || method === "PUT" ? only(rawHeaders, SETUP_ARCHIVE_HEADERS) : null;
    case "conversation":
      return method === "GET" ? only(rawHeaders, LINK_HEADERS) : null;
    case "workspace":
      return method === "GET" || method === "PUT" ? only(rawHeaders, WORKSPACE_HEADERS) : null;
    case "call":
      return CALL_METHODS.has(method ?? "") ? only(rawHeaders, CALL_HEADERS) : null;
    case "proxy": {
      const kind = relayKind({ method, target: url }, { runId, repositories: REPOSITORIES });
      return kind === null ? null : requestHeaders(rawHeaders, kind);
    }
    case null:
      return null;
  }
}

function isLink({ method, url = "", headers }: IncomingMessage, runId: string): boolean {
  const isPlain = isFramedPlainly(method, headers) && headers.upgrade?.toLowerCase() === "websocket";
  return isPlain && method === "GET" && ownPathKind(url, runId) === "link";
}

/** Joins the container's socket and the instance's, once the instance has taken it. */
function passUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, { instanceUrl }: ForwardOptions): void {
  const headers: Headers = [
    ...only(request.rawHeaders, SOCKET_HEADERS),
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
  ];
  const { upstream } = dial(request, headers, instanceUrl);
  const deadline = setTimeout(() => upstream.destroy(new Error("no answer")), UPGRADE_DEADLINE_MS);
  upstream.once("close", () => clearTimeout(deadline));
  socket.once("close", () => upstream.destroy());
  upstream.once("error", () => socket.destroy());
  upstream.once("response", (incoming) => {
    incoming.resume();
    refuse(socket, `${incoming.statusCode ?? 502} ${incoming.statusMessage ?? ""}`);
  });
  upstream.once("upgrade", (incoming, other, otherHead) => {
    clearTimeout(deadline);
    const lines: string[] = [];
    for (let index = 0; index + 1 < incoming.rawHeaders.length; index += 2) {
      lines.push(`${incoming.rawHeaders[index]}: ${incoming.rawHeaders[index + 1]}\r\n`);
    }
    const answer = `HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`;
    joinSockets({ socket, head }, { socket: other, head: otherHead }, answer);
  });
  upstream.end();
}

function only(rawHeaders: readonly string[], names: ReadonlySet<string>): Headers {
  return endToEndHeaders(rawHeaders).filter(([name]) => names.has(name.toLowerCase()));
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
