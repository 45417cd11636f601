/** Tries what runs need of an engine: a container, as a run has one, whose runner finds its way to this one. */
import { mkdir, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { type ContainerBrief, INSTANCE_HOST } from "#protocol/container-brief.ts";
import type { RunBounds } from "#protocol/run-bounds.ts";
import type { CommandEnd } from "../process/spawn.ts";
import { CONTAINER_SOCKET, SOCKET_NAME } from "./run-arguments.ts";

/** The id of no run: nobody is told of it but the container. */
const NO_RUN = `run_${"0".repeat(26)}`;

/**
 * @param folder for the socket; removed at the end.
 * @param start starts the container with the brief, and waits for its end.
 * @returns how it ended, and whether its runner asked for its link: it is told that there is none, and ends with that.
 * @throws when the file system refuses.
 */
export async function tryContainer(
  folder: string,
  bounds: RunBounds,
  start: (brief: ContainerBrief) => Promise<CommandEnd>,
): Promise<{ end: CommandEnd; hasAsked: boolean }> {
  let hasAsked = false;
  const server = createServer((_request, response) => response.writeHead(401).end());
  server.on("upgrade", ({ url }, socket) => {
    hasAsked ||= url === `/runner/runs/${NO_RUN}/link`;
    socket.on("error", () => {});
    socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  });
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await new Promise<void>((ready, fail) => {
      server.once("error", fail);
      server.listen(join(folder, SOCKET_NAME), ready);
    });
    const end = await start({
      instance_url: `http://${INSTANCE_HOST}`,
      host_socket: CONTAINER_SOCKET,
      lease: { run_id: NO_RUN, generation: 1 },
      link_token: "none",
      proxy_token: "none",
      bounds,
    });
    return { end, hasAsked };
  } finally {
    server.close();
    server.closeAllConnections();
    await rm(folder, { recursive: true, force: true });
  }
}
