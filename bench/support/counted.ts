/** A port on loopback that passes everything on to another, and counts what comes back. */
import { type AddressInfo, connect, createServer } from "node:net";

export interface Counted extends AsyncDisposable {
  url: string;
  /** MiB that have come back since it was asked last. */
  takeMiB(): number;
}

export async function startCounted(target: string): Promise<Counted> {
  const { hostname, port } = new URL(target);
  let bytes = 0;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    near.pipe(far);
    far.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    far.pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.once("error", () => other.destroy());
      one.once("close", () => other.destroy());
    }
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    takeMiB: () => {
      const taken = bytes / 1_048_576;
      bytes = 0;
      return taken;
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}
