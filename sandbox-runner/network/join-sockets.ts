/** Two sockets become one connection, once an upgrade has been taken. */
import type { Duplex } from "node:stream";

/** A socket, with what it has said already beyond its head. */
interface Side {
  socket: Duplex;
  head: Buffer;
}

/** What either side says goes to the other from now on, and the end of one ends both. @param answer the head that the asking side is told first. */
export function joinSockets(asking: Side, asked: Side, answer: string): void {
  asking.socket.write(answer);
  asking.socket.write(asked.head);
  asked.socket.write(asking.head);
  asked.socket.on("error", () => {});
  asked.socket.once("close", () => asking.socket.destroy());
  asking.socket.once("close", () => asked.socket.destroy());
  asking.socket.pipe(asked.socket);
  asked.socket.pipe(asking.socket);
}
