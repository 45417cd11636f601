/** The agent's process with an output that can be held back: while nothing is read, the agent itself has to wait. */
import { EventEmitter } from "node:events";
import { type Readable, Transform, type Writable } from "node:stream";
import type { SpawnedProcess } from "@anthropic-ai/claude-agent-sdk";
import { killGroup, type PipedProcess } from "../process/spawn.ts";

/** A process, and what it is spoken to by: its own pipes, or what stands in front of them. */
export interface Program {
  child: PipedProcess;
  stdin: Writable;
  stdout: Readable;
}

export class GatedProcess extends EventEmitter implements SpawnedProcess {
  readonly stdin: SpawnedProcess["stdin"];
  readonly stdout: Readable;
  readonly #child: PipedProcess;

  constructor({ child, stdin, stdout }: Program, room: () => Promise<void>) {
    super();
    this.#child = child;
    this.stdin = stdin;
    this.stdout = stdout.pipe(
      new Transform({
        transform(chunk, _encoding, pass) {
          void room().then(() => pass(null, chunk));
        },
      }),
    );
    const read = new Promise((done) => this.stdout.once("close", done));
    child.once("error", (error) => this.emit("error", error));
    child.once("close", (code, signal) => void read.then(() => this.emit("exit", code, signal)));
  }

  get killed(): boolean {
    return this.#child.killed;
  }
  get exitCode(): number | null {
    return this.#child.exitCode;
  }
  get signalCode(): NodeJS.Signals | null {
    return this.#child.signalCode;
  }

  kill(_signal: NodeJS.Signals): boolean {
    killGroup(this.#child.pid);
    return true;
  }
}
