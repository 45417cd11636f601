/** The demo upstream: `git http-backend` behind HTTP on loopback, with a password, as a code host would have it. */
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Filter, startFilter } from "#scripts/child-process.ts";
import { gitEnvironment } from "./git-environment.ts";
import { type GitRequest, parseCgiHead, parseGitRequest } from "./git-http-path.ts";

const REQUEST_DEADLINE_MS = 120_000;
const CGI_HEAD_LIMIT_BYTES = 65_536;

export interface GitServerOptions {
  /** The folder whose `<name>.git` folders are served. */
  root: string;
  /** `user:password`: every request needs it. */
  credential: string;
  /** 0 for a free one. */
  port: number;
  requestDeadlineMs?: number;
  /** A push to a repository is over: git has taken it, or refused it. */
  onReceived?: (repository: string) => void;
}

export interface GitServer {
  /** `http://127.0.0.1:<port>` */
  url: string;
  port: number;
  /** Ends requests that are under way, with the git processes behind them. */
  close: () => Promise<void>;
}

/**
 * Serves clone, fetch and push of the bare repositories in `root`.
 * @throws the error of `listen`, for instance EADDRINUSE.
 */
export async function startGitServer(options: GitServerOptions): Promise<GitServer> {
  const running = new Set<Filter>();
  const server = createServer((request, response) => answer(request, response, options, running));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: async () => {
      for (const backend of running) backend.kill();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await Promise.all([...running].map(({ ended }) => ended));
    },
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { root, credential, requestDeadlineMs = REQUEST_DEADLINE_MS, onReceived }: GitServerOptions,
  running: Set<Filter>,
): void {
  if (!isAuthorized(request.headers.authorization, credential)) {
    response.setHeader("www-authenticate", 'Basic realm="demo upstream"');
    refuse(response, 401, "This repository needs a password.");
    return;
  }
  const git = parseGitRequest(request.method ?? "", request.url ?? "");
  if (typeof git === "number") {
    refuse(response, git, git === 404 ? "There is nothing at this address." : "This address takes another method.");
    return;
  }
  const env = cgiEnvironment(request, git, root);
  const backend = startFilter("git", ["http-backend"], { env, deadlineMs: requestDeadlineMs });
  running.add(backend);
  backend.ended.finally(() => running.delete(backend));
  if (git.pathInfo.endsWith("/git-receive-pack")) backend.ended.then(() => onReceived?.(git.repository));
  request.pipe(backend.stdin);
  // Also when the caller goes away in the middle: nobody would read what git still says.
  response.once("close", () => backend.kill());
  relay(backend, response);
}

/** Sends the program's head as the answer's head and streams the rest. */
function relay(backend: Filter, response: ServerResponse): void {
  let head = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) {
      if (head.length > CGI_HEAD_LIMIT_BYTES) backend.kill();
      return;
    }
    backend.stdout.off("data", onData);
    const { status, headers } = parseCgiHead(head.subarray(0, end).toString("latin1"));
    response.writeHead(status, headers.flat());
    response.write(head.subarray(end + 4));
    backend.stdout.pipe(response);
  };
  backend.stdout.on("data", onData);
  backend.ended.then(() => {
    if (!response.headersSent) refuse(response, 502, `git http-backend gave no answer. ${backend.complaint()}`.trim());
  });
}

/** CONTENT_LENGTH is absent for a chunked body: git then reads to the end. */
function cgiEnvironment({ method, headers }: IncomingMessage, git: GitRequest, root: string): Record<string, string> {
  const version = headers["git-protocol"];
  const optional = {
    CONTENT_LENGTH: headers["content-length"],
    HTTP_CONTENT_ENCODING: headers["content-encoding"],
    GIT_PROTOCOL: typeof version === "string" && /^version=[0-9]$/.test(version) ? version : undefined,
  };
  return {
    ...gitEnvironment({ "http.receivepack": "true" }),
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: "1",
    PATH_INFO: git.pathInfo,
    QUERY_STRING: git.query,
    REQUEST_METHOD: method ?? "",
    CONTENT_TYPE: headers["content-type"] ?? "",
    REMOTE_USER: "demo",
    REMOTE_ADDR: "127.0.0.1",
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
}

function isAuthorized(header: string | undefined, credential: string): boolean {
  const expected = `Basic ${Buffer.from(credential).toString("base64")}`;
  return timingSafeEqual(digest(header ?? ""), digest(expected));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(`${message}\n`);
}
