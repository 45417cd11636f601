/** Passes requests on to the instance, streaming both ways. */
import { request as httpRequest, type IncomingMessage, type RequestOptions, type ServerResponse } from "node:http";
import { request as httpsRequest } from "node:https";
import { errorAnswer } from "#protocol/errors.ts";
import type { Answered } from "./git-faults.ts";
import { endToEndHeaders } from "./relay-rules.ts";

export interface ForwardOptions {
  /** The instance's address, without a slash at its end. */
  instanceUrl: string;
  /** How long an unreachable instance is dialled again, for instance while it restarts. */
  dialForMs?: number;
  /** A stream on which nothing comes for this long is cut. */
  stallMs?: number;
  /** Told of each piece of an answer. */
  onReceived?(bytes: number): void;
}

/**
 * How many connections a run's side may hold at once: each takes descriptors of this process, which without any could neither
 * count what a run uses nor end it. An agent with many subagents and a push have a few dozen.
 */
export const MOST_CONNECTIONS = 256;

const DIAL_FOR_MS = 20_000;
const DIAL_PAUSE_MS = 250;
const STALL_MS = 300_000;

/** A request of the instance's that is not sent yet. @param headers those that go on, beside `Host`. */
export function dial(
  { method, url }: Pick<IncomingMessage, "method" | "url">,
  headers: readonly (readonly [name: string, value: string])[],
  instanceUrl: string,
) {
  const target = new URL(instanceUrl);
  const isSecure = target.protocol === "https:";
  const basePath = target.pathname === "/" ? "" : target.pathname;
  const options: RequestOptions = {
    host: target.hostname.replace(/^\[|\]$/g, ""),
    port: target.port === "" ? undefined : target.port,
    method,
    path: `${basePath}${url}`,
    headers: [...headers.flat(), "Host", target.host],
    agent: false,
  };
  return {
    upstream: isSecure ? httpsRequest(options) : httpRequest(options),
    connected: isSecure ? "secureConnect" : "connect",
  };
}

/**
 * Forwards one request. The body is sent only when the connection stands, so dialling again while the instance
 * restarts repeats nothing.
 * @param headers those that go on, as pairs in their order.
 * @param onAnswered told of the answer when all of it has come, or nothing more will; not where the client has gone.
 */
export function forward(
  request: IncomingMessage,
  response: ServerResponse,
  headers: readonly (readonly [name: string, value: string])[],
  options: ForwardOptions,
  onAnswered: (answered: Answered) => void = () => {},
): void {
  const deadline = performance.now() + (options.dialForMs ?? DIAL_FOR_MS);

  const attempt = () => {
    if (response.destroyed) return;
    let isConnected = false;
    const { upstream, connected } = dial(request, headers, options.instanceUrl);
    const stall = setTimeout(() => upstream.destroy(new Error("stalled")), options.stallMs ?? STALL_MS);
    const onClientGone = () => upstream.destroy();
    response.once("close", onClientGone);
    upstream.once("socket", (socket) => {
      socket.once(connected, () => {
        isConnected = true;
        request.on("data", () => stall.refresh());
        request.pipe(upstream);
      });
    });
    upstream.once("response", (incoming) => {
      response.writeHead(incoming.statusCode ?? 502, endToEndHeaders(incoming.rawHeaders).flat());
      response.flushHeaders();
      incoming.on("data", ({ length }: Buffer) => {
        stall.refresh();
        options.onReceived?.(length);
      });
      incoming.once("error", () => {});
      // A body that ends too early must not look whole: the connection is cut instead of the body being ended.
      incoming.once("close", () => {
        const { statusCode: status = 502, headers: answered, complete: isWhole } = incoming;
        if (isWhole || !response.destroyed) onAnswered({ status, headers: answered, isWhole });
        if (!isWhole) response.destroy();
      });
      incoming.pipe(response);
    });
    upstream.once("error", () => {
      // Once the answer has begun, the end of `incoming` says whether it is whole.
      if (response.destroyed || response.headersSent) return;
      if (!isConnected && performance.now() < deadline) {
        response.off("close", onClientGone);
        setTimeout(attempt, DIAL_PAUSE_MS);
      } else {
        request.unpipe(upstream);
        onAnswered({ status: 503, headers: {}, isWhole: true });
        answer(response, "upstream_unreachable", "The instance did not answer the runner's relay.");
      }
    });
    upstream.once("close", () => clearTimeout(stall));
  };
  attempt();
}

/** Answers in the instance's place. */
export function answer(
  response: ServerResponse,
  code: "proxy_refused" | "upstream_unreachable",
  message: string,
): void {
  const { status, body } = errorAnswer({ code, message }, "relay");
  response.writeHead(status, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify(body));
}
