/** Where a run's commands run: what is common to all kinds of sandboxes, and the machine itself, which is none. */
import type { SandboxKind } from "#protocol/run.ts";
import { endMarkedProcesses } from "../process/marked-processes.ts";
import { type Inside, NOTHING_INSIDE } from "../process/run-usage.ts";
import {
  awaitProcess,
  type Bounds,
  type Command,
  type CommandEnd,
  killGroup,
  type PipedProcess,
  type Place,
  startProcess,
} from "../process/spawn.ts";

export type SandboxResult =
  | {
      ok: true;
      sandbox: Sandbox;
      /** The user as whom commands run. */
      user: number;
      /** Why it is not another user's sandbox, which would be tighter; null when it is the tightest that is known. */
      declined: string | null;
    }
  | { ok: false; reason: string };

/** Where commands run: in a sandbox, or on this machine itself. */
export abstract class Sandbox {
  abstract readonly kind: SandboxKind;
  readonly #running = new Set<PipedProcess>();

  /** Where commands see the run's home: at the same place in every run. Null where it lies in the run's own folder. */
  get home(): string | null {
    return null;
  }

  /** How what is started in it calls the relay. @param url the relay's own address on this machine. */
  relayUrl(url: string): string {
    return url;
  }

  /** Starts a command. */
  abstract start(command: Command, place: Place): PipedProcess;

  /** Makes so many commands to come start sooner. */
  enterAhead(_count: number): void {}

  /** Whether what is started in it can still reach its relay. */
  async isAlive(): Promise<boolean> {
    return true;
  }

  /** Runs a command to its end. */
  run(command: Command, place: Place, bounds: Bounds): Promise<CommandEnd> {
    return awaitProcess(this.start(command, place), bounds);
  }

  /** What is to be counted as the run's use of this machine. */
  inside(): Inside {
    return NOTHING_INSIDE;
  }

  /** Which rights one of its commands has that it must not have, in one line; null when all is as it should be. */
  breach(): string | null {
    return null;
  }

  /** Ends what commands that have ended have left running. Nothing to do where that ends together with its command. */
  async endLeftOver(): Promise<void> {}

  /** Removes what commands have left outside of the run's own folders. Nothing to do where that ends together with its command. */
  async removeLeftOver(_signal: AbortSignal): Promise<void> {}

  /** Kills everything inside, at once. */
  kill(): void {
    for (const child of this.#running) killGroup(child.pid);
  }

  /** Takes the sandbox down; nothing may run inside any more. */
  async close(): Promise<void> {
    this.kill();
  }

  /** What has been started in it and has not ended, as this machine numbers it. */
  protected entrances(): number[] {
    return [...this.#running].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  protected keep(child: PipedProcess): PipedProcess {
    this.#running.add(child);
    child.once("close", () => this.#running.delete(child));
    return child;
  }
}

/** Runs commands on this machine itself, in the same folders. @param mark that of their processes. */
export function withoutSandbox(mark: string): Sandbox {
  return new BareMachine(mark);
}

const END_DEADLINE_MS = 5_000;

class BareMachine extends Sandbox {
  readonly kind = "none";
  readonly #mark: string;

  constructor(mark: string) {
    super();
    this.#mark = mark;
  }

  override async endLeftOver(): Promise<void> {
    await endMarkedProcesses(this.#mark, END_DEADLINE_MS, [process.pid]);
  }

  override start(command: Command, place: Place): PipedProcess {
    return this.keep(startProcess(command, place));
  }
}
