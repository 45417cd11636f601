/** The agent's program of a prepared agent: started, told all but its task, and handed over to a run. */
import { killGroup, type PipedProcess, processClosed } from "../process/spawn.ts";
import { within } from "../process/within.ts";

/** Put for a request's id before the number of the request: no other request of the program's has such an id. */
const REQUEST = "prepared-";
const END_MS = 2_000;
/** What it says before it has a run is a few KiB; a program that goes on without an end of the line is no agent. */
const LONGEST_LINE = 4_194_304;

type Variables = Readonly<Record<string, string>>;
/** One of the agent's program, as the Agent SDK sends it. */
export type Request = Readonly<Record<string, unknown>>;

export class PreparedProgram {
  /** Settles when it has ended. */
  readonly ended: Promise<void>;
  /** Settles when it has begun to wait for a run: false when it never will. */
  readonly ready: Promise<boolean>;
  readonly #child: PipedProcess;
  readonly #answered = new Map<string, PromiseWithResolvers<boolean>>();
  #text = Buffer.alloc(0);
  #isReady = false;
  #isOver = false;

  /**
   * @param initialize the first request of a run, as it is known by now. It is repeated when there is a run, and takes a third of
   * the time when the program has done it twice before; so do its variables.
   */
  constructor(child: PipedProcess, initialize: Request, variables: Variables) {
    this.#child = child;
    this.ended = processClosed(child).then(() => {
      this.#isOver = true;
      for (const { resolve } of this.#answered.values()) resolve(false);
    });
    child.stdout.on("data", this.#hear);
    child.stderr.on("data", ignore);
    child.once("error", ignore);
    this.ready = this.#rehearse(initialize, variables);
  }

  /** Whether it waits for a run. */
  get isReady(): boolean {
    return this.#isReady && !this.#isOver;
  }

  /** Gives all commands to come these variables, as if it had been started with them. @returns whether it does, and has said so in time. */
  async tellVariables(variables: Variables, deadlineMs: number): Promise<boolean> {
    return await within(deadlineMs, this.#ask({ subtype: "apply_flag_settings", settings: { env: variables } }), false);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** What it says from now on is not read here any more. */
  handOver(): PipedProcess {
    const { stdout, stderr } = this.#child;
    stdout.off("data", this.#hear);
    stderr.off("data", ignore);
    stdout.pause();
    if (this.#text.length > 0) stdout.unshift(this.#text);
    this.#text = Buffer.alloc(0);
    return this.#child;
  }

  /** Kills it with all that it has started; settles when it is gone, or has not been for a while. */
  async end(): Promise<void> {
    killGroup(this.#child.pid);
    await within(END_MS, this.ended, undefined);
  }

  async #rehearse(initialize: Request, variables: Variables): Promise<boolean> {
    const settings = { subtype: "apply_flag_settings", settings: { env: variables } };
    for (const request of [initialize, settings, initialize]) {
      if (!(await this.#ask(request))) return false;
    }
    this.#isReady = true;
    return true;
  }

  #ask(request: Request): Promise<boolean> {
    const answered = Promise.withResolvers<boolean>();
    const id = `${REQUEST}${this.#answered.size}`;
    this.#answered.set(id, answered);
    if (this.#isOver) answered.resolve(false);
    else this.#child.stdin.write(`${JSON.stringify({ type: "control_request", request_id: id, request })}\n`);
    return answered.promise;
  }

  readonly #hear = (piece: Buffer): void => {
    this.#text = Buffer.concat([this.#text, piece]);
    for (let end = this.#text.indexOf("\n"); end >= 0; end = this.#text.indexOf("\n")) {
      this.#read(this.#text.subarray(0, end).toString("utf8"));
      this.#text = this.#text.subarray(end + 1);
    }
    if (this.#text.length > LONGEST_LINE) killGroup(this.#child.pid);
  };

  #read(line: string): void {
    const answer = answerIn(line);
    if (answer !== null) this.#answered.get(answer.id)?.resolve(answer.isGood);
  }
}

function answerIn(line: string): { id: string; isGood: boolean } | null {
  try {
    const { type, response } = JSON.parse(line);
    if (type !== "control_response") return null;
    return { id: String(response?.request_id), isGood: response?.subtype === "success" };
  } catch {
    return null;
  }
}

function ignore(): void {}
