/** A way to the instance by a Unix socket, as an address on loopback: for a container that has no network. */
import { connect, createServer } from "node:net";
import { MOST_CONNECTIONS } from "../sandbox/forward.ts";

/**
 * @param socketPath where whoever passes requests on listens.
 * @param onGone nobody listens there any more.
 * @returns the address, without a slash at its end. It lasts as long as the process.
 */
export async function bridgeTo(socketPath: string, onGone: () => void): Promise<string> {
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ path: socketPath, allowHalfOpen: true });
    near.on("error", () => far.destroy());
    far.on("error", (error: NodeJS.ErrnoException) => {
      near.destroy();
      if (error.code === "ECONNREFUSED" || error.code === "ENOENT") onGone();
    });
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
    near.pipe(far).pipe(near);
  });
  server.maxConnections = MOST_CONNECTIONS;
  await new Promise<void>((ready, fail) => {
    server.once("error", fail);
    server.listen(0, "127.0.0.1", ready);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The bridge has no port.");
  return `http://127.0.0.1:${address.port}`;
}
