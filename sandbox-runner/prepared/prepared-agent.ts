/**
 * An agent whose program is started before there is a run: the program needs longer for that than for anything else until its
 * first words. It is started for runs of one shape, with a stand-in for the credential, and given to a run only if that run's
 * own program would be started with the same words and variables. Else it is ended, and nothing of it is left.
 */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { errorText } from "#protocol/log.ts";
import { type ModelWay, modelWay, runVariables } from "../agent/agent-environment.ts";
import { isCommand } from "../agent/opening.ts";
import type { Log } from "../process/log.ts";
import { emptyFolder, emptyFolderNow, type RunFolder } from "../process/run-folder.ts";
import { within } from "../process/within.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { StandIn } from "../sandbox/stand-in.ts";
import { type Current, isAsWanted, isFor, isOfToday, nextLookMs } from "./current-agent.ts";
import { dryStart } from "./dry-start.ts";
import type { Prepared, PreparedFor } from "./prepared.ts";
import { PreparedProgram } from "./prepared-program.ts";
import { type CopyPlace, RepositoryCopy, referenceIn } from "./repository-copy.ts";
import { startOptions } from "./start-options.ts";
import type { Expected, Wanted } from "./start-shape.ts";

export interface PreparedAgentOptions {
  /** The mark of its processes. */
  mark: string;
  sandbox: Sandbox;
  /** As this machine has it. */
  folder: RunFolder;
  /** The relay, as what is in the sandbox calls it. */
  relayUrl: string;
  /** What earlier clones on this machine have received, and of which instance. */
  cache: CopyPlace["cache"];
  log: Log;
  /** Told each time that a program waits for a run. */
  onReady(): void;
  /** Told when none can be prepared in a copy as it is expected. */
  onUnfit(): void;
}

/** Until there is a run. */
const NOBODY = { run_id: "", session_url: "" };
/** What a run does before it hands its task to a program that waits in a copy: its clone, and a look at the copy's files. */
const COMMANDS_OF_COPY = 2;
const READY_MS = 30_000;
const ANSWER_MS = 3_000;
const FIRST_PAUSE_MS = 1_000;
/** So many that were lost one after the other, and no more are started in this place. */
const MOST_LOSSES = 5;

export class PreparedAgent {
  readonly standIn = new StandIn();
  readonly #options: PreparedAgentOptions;
  readonly #way: ModelWay;
  #wanted: Expected | null = null;
  #current: Current | null = null;
  #losses = 0;
  #work: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  readonly #claimed = new AbortController();
  /** Whether what waits answers: asked when there is a lease, since it has been silent until then. Null where nothing can be waited for. */
  #isAnswering: Promise<boolean> | null = null;

  constructor(options: PreparedAgentOptions) {
    this.#options = options;
    this.#way = modelWay(options.relayUrl, this.standIn.id, this.standIn.token);
  }

  /** From now on such runs are expected; null for none whose agent could be prepared. */
  expect(expected: Expected | null): void {
    this.#wanted = expected;
    this.#adjustSoon();
  }

