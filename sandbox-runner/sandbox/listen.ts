/** Listens for what programs of a sandbox say, at a Unix socket or on loopback. */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { MOST_CONNECTIONS } from "./forward.ts";

export interface Listening {
  /** Closes it, together with all that goes through it. */
  close(): Promise<void>;
}

/** A free port of this machine's own. */
export const LOOPBACK = { port: 0, host: "127.0.0.1" } as const;

export async function listenAt(server: Server, at: { path: string } | typeof LOOPBACK): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  // All runs' ways out are in this one process: none may take what the others need.
  server.maxConnections = MOST_CONNECTIONS;
  // A push may take long to send its body; the run's own deadline ends it.
  server.requestTimeout = 0;
  await new Promise<void>((ready, fail) => {
    server.once("error", fail);
    server.listen(at, ready);
  });
  return {
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        // Also those that are no requests any more: tunnels and WebSockets.
        for (const socket of sockets) socket.destroy();
      }),
  };
}
