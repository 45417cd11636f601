/** A stand-in for the instance, on loopback: the pool, the run links, and both proxies. It checks tokens as the worker does. */
import { createHash } from "node:crypto";
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { type WebSocket, WebSocketServer } from "ws";
import { WORKSPACE_SHA256 } from "#protocol/conversation.ts";
import {
  type LeaseRef,
  type PoolToRunner,
  RUNNER_CLOSE,
  type RunnerToPool,
  type RunOrder,
  runnerToPoolSchema,
} from "#protocol/runner-link.ts";
import { SETUP_HEADERS } from "#protocol/setup-archive.ts";
import { FakeRun } from "./fake-run.ts";
import type { WorkerGit } from "./worker-git.ts";

export const RUNNER_TOKEN = "runner-token-of-the-fake-instance-0001";

export interface Upstreams {
  /** A Messages API server. */
  modelUrl: string;
  /** A git server, and the password that it wants. */
  gitUrl: string;
  gitCredential: string;
  /** The worker's own git proxy, through which the git server is asked; else it is asked directly. */
  workerGit?: WorkerGit | null;
}

export class FakeInstance {
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #upstreams: Upstreams;
  readonly #runs = new Map<string, FakeRun>();
  #pool: WebSocket | null = null;
  /** The close code for runners that register; null takes them in. */
  refuses: number | null = null;
  #port = 0;
  /** What the runner said to its pool. */
  readonly heard: RunnerToPool[] = [];
  /** Requests of the proxies, as `METHOD path`. */
  readonly proxied: string[] = [];
  /** Each call to the model, by run: its headers, and its body as text. */
  readonly modelCalls = new Map<string, { headers: IncomingHttpHeaders; body: string }[]>();
  /** What runners have kept of setup scripts, by key. */
  readonly setups = new Map<string, { content: Buffer; sha256: string }>();
  /** The workspaces that runs have sent, by run. */
  readonly workspaces = new Map<string, Buffer>();
  /** What a run goes on from, by run: the texts of its files in the order's order, and the workspace. */
  readonly earlier = new Map<string, { texts: string[]; workspace: Buffer | null }>();
  /** How many links each run has opened. */
  readonly links = new Map<string, number>();

