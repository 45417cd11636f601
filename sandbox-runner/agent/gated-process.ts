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
  /** Settles with the process that takes the place of the first one, which has said nothing by then; never where none does. */
  another?: Promise<PipedProcess>;
}

export class GatedProcess extends EventEmitter implements SpawnedProcess {
  readonly stdin: SpawnedProcess["stdin"];
  readonly stdout: Readable;
  readonly #read: Promise<unknown>;
  #child: PipedProcess;

  constructor({ child, stdin, stdout, another }: Program, room: () => Promise<void>) {
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
    this.#read = new Promise((done) => this.stdout.once("close", done));
    this.#follow(child);
    void another?.then((other) => this.#follow(other));
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

  /** The end of one whose place another has taken is not told: its output goes on with what the other says. */
  #follow(child: PipedProcess): void {
    this.#child = child;
    child.once("error", (error) => this.emit("error", error));
    child.once("close", (code, signal) => {
      void this.#read.then(() => {
        if (this.#child === child) this.emit("exit", code, signal);
      });
    });
  }
}
