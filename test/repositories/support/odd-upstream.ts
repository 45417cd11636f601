/** A git host that behaves in a way that hosts are known for. The first part of the path says which: `/sign-in/app.git/…`. */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * @returns whether it has answered; else the git server behind it does, at the path without the first part, and its answer
 *   breaks off after so many bytes.
 */
type Way = (request: IncomingMessage, response: ServerResponse) => "answered" | Bound;

interface Bound {
  breaksOffAfter: number;
  onBroken?: () => void;
}

const WHOLE: Bound = { breaksOffAfter: Number.POSITIVE_INFINITY };
/** Within a pack; refs are told before. */
const IN_A_PACK = { breaksOffAfter: 3_000 };
const redirectTo = (location: string, response: ServerResponse) => {
  response.writeHead(301, { location });
  response.end();
  return "answered" as const;
};
/** Paths that have broken off once. */
const brokenOnce = new Set<string>();

/** By the first part of the path. Another way is a row here, and a row of the table of repositories. */
const WAYS: Record<string, Way> = {
  /** Single sign-on answers in place of git. */
  "sign-in": (_request, response) => {
    response.writeHead(203, { "content-type": "text/html; charset=utf-8" });
    response.end("<html><title>Sign in to your account</title></html>");
    return "answered";
  },
  "sign-in-elsewhere": (_request, response) => {
    response.writeHead(302, { location: "/users/sign_in" });
    response.end();
    return "answered";
  },
  moved: ({ url = "" }, response) => redirectTo(url.replace("/moved/", "/"), response),
  "moved-away": ({ url = "" }, response) => redirectTo(`https://elsewhere.example.com${url}`, response),
  limited: (_request, response) => {
    response.writeHead(429, { "retry-after": "7" });
    response.end("slow down");
    return "answered";
  },
  "out-of-order": (_request, response) => {
    response.writeHead(502);
    response.end("<html>Bad gateway</html>");
    return "answered";
  },
  "wants-length": ({ method, headers }, response) => {
    if (method !== "POST" || headers["content-length"] !== undefined) return WHOLE;
    response.writeHead(411);
    response.end("length required");
    return "answered";
  },
  "breaks-off": ({ method }) => (method === "POST" ? IN_A_PACK : WHOLE),
  "breaks-off-once": ({ method, url = "" }) => {
    if (method !== "POST" || brokenOnce.has(url)) return WHOLE;
    return { ...IN_A_PACK, onBroken: () => void brokenOnce.add(url) };
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
    const found = way?.(request, response) ?? WHOLE;
    if (found !== "answered") pass(request, response, `${gitUrl}${way === undefined ? request.url : rest}`, found);
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

function pass(
  request: IncomingMessage,
  response: ServerResponse,
  target: string,
  { breaksOffAfter, onBroken }: Bound,
): void {
  const headers = { ...request.headers, host: new URL(target).host };
  const upstream = httpRequest(target, { method: request.method, headers });
  request.pipe(upstream);
  response.once("close", () => upstream.destroy());
  upstream.once("error", () => response.destroy());
  upstream.once("response", (incoming) => {
    incoming.once("error", () => response.destroy());
    response.writeHead(incoming.statusCode ?? 502, incoming.headers);
    incoming.pipe(response);
    let length = 0;
    incoming.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= breaksOffAfter) return;
      onBroken?.();
      response.destroy();
    });
  });
}
