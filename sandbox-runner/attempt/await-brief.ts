/**
 * How a container that was started before there is a lease gets its brief: its object brings it to a port of the container,
 * together with the token that the container was started with. Nothing else runs in the container until then, and the port is
 * closed before anything does.
 */
import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type ContainerBrief, containerBriefSchema } from "#protocol/container-brief.ts";
import { within } from "../process/within.ts";

export interface AwaitBriefOptions {
  token: string;
  port: number;
  /** Settles when all that needs no lease is done: `GET /ready` answers 200 from then on, and 503 before. */
  ready: Promise<void>;
  /** Ends the wait. */
  given: AbortSignal;
}

const LONGEST_BRIEF = 65_536;
const CLOSE_MS = 500;

/** @returns the first brief that comes with the token; null when the wait has ended before. The port is closed by then. */
export async function awaitBrief({ token, port, ready, given }: AwaitBriefOptions): Promise<ContainerBrief | null> {
  const taken = Promise.withResolvers<ContainerBrief | null>();
  let isReady = false;
  let isTaken = false;
  void ready.then(() => {
    isReady = true;
  });
  const answer = async (request: IncomingMessage): Promise<number> => {
    if (!isAuthorized(request, token)) return 401;
    if (request.method === "GET" && request.url === "/ready") return isReady ? 200 : 503;
    if (request.method !== "POST" || request.url !== "/brief") return 404;
    const brief = parseBrief(await readText(request));
    if (brief === null) return 400;
    if (isTaken) return 409;
    isTaken = true;
    taken.resolve(brief);
    return 204;
  };
  const server = createServer((request, response) => {
    answer(request).then(
      (status) => response.writeHead(status, { connection: "close" }).end(),
      () => response.destroy(),
    );
  });
  given.addEventListener("abort", () => taken.resolve(null), { once: true });
  server.once("error", taken.reject);
  server.listen(port);
  try {
    return await taken.promise;
  } finally {
    await close(server);
  }
}

/** What is being answered is answered to the end: whoever has brought the brief is told that it was taken. */
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((settle) => {
    server.close(() => settle());
  });
  server.closeIdleConnections();
  await within(CLOSE_MS, closed, undefined);
  server.closeAllConnections();
}

function isAuthorized({ headers }: IncomingMessage, token: string): boolean {
  const given = Buffer.from(headers.authorization ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** @throws Error when it is too long, or breaks off. */
async function readText(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    text += chunk;
    if (text.length > LONGEST_BRIEF) throw new Error("too long");
  }
  return text;
}

function parseBrief(text: string): ContainerBrief | null {
  try {
    return containerBriefSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
