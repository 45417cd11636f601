/** Listens at a Unix socket that whoever is in a container may speak to. */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { MOST_CONNECTIONS } from "../sandbox/forward.ts";

export interface Listening {
  /** Closes it, together with all that goes through it. */
  close(): Promise<void>;
}

export async function listenAt(server: Server, socketPath: string): Promise<Listening> {
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
    server.listen(socketPath, ready);
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
