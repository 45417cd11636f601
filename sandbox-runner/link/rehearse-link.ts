/**
 * Dials a WebSocket, and makes a request of HTTP as the relay does, for practice. The first ones of a process take 20 and 10 ms of
 * its processor time: Node loads what it needs for that only then, and the schemas of messages are compiled with the first
 * message. A spare executor has the time for it before there is a run.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { runToRunnerSchema } from "#protocol/runner-link.ts";
import { within } from "../process/within.ts";
import { dial } from "../sandbox/forward.ts";

const DEADLINE_MS = 2_000;
const LOOPBACK = "127.0.0.1";
/** What a server of RFC 6455 puts after the key of whoever dials. */
const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** A text message of two bytes, as it is on the wire: `{}`. */
const MESSAGE = Buffer.from([0x81, 2, 0x7b, 0x7d]);

/** Talks to a server of this process alone, which is closed when it settles. Never rejects. @returns whether a message and an answer have come. */
export async function rehearseLink(): Promise<boolean> {
  runToRunnerSchema.safeParse({ type: "welcome", order: {} });
  const server = createServer((_request, response) => response.end("{}"));
  server.on("upgrade", ({ headers }, socket) => {
    socket.on("error", () => {});
    const accept = createHash("sha1").update(`${headers["sec-websocket-key"]}${WEBSOCKET_GUID}`).digest("base64");
    const answer = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
    socket.write(`${[...answer, `Sec-WebSocket-Accept: ${accept}`].join("\r\n")}\r\n\r\n`);
    socket.end(MESSAGE);
  });
  try {
    server.listen(0, LOOPBACK);
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const socket = new WebSocket(`ws://${LOOPBACK}:${port}/`);
    let isHeard = false;
    const closed = new Promise<void>((settle) => {
      socket.addEventListener("message", () => {
        isHeard = true;
      });
      socket.addEventListener("error", () => {});
      socket.addEventListener("close", () => settle());
    });
    const [isAnswered] = await Promise.all([
      within(DEADLINE_MS, ask(`http://${LOOPBACK}:${port}`), false),
      within(DEADLINE_MS, closed, undefined),
    ]);
    return isHeard && isAnswered;
  } catch {
    return false;
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

async function ask(url: string): Promise<boolean> {
  const { upstream } = dial({ method: "POST", url: "/" }, [["content-type", "application/json"]], url);
  const answered = once(upstream, "response");
  upstream.end("{}");
  const [answer] = await answered;
  return (await text(answer)) === "{}";
}
