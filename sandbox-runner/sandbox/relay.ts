/**
 * The relay: the one address that a sandbox reaches. It forwards the run's own proxy paths to the instance, streaming
 * both ways, and refuses everything else. It holds no secret: the sandbox's own proxy token goes through as it is.
 */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { errorAnswer } from "#protocol/errors.ts";
import {
  endToEndHeaders,
  isFramedPlainly,
  type RelayKind,
  type RelayScope,
  relayKind,
  requestHeaders,
} from "./relay-rules.ts";

export interface RelayOptions {
  /** The instance's address, without a slash at its end. */
  instanceUrl: string;
  /** How long an unreachable instance is dialled again, for instance while it restarts. */
  dialForMs?: number;
  /** A stream on which nothing comes for this long is cut. */
  stallMs?: number;
}

export interface Relay {
  port: number;
  /** `http://127.0.0.1:<port>` */
  url: string;
  /**
   * Forwards a run's paths from now on; until then everything is refused. For one run alone.
   * @param onRefused is told of what is refused, of the same once.
   */
  serve(scope: RelayScope, onRefused?: (message: string) => void): void;
  close(): Promise<void>;
}

const DIAL_FOR_MS = 20_000;
const DIAL_PAUSE_MS = 250;
const STALL_MS = 300_000;
/** How many different refusals are told to the transcript. */
const REFUSALS_TOLD = 20;

export async function startRelay(options: RelayOptions): Promise<Relay> {
  let served: RelayScope | null = null;
  let tell: (message: string) => void = () => {};
  const refusals = new Set<string>();
  const refusal = ({ method, url }: IncomingMessage) => {
    const message = `The relay forwards this run's own model and git paths only, not ${method} ${shownPath(url)}.`;
    if (!refusals.has(message) && refusals.size < REFUSALS_TOLD) {
      refusals.add(message);
      tell(message);
    }
    return message;
  };
  const server = createServer((request, response) => {
    // A request that asks for an upgrade or names a whole address is no proxy path, whatever its path looks like.
    const kind = served === null ? null : relayKind({ method: request.method, target: request.url }, served);
    if (kind !== null && isFramedPlainly(request.method, request.headers)) forward(request, response, kind, options);
    else answer(response, "proxy_refused", refusal(request));
  });
  const refuseSocket = (request: IncomingMessage, socket: Duplex) => {
    refusal(request);
    socket.on("error", () => {});
    socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  };
  server.on("upgrade", refuseSocket);
  server.on("connect", refuseSocket);
  // A push may take long to send its body; the run's own deadline ends it.
  server.requestTimeout = 0;
  await new Promise<void>((ready, fail) => {
    server.once("error", fail);
    server.listen(0, "127.0.0.1", ready);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    serve: (scope, onRefused) => {
      if (served !== null) return;
      served = scope;
      tell = onRefused ?? tell;
    },
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

/** A request's target for a person: without a query, in which a secret may be. */
function shownPath(target = ""): string {
  const [path = ""] = target.split("?");
  return path.replace(/[^!-~]/g, "?").slice(0, 100);
}

/**
 * Forwards one request. The body is sent only when the connection stands, so dialling again while the instance
 * restarts repeats nothing.
 */
function forward(request: IncomingMessage, response: ServerResponse, kind: RelayKind, options: RelayOptions): void {
  const target = new URL(options.instanceUrl);
  const dial = target.protocol === "https:" ? httpsRequest : httpRequest;
  const deadline = Date.now() + (options.dialForMs ?? DIAL_FOR_MS);
  const headers = requestHeaders(request.rawHeaders, kind).flat();
  const basePath = target.pathname === "/" ? "" : target.pathname;

  const attempt = () => {
    if (response.destroyed) return;
    let connected = false;
    const upstream = dial({
      host: target.hostname.replace(/^\[|\]$/g, ""),
      port: target.port === "" ? undefined : target.port,
      method: request.method,
      path: `${basePath}${request.url}`,
      headers: [...headers, "Host", target.host],
      agent: false,
    });
    const stall = setTimeout(() => upstream.destroy(new Error("stalled")), options.stallMs ?? STALL_MS);
    const onClientGone = () => upstream.destroy();
    response.once("close", onClientGone);
    upstream.once("socket", (socket) => {
      socket.once(target.protocol === "https:" ? "secureConnect" : "connect", () => {
        connected = true;
        request.on("data", () => stall.refresh());
        request.pipe(upstream);
      });
    });
    upstream.once("response", (incoming) => {
      response.writeHead(incoming.statusCode ?? 502, endToEndHeaders(incoming.rawHeaders).flat());
      response.flushHeaders();
      incoming.on("data", () => stall.refresh());
      incoming.once("error", () => response.destroy());
      // A body that ends too early must not look whole: the connection is cut instead of the body being ended.
      incoming.once("close", () => (incoming.complete ? undefined : response.destroy()));
      incoming.pipe(response);
    });
    upstream.once("error", () => {
      // Once the answer has begun, the end of `incoming` says whether it is whole.
      if (response.destroyed || response.headersSent) return;
      if (!connected && Date.now() < deadline) {
        response.off("close", onClientGone);
        setTimeout(attempt, DIAL_PAUSE_MS);
      } else {
        request.unpipe(upstream);
        answer(response, "upstream_unreachable", "The instance did not answer the runner's relay.");
      }
    });
    upstream.once("close", () => clearTimeout(stall));
  };
  attempt();
}

function answer(response: ServerResponse, code: "proxy_refused" | "upstream_unreachable", message: string): void {
  const { status, body } = errorAnswer({ code, message }, "relay");
  response.writeHead(status, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify(body));
}
