/** An instance of this process alone, for practice: it welcomes every link with an order, answers every request, and keeps nothing. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { RUNNER_PROTOCOL, type RunOrder, type RunToRunner } from "#protocol/runner-link.ts";
import { LOOPBACK } from "../sandbox/listen.ts";

/** What a server of RFC 6455 puts after the key of whoever dials. */
const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const TEXT_FRAME = 0x81;
/** Says that the length follows as two bytes. */
const TWO_BYTES = 126;

export interface PracticeInstance {
  url: string;
  /** Cuts every connection. */
  close(): void;
}

/** @param order that every link gets; as JSON it has fewer than 64 KiB, and more than a few words. */
export async function startPracticeInstance(order: RunOrder): Promise<PracticeInstance> {
  const sockets: Duplex[] = [];
  const server = createServer((_request, response) => response.end("{}"));
  const welcome: RunToRunner = { type: "welcome", protocol: RUNNER_PROTOCOL, ack: 0, order, features: [] };
  server.on("upgrade", ({ headers }, socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    // What a runner says is read, and means nothing.
    socket.resume();
    const accept = createHash("sha1").update(`${headers["sec-websocket-key"]}${WEBSOCKET_GUID}`).digest("base64");
    const answer = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
    socket.write(`${[...answer, `Sec-WebSocket-Accept: ${accept}`].join("\r\n")}\r\n\r\n`);
    socket.write(framed(JSON.stringify(welcome)));
  });
  server.listen(LOOPBACK);
  await once(server, "listening");
  return {
    url: `http://${LOOPBACK.host}:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A text as it is on the wire. */
function framed(text: string): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.from([TEXT_FRAME, TWO_BYTES, 0, 0]);
  head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}
