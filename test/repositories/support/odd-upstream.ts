/** A git host that behaves in a way that hosts are known for. The first part of the path says which: `/sign-in/app.git/…`. */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** @returns whether it has answered; else the git server behind it does, at the path without the first part. */
type Way = (request: IncomingMessage, response: ServerResponse) => boolean;

/** By the first part of the path. Another way is a row here, and a row of the table of repositories. */
const WAYS: Record<string, Way> = {
  /** Single sign-on answers in place of git. */
  "sign-in": (_request, response) => {
    response.writeHead(203, { "content-type": "text/html; charset=utf-8" });
    response.end("<html><title>Sign in to your account</title></html>");
    return true;
  },
  "sign-in-elsewhere": (_request, response) => {
    response.writeHead(302, { location: "/users/sign_in" });
    response.end();
    return true;
  },
};

export interface OddUpstream {
  /** `http://127.0.0.1:<port>`; a path that begins with no way's name goes to the git server as it is. */
  url: string;
  close(): Promise<void>;
}

/** @param gitUrl of the git server. */
export async function startOddUpstream(gitUrl: string): Promise<OddUpstream> {
  const server = createServer((request, response) => {
    const [, first = "", rest = ""] = /^\/([^/]+)(\/.*)$/.exec(request.url ?? "") ?? [];
    const way = WAYS[first];
    if (way?.(request, response) === true) return;
    pass(request, response, `${gitUrl}${way === undefined ? request.url : rest}`);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function pass(request: IncomingMessage, response: ServerResponse, target: string): void {
  const headers = { ...request.headers, host: new URL(target).host };
  const upstream = httpRequest(target, { method: request.method, headers });
  request.pipe(upstream);
  response.once("close", () => upstream.destroy());
  upstream.once("error", () => response.destroy());
  upstream.once("response", (incoming) => {
    incoming.once("error", () => response.destroy());
    response.writeHead(incoming.statusCode ?? 502, incoming.headers);
    incoming.pipe(response);
  });
}