  private constructor(upstreams: Upstreams) {
    this.#upstreams = upstreams;
    this.#server = createServer((request, response) => this.#answer(request, response));
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  static async start(upstreams: Upstreams): Promise<FakeInstance> {
    const instance = new FakeInstance(upstreams);
    await instance.listen();
    return instance;
  }

  /** All that it has handed out. */
  get runs(): FakeRun[] {
    return [...this.#runs.values()];
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, on the same port as before if it did before. */
  async listen(): Promise<void> {
    await new Promise<void>((ready) => this.#server.listen(this.#port, "127.0.0.1", ready));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Cuts the runner's connection to its pool: it comes back by itself. */
  cutPool(): void {
    this.#pool?.terminate();
  }

  /** Goes away as a killed worker does: every connection is cut. */
  async vanish(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    await new Promise<void>((closed) => {
      this.#server.close(() => closed());
      this.#server.closeAllConnections();
    });
  }

  /** Hands a run to the runner that is registered. */
  offer(order: RunOrder): FakeRun {
    const run = new FakeRun(order);
    this.#runs.set(order.run_id, run);
    this.#sayOffer(run);
    return run;
  }

  #sayOffer({ lease, linkToken, proxyToken }: FakeRun): void {
    this.say({ type: "offer", lease, link_token: linkToken, proxy_token: proxyToken });
  }

  stop(lease: LeaseRef): void {
    this.say({ type: "stop", lease });
  }

  hasEnded({ run_id, generation }: LeaseRef): boolean {
    return this.heard.some(
      (message) =>
        message.type === "ended" && message.lease.run_id === run_id && message.lease.generation === generation,
    );
  }

  /** Says something to the runner that is registered. */
  say(message: PoolToRunner): void {
    this.#pool?.send(JSON.stringify(message));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const token = bearerOf(request);
    const run = this.#runs.get(/^\/runner\/runs\/([^/]+)\/link$/.exec(request.url ?? "")?.[1] ?? "");
    const allowed = request.url === "/runner/pool" ? token === RUNNER_TOKEN : token === run?.linkToken;
    if (!allowed) {
      socket.end("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (opened) => {
      if (run === undefined) return this.#joinPool(opened);
      this.links.set(run.order.run_id, (this.links.get(run.order.run_id) ?? 0) + 1);
      if (run.over) opened.close(RUNNER_CLOSE.refused);
      else run.connect(opened);
    });
  }

  #joinPool(socket: WebSocket): void {
    this.#pool = socket;
    socket.on("message", (data) => {
      const text = data.toString();
      if (text === "ping") return socket.send("pong");
      const message = runnerToPoolSchema.parse(JSON.parse(text));
      this.heard.push(message);
      if (message.type === "register" && this.refuses !== null) socket.close(this.refuses, "as the test wants it");
      else if (message.type === "register") this.#register(message);
    });
  }

  /** As the pool does, it offers again what went into a socket that the runner had given up, and was never answered. */
  #register({ protocol, leases }: Extract<RunnerToPool, { type: "register" }>): void {
    this.say({ type: "registered", protocol, features: [] });
    const answered = new Set(leases.map(({ run_id }) => run_id));
    for (const message of this.heard) {
      if (message.type === "accept" || message.type === "decline") answered.add(message.lease.run_id);
    }
    for (const run of this.runs) if (!answered.has(run.order.run_id)) this.#sayOffer(run);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const setup = /^\/runner\/runs\/([^/]+)\/setup\/([0-9a-f]{64})$/.exec(request.url ?? "");
    const session = /^\/runner\/runs\/([^/]+)\/(?:conversation\/([0-9]+)|workspace)$/.exec(request.url ?? "");
    if (session !== null) return void this.#answerSession(request, response, session[1] ?? "", session[2] ?? null);
    if (setup !== null) return void this.#answerSetup(request, response, setup[1] ?? "", setup[2] ?? "");
    const call = /^\/runner\/runs\/([^/]+)\/(.+)$/.exec(request.url ?? "");
    if (call !== null) return void this.#answerCall(request, response, call[1] ?? "", call[2] ?? "");
    const [path = "", query = ""] = (request.url ?? "").split("?");
    const [, runId = "", rest = ""] = /^\/proxy\/([^/]+)\/(.*)$/.exec(path) ?? [];
    const run = this.#runs.get(runId);
    this.proxied.push(`${request.method} ${request.url}`);
    if (run === undefined || run.over || bearerOf(request) !== run.proxyToken) {
      response.writeHead(401, { "content-type": "application/json" });
      response.end('{"type":"error","error":{"type":"authentication_error","message":"refused"},"request_id":"fake"}');
      return;
    }
    const { workerGit = null } = this.#upstreams;
    if (/^(?:sign$|mcp\/|gh\/)/.test(rest) && workerGit !== null)
      return void this.#passToWorker(workerGit, request, response, runId);
    const git = /^git\/([0-9]+)\/(.*)$/.exec(rest);
    if (git === null) {
      this.#noteCall(request, runId);
      this.#pass(request, response, `${this.#upstreams.modelUrl}/${rest.replace("model/", "")}`, {});
      return;
    }
    if (run.holdGit) return;
    if (run.answerGit?.(request, response) === true) return;
    if (workerGit !== null) return void this.#passToWorker(workerGit, request, response, runId);
    const repository = new URL(run.order.repositories[Number(git[1])]?.url ?? "http://none.invalid");
    const target = `${this.#upstreams.gitUrl}${repository.pathname}.git/${git[2]}?${query}`;
    const authorization = `Basic ${Buffer.from(this.#upstreams.gitCredential).toString("base64")}`;
    this.#pass(request, response, target, { authorization });
  }

  #noteCall(request: IncomingMessage, runId: string): void {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.once("end", () => {
      const call = { headers: request.headers, body: Buffer.concat(pieces).toString("utf8") };
      this.modelCalls.set(runId, [...(this.modelCalls.get(runId) ?? []), call]);
    });
  }

  #passToWorker(workerGit: WorkerGit, request: IncomingMessage, response: ServerResponse, runId: string): void {
    void workerGit
      .tokenOf(runId)
      .then((token) =>
        this.#pass(request, response, `${workerGit.url}${request.url}`, { authorization: `Bearer ${token}` }),
      );
  }

  async #answerSession(request: IncomingMessage, response: ServerResponse, runId: string, number: string | null) {
    const run = this.#runs.get(runId);
    if (run === undefined || bearerOf(request) !== run.linkToken) return void response.writeHead(401).end();
    if (request.method === "PUT" && run.onWorkspace !== null) return run.onWorkspace();
    if (request.method === "PUT") {
      const content = await buffer(request);
      const isWhole = createHash("sha256").update(content).digest("hex") === request.headers[WORKSPACE_SHA256];
      this.workspaces.set(runId, content);
      return void response.writeHead(isWhole ? 204 : 400).end();
    }
    const earlier = this.earlier.get(runId);
    const content = number === null ? earlier?.workspace : earlier?.texts[Number(number)];
    if (content === undefined || content === null) return void response.writeHead(404).end();
    response.writeHead(200).end(content);
  }

  async #answerSetup(request: IncomingMessage, response: ServerResponse, runId: string, key: string): Promise<void> {
    if (bearerOf(request) !== this.#runs.get(runId)?.linkToken) return void response.writeHead(401).end();
    if (request.method === "PUT") {
      const sha256 = String(request.headers[SETUP_HEADERS.sha256]);
      this.setups.set(key, { content: await buffer(request), sha256 });
      return void response.writeHead(204).end();
    }
    const kept = this.setups.get(key);
    if (kept === undefined) return void response.writeHead(404).end();
    const [bytes, keptAt] = [String(kept.content.length), String(Date.now())];
    const headers = {
      [SETUP_HEADERS.bytes]: bytes,
      [SETUP_HEADERS.sha256]: kept.sha256,
      [SETUP_HEADERS.keptAt]: keptAt,
    };
    response.writeHead(200, headers).end(kept.content);
  }

  async #answerCall(request: IncomingMessage, response: ServerResponse, runId: string, rest: string): Promise<void> {
    const run = this.#runs.get(runId);
    if (run === undefined || bearerOf(request) !== run.linkToken) return void response.writeHead(401).end();
    const { status, body } = run.answerCall({ method: request.method ?? "", rest, body: await buffer(request) });
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body ?? null));
  }

  #pass(request: IncomingMessage, response: ServerResponse, target: string, headers: Record<string, string>): void {
    const upstream = httpRequest(target, {
      method: request.method,
      headers: { ...request.headers, host: new URL(target).host, ...headers },
    });
    request.pipe(upstream);
    response.once("close", () => upstream.destroy());
    upstream.once("error", () => response.destroy());
    upstream.once("response", (incoming) => {
      incoming.once("error", () => response.destroy());
      response.writeHead(incoming.statusCode ?? 502, incoming.headers);
      response.flushHeaders();
      incoming.pipe(response);
    });
  }
}

/** gh says `token`. */
function bearerOf(request: IncomingMessage): string {
  return /^(?:Bearer|token) (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
}
