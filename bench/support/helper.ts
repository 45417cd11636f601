/** Load, viewers and runners live in processes of their own, so that they do not wait for each other. The one spawner. */
import { type ChildProcess, fork } from "node:child_process";
import path from "node:path";

type Face = Record<string, (order: never) => unknown>;

type Answer = { id: number; ok: true; value: unknown } | { id: number; ok: false; message: string };

/** A helper program whose functions can be called from here. It ends when this process does. */
export class Helper<Of extends Face> implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #asked = 0;

  /** @param file a program beside this file, which calls `serveHelper`. */
  constructor(file: string) {
    this.#child = fork(path.join(import.meta.dirname, file), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#child.on("message", (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.ok) waiting?.resolve(answer.value as never);
      else waiting?.reject(new Error(`${file}: ${answer.message}`));
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once("exit", (code, signal) => {
        for (const { reject } of this.#waiting.values()) reject(new Error(`${file} has ended: ${signal ?? code}`));
        resolve();
      });
    });
  }

  ask<Name extends keyof Of & string>(
    name: Name,
    ...[order]: Parameters<Of[Name]>
  ): Promise<Awaited<ReturnType<Of[Name]>>> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, name, order });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