  /** There is a lease: nothing is started any more. */
  claim(): void {
    clearTimeout(this.#timer);
    this.#claimed.abort();
    const current = this.#current;
    if (current === null || this.#isAnswering !== null) return;
    const { program, copy } = current;
    if (program.isReady) this.#isAnswering = program.answers(ANSWER_MS);
    // What it says at its practice's end is an answer as well. A copy is made ready for a run only after that.
    else if (program.isBegun && copy === null) this.#isAnswering = within(ANSWER_MS, program.ready, false);
    program.hurry();
  }

  /** @returns what waits for this run; null when there is nothing: then nothing of it is left in the place. */
  async takeFor(wanted: Wanted | null, run: PreparedFor): Promise<Prepared | null> {
    this.claim();
    await this.#work;
    const current = this.#current;
    if (current === null) return null;
    const isFit = wanted !== null && isFor(current, wanted) && isOfToday(current);
    // One that does not answer is none.
    const isTaken = isFit && (await this.#isAnswering) === true && current.program.isReady;
    this.standIn.practise(null);
    this.#options.log("agent_waited", { executor: this.#options.mark, is_taken: isTaken });
    if (!isTaken) {
      await this.#clear();
      return null;
    }
    const { sessionId, program, start, copy } = current;
    // Whether it is the right one turns out when the run's own SDK has asked for a program and told it the task: it asks its model nothing before.
    this.standIn.hold();
    // In a copy it would look around before the run's clone is there.
    const isCommanded = run.task !== null && isCommand(run.task);
    if (run.task !== null && copy === null && !isCommanded) program.tellTask(run.task);
    let isHandedOver = false;
    let told: Promise<void> | null = null;
    const tellRun = async () => {
      if (isHandedOver) told ??= program.tellVariables({ ...current.variables, ...run.variables });
      await told;
    };
    return {
      sessionId,
      copy,
      get isThere() {
        return program.isReady;
      },
      way: this.#way,
      file: start.command[0],
      tellRun,
      giveUp: async () => {
        this.#current = null;
        this.#options.log("agent_given_up", { executor: this.#options.mark });
        await program.end();
        await this.#empty(this.#options.folder.home, this.#options.folder.temporary);
      },
      start: (command, { env }) => {
        this.#current = null;
        const isSame = isDeepStrictEqual({ command, env }, { command: start.command, env: start.env });
        const { mark, log } = this.#options;
        const unfit = (facts: object) => log("prepared_agent_unfit", { executor: mark, ...facts }, "warn");
        isHandedOver = isSame && program.isReady;
        if (isHandedOver) {
          const handed = program.handOver(
            () => this.standIn.lend(run),
            () => unfit({ is_same: true, is_told_same: false }),
          );
          if (isCommanded) void tellRun();
          return handed;
        }
        unfit({ is_same: isSame });
        // The one that is started in its place asks its model by the same way, and records its conversation under the same name.
        const ended = program.end();
        this.standIn.drop();
        this.#emptyNow(this.#options.folder.home, this.#options.folder.temporary);
        void ended.then(() => this.standIn.lend(run));
        return null;
      },
    };
  }

  /** Ends what waits, and removes what it has written. */
  async close(): Promise<void> {
    this.claim();
    await this.#work;
    await this.#clear();
  }

  get #isClaimed(): boolean {
    return this.#claimed.signal.aborted;
  }

  #adjustSoon(): void {
    clearTimeout(this.#timer);
    if (this.#isClaimed) return;
    this.#work = this.#work
      .then(() => this.#adjust())
      .catch(async (error) => {
        await this.#clear();
        this.#lost(errorText(error));
      });
  }

  async #adjust(): Promise<void> {
    const wanted = this.#wanted;
    const current = this.#current;
    if (this.#isClaimed) return;
    if (current !== null && wanted !== null && isAsWanted(current, wanted)) return this.#lookAgain(current);
    // One has lived until another was wanted. That it was ready says little: where memory is short, it dies after that.
    if (current !== null && !current.program.isOver) this.#losses = 0;
    if (current !== null) await this.#clear();
    if (wanted === null || this.#losses >= MOST_LOSSES) return;
    const place = { ...this.#options, id: this.standIn.id };
    const copy = wanted.copy === null ? null : await RepositoryCopy.make(wanted.copy, place, this.#claimed.signal);
    // What was kept is gone, or it is of no use: so it is until another is wanted.
    if (wanted.copy !== null && copy === null) {
      await this.#clear();
      if (!this.#isClaimed) this.#options.onUnfit();
      return;
    }
    const sessionId = randomUUID();
    const options = startOptions(wanted, copy, sessionId, { ...this.#options, way: this.#way });
    const start = await dryStart(options);
    // A lease has come meanwhile: its agent is not kept waiting by this one.
    if (this.#isClaimed) return copy === null ? undefined : await this.#clear();
    // Before it can have looked at the date.
    const startedAtMs = Date.now();
    const child = this.#options.sandbox.start(start.command, { cwd: options.cwd, env: start.env });
    const variables = options.settings.env ?? {};
    this.standIn.practise(wanted.shape.model);
    const program = new PreparedProgram(child, start.initialize, { ...variables, ...runVariables(NOBODY) });
    const begun = { expected: wanted, copy, sessionId, start, variables, program, startedAtMs };
    this.#current = begun;
    void this.#seeReady(begun);
    void program.ended.then(() => {
      if (this.#current === begun && !this.#isClaimed) this.#lost(program.fault ?? "ended");
    });
  }

  async #seeReady(begun: Current): Promise<void> {
    const isReady = await within(READY_MS, begun.program.ready, false);
    if (this.#current !== begun || this.#isClaimed) return;
    this.standIn.practise(null);
    // Its end is told by itself.
    if (!isReady) return await begun.program.end();
    const { copy } = begun;
    if (copy !== null) {
      // A run that takes it meanwhile waits for this.
      const thinned = this.#work.then(() => copy.thinOut()).catch(() => begun.program.end());
      this.#work = thinned;
      await thinned;
      if (this.#current !== begun || this.#isClaimed || !begun.program.isReady) return;
      this.#options.sandbox.enterAhead(COMMANDS_OF_COPY);
    }
    const { mark, log, onReady } = this.#options;
    const ms = Date.now() - begun.startedAtMs;
    this.#lookAgain(begun);
    // Before the log: who reads there that it waits may send its run at once.
    onReady();
    log("agent_ready", { executor: mark, ...(copy === null ? {} : { has_copy: true }), ms });
  }

  /** One that nobody takes is replaced as often as it takes. */
  #lookAgain(current: Current): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#adjustSoon(), nextLookMs(current));
  }

  #lost(outcome: string): void {
    this.#losses += 1;
    this.#options.log("prepared_agent_lost", { executor: this.#options.mark, outcome }, "warn");
    const pauseMs = FIRST_PAUSE_MS * 2 ** (this.#losses - 1);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#adjustSoon(), pauseMs);
  }

  /** Ends it, and removes what it has written. Never rejects. */
  async #clear(): Promise<void> {
    const current = this.#current;
    this.#current = null;
    this.standIn.practise(null);
    await current?.program.end();
    const { folder } = this.#options;
    await this.#empty(folder.home, folder.temporary, folder.workspace);
    await rm(referenceIn(folder), { recursive: true, force: true }).catch(() => {});
  }

  /** Never rejects. */
  async #empty(...folders: string[]): Promise<void> {
    await Promise.all(folders.map((one) => emptyFolder(one))).catch((error) => this.#tellKept(error));
  }

  /** Never throws. */
  #emptyNow(...folders: string[]): void {
    try {
      for (const one of folders) emptyFolderNow(one);
    } catch (error) {
      this.#tellKept(error);
    }
  }

  #tellKept(error: unknown): void {
    const { mark, log } = this.#options;
    log("prepared_agent_kept", { executor: mark, error: errorText(error) }, "warn");
  }
}
