/** The network between a browser and the instance: a TCP proxy that can be cut. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export class Network {
  /** Where the browser dials. */
  readonly port: number;
  readonly #server: ReturnType<typeof createServer>;
  readonly #sockets = new Set<Socket>();

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  /** @param target the port of loopback that it leads to. */
  static async open(target: number): Promise<Network> {
    const server = createServer((browser) => {
      const instance = connect({ host: "127.0.0.1", port: target });
      for (const [socket, other] of [
        [browser, instance],
        [instance, browser],
      ] as const) {
        network.#sockets.add(socket);
        socket.on("error", () => other.destroy());
        socket.on("close", () => {
          network.#sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
    await listen(server, 0);
    const network = new Network(server);
    return network;
  }

  /** Ends every connection, and refuses new ones until `mend`. */
  async cut(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  async mend(): Promise<void> {
    await listen(this.#server, this.port);
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.cut();
  }
}

function listen(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
}
