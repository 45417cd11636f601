/** What an agent connects to holds only so many connections: without a descriptor left, its runner could not hold it to anything. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type NetConnectOpts, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { bridgeTo } from "#sandbox-runner/link/bridge.ts";
import { MOST_CONNECTIONS } from "#sandbox-runner/sandbox/forward.ts";
import { startRelay } from "#sandbox-runner/sandbox/relay.ts";

const TOO_MANY = 20;
const NOWHERE = "http://127.0.0.1:1";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function socketPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "reveille-held-"));
  closers.push(() => rmSync(folder, { recursive: true }));
  return join(folder, "out.sock");
}

it.each<[string, () => Promise<NetConnectOpts>]>([
  [
    "the relay",
    async () => {
      const relay = await startRelay({ instanceUrl: NOWHERE });
      closers.push(relay.close);
      return { host: "127.0.0.1", port: relay.port };
    },
  ],
  [
    "a container's bridge",
    async () => {
      const path = socketPath();
      const far = createServer().listen(path);
      await once(far, "listening");
      closers.push(() => far.close());
      return { host: "127.0.0.1", port: Number(new URL(await bridgeTo(path, () => {})).port) };
    },
  ],
])("%s", async (_name, open) => {
  const address = await open();
  const held: Socket[] = [];
  closers.push(() => held.map((socket) => socket.destroy()));
  const closed: number[] = [];
  const refused = Promise.withResolvers<void>();
  for (let number = 0; number < MOST_CONNECTIONS + TOO_MANY; number += 1) {
    const socket = connect(address).resume();
    socket.on("error", () => {});
    socket.once("close", () => {
      if (closed.push(number) === TOO_MANY) refused.resolve();
    });
    await once(socket, "connect");
    held.push(socket);
  }
  await refused.promise;
  expect(closed).toEqual(Array.from({ length: TOO_MANY }, (_, index) => MOST_CONNECTIONS + index));
});
