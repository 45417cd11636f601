/** Which ports of loopback are free. */
import { type AddressInfo, connect, createServer } from "node:net";
import { codeOf, failed, messageOf, type Outcome, succeeded } from "#scripts/outcome.ts";

const LOOK_DEADLINE_MS = 1_000;

/** Checks that the worker can listen on the port, and that no other program answers at `localhost` before it. */
export async function checkPort(port: number): Promise<Outcome<null>> {
  const bound = await tryToBind(port);
  if (!bound.ok) {
    if (bound.code === "EADDRINUSE") return failed(busy(port));
    return failed(`Port ${port} can't be used (${bound.message}): choose another, for example PORT=8788 npm start.`);
  }
  // Browsers try IPv6 first where a host has both.
  return (await answers("::1", port)) ? failed(busy(port)) : succeeded(null);
}

/** Draws a port that is free at this moment. */
export async function drawFreePort(): Promise<number> {
  const bound = await tryToBind(0);
  if (!bound.ok) throw new Error(bound.message);
  return bound.port;
}

function busy(port: number): string {
  return `Port ${port} is in use: stop the program that uses it, or choose another port, for example PORT=${port + 1} npm start.`;
}

type Bound = { ok: true; port: number } | { ok: false; code: string | undefined; message: string };

function tryToBind(port: number): Promise<Bound> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve({ ok: false, code: codeOf(error), message: messageOf(error) }));
    server.listen(port, "127.0.0.1", () => {
      const { port: boundPort } = server.address() as AddressInfo;
      server.close(() => resolve({ ok: true, port: boundPort }));
    });
  });
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.setTimeout(LOOK_DEADLINE_MS, () => settle(false));
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}
