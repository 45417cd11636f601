/** A tunnel to a host: it begins with TLS that names this host, and from then on its bytes go both ways. */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { helloName, LONGEST_HELLO } from "./client-hello.ts";

/** How long a program may take to begin with TLS. */
const HELLO_MS = 10_000;

export interface Tunnel {
  /** The side of the sandbox, which has asked for the tunnel. */
  socket: Duplex;
  /** What came behind its request. */
  head: Buffer;
  upstream: Socket;
  host: string;
  /** Is told of another name than the host's; null where there is none, or no TLS. */
  onOther(name: string | null): void;
}

/** Says that the tunnel is there, and joins both sides once the first message has been read. */
export function openTunnel({ socket, head, upstream, host, onOther }: Tunnel): void {
  const end = () => {
    socket.destroy();
    upstream.destroy();
  };
  socket.once("close", () => upstream.destroy());
  upstream.once("close", () => socket.destroy());
  if (socket.destroyed) {
    upstream.destroy();
    return;
  }
  socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
  let bytes = head;
  const timer = setTimeout(end, HELLO_MS);
  socket.once("close", () => clearTimeout(timer));
  const look = () => {
    const hello = helloName(bytes);
    if (hello.kind === "more" && bytes.length <= LONGEST_HELLO) return;
    socket.off("data", take);
    clearTimeout(timer);
    if (hello.kind !== "hello" || hello.name?.toLowerCase() !== host) {
      onOther(hello.kind === "hello" ? hello.name : null);
      return end();
    }
    socket.pause();
    upstream.write(bytes);
    socket.pipe(upstream);
    upstream.pipe(socket);
  };
  const take = (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    look();
  };
  socket.on("data", take);
  if (head.length > 0) look();
}
