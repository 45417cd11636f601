/**
 * The way out of a sandbox on a machine: what is asked of the relay as of an HTTP proxy is judged by the run's network policy, and
 * passed on. HTTP is judged request by request. Of what is encrypted nothing is opened: a tunnel is judged by the host that
 * it is asked for, and the name that TLS begins with has to be the same.
 */
import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { INSTANCE_HOST } from "#protocol/container-brief.ts";
import type { Network } from "#protocol/environment.ts";
import { errorAnswer, type Refusal } from "#protocol/errors.ts";
import { judgeRequest, type Verdict } from "#rules/network/judge-request.ts";
import { isFramedPlainly } from "../sandbox/relay-rules.ts";
import type { AskedHost, OutsideTally } from "./outside-tally.ts";
import { DENY_REASON, passOn, passSocket } from "./pass-on.ts";
import { openTunnel } from "./tunnel.ts";
import { NotPublic, type PlainConnection, type WayOut } from "./way-out.ts";

export interface OutsideOptions {
  runId: string;
  policy: Network;
  out: WayOut;
  tally: OutsideTally;
  /** Is told of what is refused, each time. */
  onRefused(refusal: Refusal): void;
  /** Serves a request for the run's own instance, by its path. */
  instance(request: IncomingMessage, response: ServerResponse, path: string): void;
}

type Denial = Extract<Verdict, { to: "nowhere" }>;
/** `host:port`, the only form that a tunnel is asked for in. */
const AUTHORITY = /^[^\s/\\?#@]+:[0-9]{1,5}$/;

export class OutsideProxy {
  readonly #options: OutsideOptions;
  /** Reads the requests in tunnels to port 80, which are not encrypted. */
  readonly #plain = createServer((request, response) => this.#inTunnel(request, response));
  /** The host that such a tunnel was asked for. */
  readonly #tunnels = new WeakMap<Duplex, string>();

  constructor(options: OutsideOptions) {
    this.#options = options;
    this.#plain.requestTimeout = 0;
    this.#plain.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head, this.#target(request)));
  }

  /** A request with a whole address as its target. */
  request(request: IncomingMessage, response: ServerResponse): void {
    this.#serve(request, response, request.url ?? "");
  }

  /** The same, to become a WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#upgrade(request, socket, head, request.url ?? "");
  }

  /** CONNECT. */
  connect(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => {});
    const authority = request.url ?? "";
    const isPlain = authority.endsWith(":80");
    const url = AUTHORITY.test(authority) ? URL.parse(`${isPlain ? "http" : "https"}://${authority}/`) : null;
    const verdict = this.#judge("CONNECT", url, false);
    // What is in a tunnel to port 80 is judged as it comes, also what is for the instance.
    if (url !== null && isPlain && (verdict.to === "internet" || url.hostname === INSTANCE_HOST)) {
      this.#tunnels.set(socket, url.host);
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      if (head.length > 0) socket.unshift(head);
      this.#plain.emit("connection", socket);
    } else if (verdict.to === "internet") void this.#tunnel(socket, head, verdict.url.hostname);
    else refuseSocket(socket, this.#denial(verdict, url));
  }

  async #tunnel(socket: Duplex, head: Buffer, host: string): Promise<void> {
    const asked = this.#options.tally.asked(host);
    try {
      const upstream = await this.#options.out.secure(host);
      asked.opened(upstream);
      openTunnel({ socket, head, upstream, host, onOther: (name) => this.#refused(...otherName(host, name)) });
    } catch (error) {
      refuseSocket(socket, this.#unopened(asked, host, error));
    }
  }

  #inTunnel(request: IncomingMessage, response: ServerResponse): void {
    this.#serve(request, response, this.#target(request));
  }

  /** The whole address of a request in a tunnel; one that speaks to another host than the tunnel's has none. */
  #target({ socket, url = "", headers }: IncomingMessage): string {
    const host = this.#tunnels.get(socket) ?? "";
    const isSame = headers.host === undefined || headers.host.toLowerCase().replace(/:80$/, "") === host;
    return isSame && url.startsWith("/") ? `http://${host}${url}` : "";
  }

  #serve(request: IncomingMessage, response: ServerResponse, target: string): void {
    const url = URL.parse(target);
    const verdict = this.#judge(request.method ?? "", url, false);
    if (verdict.to === "nowhere") refuse(response, this.#denial(verdict, url));
    else if (!isFramedPlainly("POST", request.headers)) refuse(response, unreadable());
    else if (verdict.to === "internet" && isSecure(verdict.url)) refuse(response, notInClear());
    else if (verdict.to === "internet") this.#passRequest(request, response, verdict.url);
    else this.#options.instance(request, response, /^http:\/\/[^/]*(\/.*)$/s.exec(target)?.[1] ?? "");
  }

  #passRequest(request: IncomingMessage, response: ServerResponse, url: URL): void {
    this.#pass(
      url,
      (connection, notPublic) =>
        passOn(request, response, url, connection, {
          onFailure: () => refuse(response, unreachable(url.hostname)),
          onDenied: () => refuse(response, notPublic()),
        }),
      (answer) => refuse(response, answer),
    );
  }

  /**
   * Opens a connection to an allowed host, and has what was asked passed on by it.
   * @param passBy is given what to answer where the host turns out to be none of the internet's. @param deny says why there is no connection.
   */
  #pass(
    { hostname }: URL,
    passBy: (connection: PlainConnection, notPublic: () => Answer) => void,
    deny: (answer: Answer) => void,
  ): void {
    const asked = this.#options.tally.asked(hostname);
    this.#options.out
      .plain(hostname)
      .then((connection) => {
        asked.opened(connection.socket);
        passBy(connection, () => this.#notPublic(asked, hostname));
      })
      .catch((error) => deny(this.#unopened(asked, hostname, error)));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, target: string): void {
    socket.on("error", () => {});
    const url = URL.parse(target);
    const verdict = this.#judge(request.method ?? "", url, true);
    // The run's link is not for what runs in the sandbox.
    if (verdict.to === "internet" && isSecure(verdict.url)) refuseSocket(socket, notInClear());
    else if (verdict.to === "internet") this.#passSocket(request, socket, head, verdict.url);
    else refuseSocket(socket, this.#denial(verdict, url));
  }

  #passSocket(request: IncomingMessage, socket: Duplex, head: Buffer, url: URL): void {
    this.#pass(
      url,
      (connection, notPublic) =>
        passSocket(request, socket, head, url, connection, () => refuseSocket(socket, notPublic())),
      (answer) => refuseSocket(socket, answer),
    );
  }

  #judge(method: string, url: URL | null, isUpgrade: boolean): Verdict {
    const { runId, policy } = this.#options;
    return judgeRequest({ method, url, isUpgrade }, { id: runId, policy });
  }

  #denial(verdict: Verdict, url: URL | null): Answer {
    const denial = verdict.to === "nowhere" ? verdict : notEncrypted();
    return this.#refused(denial, url?.hostname ?? null);
  }

  /** @param host to be counted; null where it has been. */
  #refused({ reason, refusal }: Denial, host: string | null): Answer {
    if (host !== null && reason === "host_not_allowed") this.#options.tally.denied(host);
    this.#options.onRefused(refusal);
    return { refusal, reason };
  }

  /** A connection to an allowed host was not opened. */
  #unopened(asked: AskedHost, host: string, error: unknown): Answer {
    if (error instanceof NotPublic) return this.#notPublic(asked, host);
    asked.unopened();
    return unreachable(host);
  }

  #notPublic(asked: AskedHost, host: string): Answer {
    asked.denied();
    return this.#refused(notPublic(host), null);
  }
}

