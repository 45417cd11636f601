/**
 * The relay: the one address that a sandbox reaches. It forwards the run's own proxy paths to the instance, streaming
 * both ways, is the sandbox's way to the hosts that its network policy allows, and refuses everything else. The sandbox's own
 * proxy token goes through as it is; only where the agent's program was started before there was a run, it is put in the place of
 * what that program has instead.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Refusal } from "#protocol/errors.ts";
import { type OutsideOptions, OutsideProxy } from "../network/outside-proxy.ts";
import { ToldOnce } from "../network/told-once.ts";
import { answer, type ForwardOptions, forward } from "./forward.ts";
import { type Answered, type GitFault, GitFaults } from "./git-faults.ts";
import { LOOPBACK, listenAt } from "./listen.ts";
import { practiceAnswer } from "./practice-answer.ts";
import { ghTarget, isFramedPlainly, type RelayScope, relayKind, requestHeaders } from "./relay-rules.ts";
import type { StandIn } from "./stand-in.ts";

export interface Relay {
  port: number;
  /** `http://127.0.0.1:<port>` */
  url: string;
  /**
   * Forwards a run's paths from now on; until then everything is refused. For one run alone.
   * @param onRefused is told of what is refused, of the same once.
   * @param outside what the sandbox may reach beside the instance; null where it has a way of its own.
   */
  serve(scope: RelayScope, onRefused?: (refusal: ToldRefusal) => void, outside?: Outside | null): void;
  /** Has the stand-in replaced in the sandbox's requests, once it stands for something, and its program's practice answered before. */
  accept(standIn: StandIn): void;
  /** What the last request for a repository met, by its number; null where it was answered well, or there was none. */
  gitFault(number: number): GitFault | null;
  /** Whether that request was for Git LFS. */
  isAtLfs(number: number): boolean;
  /** How many bytes of answers it has passed on so far. */
  passedIn(): number;
  close(): Promise<void>;
}

export type ToldRefusal = Pick<Refusal, "code"> & { message: string };
export type Outside = Pick<OutsideOptions, "policy" | "out" | "tally">;

/** How many different refusals of one kind are told to the transcript. */
const REFUSALS_TOLD = 50;

export async function startRelay(options: ForwardOptions): Promise<Relay> {
  let served: RelayScope | null = null;
  let proxy: OutsideProxy | null = null;
  let tell: (refusal: ToldRefusal) => void = () => {};
  const told = new ToldOnce(REFUSALS_TOLD);
  let passedIn = 0;
  let accepted: StandIn | null = null;
  const onReceived = (bytes: number) => {
    passedIn += bytes;
  };
  const gitFaults = new GitFaults();
  const refusal = ({ method, url }: IncomingMessage) => {
    const message = `The relay forwards this run's own model, git and connector paths only, not ${method} ${shownPath(url)}.`;
    // What is refused before there is a run is nobody's business, and no reason to tell the run less.
    if (served !== null && told.isNew("proxy_refused", message)) tell({ code: "proxy_refused", message });
    return message;
  };
  const serveInstance = (request: IncomingMessage, response: ServerResponse) => {
    // A request that asks for an upgrade or names a whole address is no proxy path, whatever its path looks like.
    const kind = served === null ? null : relayKind({ method: request.method, target: request.url }, served);
    if (kind !== null && isFramedPlainly(request.method, request.headers)) {
      gitFaults.asked(request.url ?? "");
      const onAnswered = (answered: Answered) => gitFaults.note(request.url ?? "", answered);
      forward(request, response, requestHeaders(request.rawHeaders, kind), { ...options, onReceived }, onAnswered);
    } else answer(response, "proxy_refused", refusal(request));
  };
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    const practised = accepted?.practiceOf(request) ?? null;
    if (practised !== null) return practise(request, response, practised);
    if (served !== null) accepted?.replaceIn(request);
    const ofGh = served === null ? null : ghTarget(request.url, served);
    if (ofGh !== null) {
      request.url = ofGh;
      serveInstance(request, response);
    } else if (proxy === null || request.url?.startsWith("/")) serveInstance(request, response);
    else proxy.request(request, response);
  };
  const server = createServer((request, response) => {
    const held = accepted?.heldUntil(request) ?? null;
    if (held === null) serve(request, response);
    else void held.then((goesOn) => (goesOn ? serve(request, response) : void response.destroy()));
  });
  const refuseSocket = (request: IncomingMessage, socket: Duplex) => {
    refusal(request);
    socket.on("error", () => {});
    socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  };
  server.on("upgrade", (request, socket, head) => {
    if (proxy === null || request.url?.startsWith("/")) refuseSocket(request, socket);
    else proxy.upgrade(request, socket, head);
  });
  server.on("connect", (request, socket, head) => {
    if (proxy === null) refuseSocket(request, socket);
    else proxy.connect(request, socket, head);
  });
  const { close } = await listenAt(server, LOOPBACK);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    serve: (scope, onRefused, outside) => {
      if (served !== null) return;
      served = scope;
      tell = onRefused ?? tell;
      if (outside == null) return;
      proxy = new OutsideProxy({
        ...outside,
        runId: scope.runId,
        onRefused: ({ code, message = "" }) => {
          if (told.isNew(code, message)) tell({ code, message });
        },
        instance: (request, response, path) => {
          request.url = path;
          serveInstance(request, response);
        },
      });
    },
    accept: (standIn) => {
      accepted = standIn;
    },
    gitFault: (number) => gitFaults.of(number),
    isAtLfs: (number) => gitFaults.isAtLfs(number),
    passedIn: () => passedIn,
    close,
  };
}

/** Answers a program that practises, when all that it asks has come: nothing of it goes anywhere. */
function practise(request: IncomingMessage, response: ServerResponse, model: string): void {
  request.resume().once("end", () => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(practiceAnswer(model));
  });
}

/** A request's target for a person: without a query, in which a secret may be. */
function shownPath(target = ""): string {
  const [path = ""] = target.split("?");
  return path.replace(/[^!-~]/g, "?").slice(0, 100);
}
