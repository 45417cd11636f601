/** Passes a request on to a host, on a connection that has been opened for it, and the answer back. */
import { request as ask, type ClientRequest, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { endToEndHeaders } from "../sandbox/relay-rules.ts";
import { joinSockets } from "./join-sockets.ts";
import type { PlainConnection } from "./way-out.ts";

type Headers = (readonly [name: string, value: string])[];

/** In what was refused: why. */
export const DENY_REASON = "x-deny-reason";
/** A stream on which nothing comes for this long is cut. */
const STALL_MS = 300_000;
const UPGRADE_MS = 30_000;

/** What becomes of a request that gets no answer of its host's. Nothing has been answered yet. */
export interface Unanswered {
  /** The host did not answer. */
  onFailure(): void;
  /** A proxy on the way does not let it through. */
  onDenied(): void;
}

/** Passes the request on, and its answer back. */
export function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  connection: PlainConnection,
  { onFailure, onDenied }: Unanswered,
): void {
  const hasBody = request.method !== "GET" && request.method !== "HEAD";
  const headers: Headers = [...endToEndHeaders(request.rawHeaders).filter(framed(hasBody)), ["Connection", "close"]];
  // Node frames a body by itself for some methods only: without this, the body of any other would be bytes behind the request.
  if (hasBody && request.headers["transfer-encoding"] !== undefined) headers.push(["Transfer-Encoding", "chunked"]);
  const upstream = newRequest(request, url, connection, headers);
  const stall = setTimeout(() => upstream.destroy(new Error("stalled")), STALL_MS);
  response.once("close", () => upstream.destroy());
  upstream.once("close", () => clearTimeout(stall));
  const fail = () => {
    if (response.destroyed) return;
    if (response.headersSent) response.destroy();
    else onFailure();
  };
  upstream.once("error", fail);
  // Nobody has asked for one. Unheard, it would end the connection without a word, and the request would wait for ever.
  upstream.once("upgrade", (_incoming, socket) => {
    clearTimeout(stall);
    socket.destroy();
    fail();
  });
  upstream.once("response", (incoming) => {
    const status = incoming.statusCode ?? 0;
    // Read, and yet none that can be said: what Node throws here would end this process.
    if (status < 200) return void upstream.destroy(new Error("no status"));
    if (isDenial(incoming, connection)) {
      incoming.once("error", () => {});
      onDenied();
      return void upstream.destroy();
    }
    const words = (incoming.statusMessage ?? "").replace(/[^\t -~\u0080-\u00ff]/g, "?");
    response.writeHead(status, words, endToEndHeaders(incoming.rawHeaders).flat());
    response.flushHeaders();
    incoming.on("data", () => stall.refresh());
    incoming.once("error", () => response.destroy());
    // A body that ends too early must not look whole: the connection is cut instead of the body being ended.
    incoming.once("close", () => (incoming.complete ? undefined : response.destroy()));
    incoming.pipe(response);
  });
  if (hasBody) {
    request.on("data", () => stall.refresh());
    request.pipe(upstream);
  } else {
    request.resume();
    upstream.end();
  }
}

/** Joins both sockets once the host has taken the upgrade; any other answer of its goes back as it is. */
export function passSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  url: URL,
  connection: PlainConnection,
  onDenied: Unanswered["onDenied"],
): void {
  const headers: Headers = [
    ...endToEndHeaders(request.rawHeaders).filter(framed(false)),
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
  ];
  const upstream = newRequest(request, url, connection, headers);
  const timer = setTimeout(() => upstream.destroy(new Error("no answer")), UPGRADE_MS);
  upstream.once("close", () => clearTimeout(timer));
  socket.once("close", () => upstream.destroy());
  upstream.once("error", () => socket.destroy());
  upstream.once("response", (incoming) => {
    clearTimeout(timer);
    incoming.once("error", () => socket.destroy());
    if (isDenial(incoming, connection)) {
      onDenied();
      return void upstream.destroy();
    }
    socket.write(headOf(incoming, [["Connection", "close"]]));
    incoming.pipe(socket);
  });
  upstream.once("upgrade", (incoming, other, otherHead) => {
    clearTimeout(timer);
    const answer = headOf(incoming, [
      ["Connection", "Upgrade"],
      ["Upgrade", "websocket"],
    ]);
    joinSockets({ socket, head }, { socket: other, head: otherHead }, answer);
  });
  upstream.end();
}

/**
 * Whether the proxy itself refuses. It names the header as one of this connection, which a proxy passes on of no host: so no
 * host can say it.
 */
function isDenial({ headers }: IncomingMessage, { isProxy }: PlainConnection): boolean {
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  return isProxy && headers[DENY_REASON] !== undefined && named.includes(DENY_REASON);
}

/** What was judged is what is asked: the address as it was read, under the host's own name. */
function newRequest(
  { method }: IncomingMessage,
  url: URL,
  { socket, prefix, headers: own }: PlainConnection,
  headers: Headers,
): ClientRequest {
  return ask({
    createConnection: () => socket,
    method,
    path: `${prefix}${url.pathname}${url.search}`,
    headers: [...headers, ...own, ["Host", url.host]].flat(),
    setHost: false,
  });
}

/** A request without a body says nothing of its length. */
function framed(hasBody: boolean): (header: readonly [name: string, value: string]) => boolean {
  return ([name]) => hasBody || name.toLowerCase() !== "content-length";
}

function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage, connection: Headers): string {
  const lines = [...endToEndHeaders(rawHeaders), ...connection].map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${statusCode ?? 502} ${statusMessage ?? ""}\r\n${lines.join("")}\r\n`;
}
