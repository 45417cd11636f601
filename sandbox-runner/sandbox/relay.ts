/**
 * The relay: the one address that a sandbox reaches. It forwards the run's own proxy paths to the instance, streaming
 * both ways, and refuses everything else. It holds no secret: the sandbox's own proxy token goes through as it is.
 */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { answer, type ForwardOptions, forward, MOST_CONNECTIONS } from "./forward.ts";
import { type Answered, type GitFault, GitFaults } from "./git-faults.ts";
import { isFramedPlainly, type RelayScope, relayKind, requestHeaders } from "./relay-rules.ts";

export interface Relay {
  port: number;
  /** `http://127.0.0.1:<port>` */
  url: string;
  /**
   * Forwards a run's paths from now on; until then everything is refused. For one run alone.
   * @param onRefused is told of what is refused, of the same once.
   */
  serve(scope: RelayScope, onRefused?: (message: string) => void): void;
  /** What the last request for a repository met, by its number; null where it was answered well, or there was none. */
  gitFault(number: number): GitFault | null;
  /** How many bytes of answers it has passed on so far. */
  passedIn(): number;
  close(): Promise<void>;
}

/** How many different refusals are told to the transcript. */
const REFUSALS_TOLD = 20;

export async function startRelay(options: ForwardOptions): Promise<Relay> {
  let served: RelayScope | null = null;
  let passedIn = 0;
  const onReceived = (bytes: number) => {
    passedIn += bytes;
  };
  let tell: (message: string) => void = () => {};
  const refusals = new Set<string>();
  const gitFaults = new GitFaults();
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
    if (kind !== null && isFramedPlainly(request.method, request.headers)) {
      const onAnswered = (answered: Answered) => gitFaults.note(request.url ?? "", answered);
      forward(request, response, requestHeaders(request.rawHeaders, kind), { ...options, onReceived }, onAnswered);
    } else answer(response, "proxy_refused", refusal(request));
  });
  const refuseSocket = (request: IncomingMessage, socket: Duplex) => {
    refusal(request);
    socket.on("error", () => {});
    socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  };
  server.on("upgrade", refuseSocket);
  server.on("connect", refuseSocket);
  server.maxConnections = MOST_CONNECTIONS;
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
    gitFault: (number) => gitFaults.of(number),
    passedIn: () => passedIn,
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