interface Answer {
  refusal: Refusal;
  reason: string | null;
}

/** @returns with the host that is counted: the one that was asked for in truth, as far as it is known. */
function otherName(host: string, name: string | null): [denial: Denial, asked: string] {
  const asked = name?.replace(/[^!-~]/g, "?").toLowerCase() ?? host;
  const named = name === null ? "names no host" : `names ${asked.slice(0, 100)}`;
  return [hostDenial(`A connection that was opened to ${host} ${named}.`), asked];
}

function notPublic(host: string): Denial {
  return hostDenial(`${host} leads to no public address.`);
}

function hostDenial(message: string): Denial {
  const reason = "host_not_allowed";
  return { to: "nowhere", reason, refusal: { code: reason, message, reason } };
}

function notEncrypted(): Denial {
  const reason = "path_not_allowed";
  const message = "A run asks its instance by HTTP, and for its own paths only.";
  return { to: "nowhere", reason, refusal: { code: "proxy_refused", message, reason } };
}

function isSecure({ protocol }: URL): boolean {
  return protocol === "https:";
}

/** From here on it would go without TLS. */
function notInClear(): Answer {
  const message = "A host is asked for by HTTPS through a tunnel, which CONNECT opens.";
  return { refusal: { code: "proxy_refused", message }, reason: "request_not_plain" };
}

function unreadable(): Answer {
  const message = "What names the length of a body belongs to the whole way, not to one connection.";
  return { refusal: { code: "proxy_refused", message }, reason: "request_not_plain" };
}

function unreachable(host: string): Answer {
  const message = `${host} did not answer.`;
  const hint = "Try again soon; if it stays so, the host is down, or there is none of this name.";
  return { refusal: { code: "upstream_unreachable", message, hint }, reason: null };
}

function refuse(response: ServerResponse, answer: Answer): void {
  if (response.headersSent) return void response.destroy();
  const { status, words, headers, text } = rendered(answer);
  response.writeHead(status, words, headers).end(text);
}

function refuseSocket(socket: Duplex, answer: Answer): void {
  const { status, words, headers, text } = rendered(answer);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${words}\r\n${lines.join("")}\r\n${text}`);
}

interface Rendered {
  status: number;
  /** Behind the status: all that some programs show of an answer. */
  words: string;
  headers: Record<string, string>;
  text: string;
}

function rendered({ refusal, reason }: Answer): Rendered {
  const { status, body } = errorAnswer(refusal, "relay");
  const text = JSON.stringify(body);
  const headers = { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) };
  if (reason === null) {
    return { status, words: STATUS_CODES[status] ?? "", text, headers: { ...headers, connection: "close" } };
  }
  const words = reason === "host_not_allowed" ? "Forbidden by the network policy" : "Forbidden";
  // Named so, the reason is this proxy's own: no host can say it through it.
  const denied = { [DENY_REASON]: reason, "x-should-retry": "false", connection: `close, ${DENY_REASON}` };
  return { status, words, text, headers: { ...headers, ...denied } };
}
