/** The way out of the bare agent's sandbox: a proxy that only passes on. */
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * @param addresses on loopback, by the names that programs in a sandbox ask for: there, loopback is the sandbox's own.
 * @returns its port. It ends with its process.
 */
export async function startOpenProxy(addresses: Readonly<Record<string, string>>): Promise<number> {
  const server = createServer((incoming, answer) => {
    const asked = URL.parse(incoming.url ?? "");
    const address = addresses[asked?.hostname ?? ""];
    if (asked === null || address === undefined) {
      answer.writeHead(502).end();
      return;
    }
    const { host } = new URL(address);
    const { method, headers } = incoming;
    const passed = request(new URL(`${asked.pathname}${asked.search}`, address), {
      method,
      headers: { ...headers, host },
    });
    passed.on("response", (received) => {
      answer.writeHead(received.statusCode ?? 502, received.headers);
      received.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return (server.address() as AddressInfo).port;
}
