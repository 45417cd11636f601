/** What a run is given of an agent that was prepared, and what that has to know of the run. */
import type { ModelWay } from "../agent/agent-environment.ts";
import type { Program } from "../agent/gated-process.ts";
import type { Command, Place } from "../process/spawn.ts";
import type { Message } from "./prepared-program.ts";
import type { RepositoryCopy } from "./repository-copy.ts";

/** For which run it is taken. */
export interface PreparedFor {
  id: string;
  /** The token that its stand-in stands for. */
  token: string;
  /** What its own program would have been started with besides. */
  variables: Record<string, string>;
  /** What it is told first; null where that is not known yet. */
  task: Message | null;
}

/** A program that waits, for one run. It has been told its task, where that is known. */
export interface Prepared {
  /** The name under which it records its conversation. */
  sessionId: string;
  /** How it asks its model: by the stand-in, which stands for the run's token from now on. */
  way: ModelWay;
  /** The file that it was started from. */
  file: string;
  /** The copy of the run's repository that it was started in; null where its run has none. */
  copy: RepositoryCopy | null;
  /**
   * @returns the program; null when it was started otherwise than is asked for here, or has ended: then another is to be started so, and
   * nothing is left of it but its copy.
   */
  start(command: Command, place: Place): Program | null;
  /**
   * Tells it which run it has, for all commands to come. It takes some ten milliseconds for that, and prepares its next turn anew: so
   * it is told before its first call, and not before its first words; before its task alone where that is a command. @returns settles when it knows. Never rejects.
   */
  tellRun(): Promise<void>;
  /** Ends it, in place of its start, and removes what it has written, but for its copy. Never rejects. */
  giveUp(): Promise<void>;
  /** Whether it still is. */
  readonly isThere: boolean;
}
