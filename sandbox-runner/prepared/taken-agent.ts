/** A prepared agent that a run has taken: whether it is the run's is seen when the run's own SDK asks for its program. */
import { isDeepStrictEqual } from "node:util";
import type { ModelWay } from "../agent/agent-environment.ts";
import type { Program } from "../agent/gated-process.ts";
import { isCommand } from "../agent/opening.ts";
import type { Log } from "../process/log.ts";
import type { Command, PipedProcess, Place } from "../process/spawn.ts";
import type { StandIn } from "../sandbox/stand-in.ts";
import type { Current } from "./current-agent.ts";
import type { Prepared, PreparedFor } from "./prepared.ts";
import type { RepositoryCopy } from "./repository-copy.ts";

export interface TakenAgentOptions {
  current: Current;
  run: PreparedFor;
  way: ModelWay;
  standIn: StandIn;
  /** The mark of its processes. */
  mark: string;
  log: Log;
  /** The run has it from now on, or it is ended. */
  onTaken(): void;
  /** Removes what it has written, but for its copy. Never rejects. */
  empty(): Promise<void>;
  /** The same, before anything else is done. Never throws. */
  emptyNow(): void;
}

const STARTED_OTHERWISE =
  "An agent was started ahead, otherwise than this run's own is started. So that is started anew.";
const TOLD_OTHERWISE =
  "An agent was started ahead, and told something else than this run's own is told. It has asked its model nothing, and is started anew.";
const ENDED = "An agent was started ahead. It has ended, so another is started.";

export class TakenAgent implements Prepared {
  readonly sessionId: string;
  readonly copy: RepositoryCopy | null;
  readonly way: ModelWay;
  readonly file: string;
  readonly #options: TakenAgentOptions;
  /** Its task is a command of the program's, which may run others before any call. */
  readonly #isCommanded: boolean;
  #isHandedOver = false;
  #told: Promise<void> | null = null;
  #fault: string | null = null;

  /** It begins with the run's task, where that is known. */
  constructor(options: TakenAgentOptions) {
    const { current, run, way, standIn } = options;
    const { sessionId, copy, start, program } = current;
    this.#options = options;
    this.sessionId = sessionId;
    this.copy = copy;
    this.way = way;
    this.file = start.command[0];
    // Whether it is the right one turns out when the run's own SDK has asked for a program and told it the task: it asks its model nothing before.
    standIn.hold();
    this.#isCommanded = run.task !== null && isCommand(run.task);
    // In a copy it would look around before the run's clone is there.
    if (run.task !== null && copy === null && !this.#isCommanded) program.tellTask(run.task);
  }

  get isThere(): boolean {
    return this.#options.current.program.isReady;
  }

  get fault(): string | null {
    return this.#fault;
  }

  async tellRun(): Promise<void> {
    if (this.#isHandedOver) this.#told ??= this.#tellVariables();
    await this.#told;
  }

  async giveUp(): Promise<void> {
    const { current, mark, log, onTaken, empty } = this.#options;
    onTaken();
    log("agent_given_up", { executor: mark });
    await current.program.end();
    await empty();
  }

  start(command: Command, { env }: Place, another: () => PipedProcess | null): Program | null {
    const { current, run, standIn, onTaken } = this.#options;
    const { start, program } = current;
    onTaken();
    const isSame = isDeepStrictEqual({ command, env }, { command: start.command, env: start.env });
    this.#isHandedOver = isSame && program.isReady;
    if (!this.#isHandedOver) {
      this.#leave(isSame);
      return null;
    }
    const handed = program.handOver({
      onRight: () => standIn.lend(run),
      onAskedOther: () => this.#tellUnfit({ is_same: true, is_told_same: false }),
      another: () => this.#giveWay(another),
    });
    if (this.#isCommanded) void this.tellRun();
    return handed;
  }

  /** The one that is started in its place asks its model by the same way, and records its conversation under the same name. */
  #leave(isSame: boolean): void {
    const { current, run, standIn, mark, log, emptyNow } = this.#options;
    if (isSame) log("prepared_agent_lost", { executor: mark, outcome: "ended" }, "warn");
    else this.#tellUnfit({ is_same: false });
    run.onStep(isSame ? ENDED : STARTED_OTHERWISE);
    const ended = current.program.end();
    standIn.drop();
    emptyNow();
    void ended.then(() => standIn.lend(run));
  }

  /** As above, where it has begun already. Never rejects. */
  async #giveWay(another: () => PipedProcess | null): Promise<PipedProcess | null> {
    const { current, run, standIn, empty } = this.#options;
    // What is started so knows its run.
    this.#isHandedOver = false;
    this.#tellUnfit({ is_same: true, is_told_same: false });
    run.onStep(TOLD_OTHERWISE);
    standIn.drop();
    await current.program.end();
    await empty();
    standIn.lend(run);
    try {
      return another();
    } catch {
      // The end of what the run reads tells it.
      return null;
    }
  }

  async #tellVariables(): Promise<void> {
    const { current, run, mark, log } = this.#options;
    const why = await current.program.tellVariables({ ...current.variables, ...run.variables });
    if (why === null) return;
    this.#fault = `The agent's program was started ahead, and is ended: ${why}`;
    log("prepared_agent_lost", { executor: mark, outcome: why }, "warn");
  }

  #tellUnfit(facts: object): void {
    const { mark, log } = this.#options;
    log("prepared_agent_unfit", { executor: mark, ...facts }, "warn");
  }
}
