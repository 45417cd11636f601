/** A socket in front of the container engine that a test can shut: as if the engine had been stopped, while others go on using it. */

import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";

export class EngineDoor {
  readonly #path: string;
  readonly #engine: string;
  readonly #open = new Set<Socket>();
  #server: Server | null = null;

  private constructor(path: string, engine: string) {
    this.#path = path;
    this.#engine = engine;
  }

  /** @param path where the door's socket is to be. @param engine the engine's address. */
  static async open(path: string, engine: string): Promise<EngineDoor> {
    const door = new EngineDoor(path, engine.replace(/^unix:\/\//, ""));
    await door.open();
    return door;
  }

  /** The engine's address, through the door. */
  get address(): string {
    return `unix://${this.#path}`;
  }

  async open(): Promise<void> {
    if (this.#server !== null) return;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#join(socket)).listen(this.#path);
    await once(this.#server, "listening");
  }

  /** From now on nobody listens there, and whatever was under way is cut. */
  shut(): void {
    this.#server?.close();
    this.#server = null;
    for (const socket of this.#open) socket.destroy();
    rmSync(this.#path, { force: true });
  }

  #join(socket: Socket): void {
    const engine = connect({ path: this.#engine, allowHalfOpen: true });
    for (const [one, other] of [
      [socket, engine],
      [engine, socket],
    ] as const) {
      this.#open.add(one);
      one.pipe(other);
      one.once("error", () => other.destroy());
      one.once("close", () => {
        this.#open.delete(one);
        other.destroy();
      });
    }
  }
}
