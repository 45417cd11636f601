/** The agent's program of a prepared agent: started, told all but its task, and handed over to a run. */
import { isDeepStrictEqual } from "node:util";
import type { Program } from "../agent/gated-process.ts";
import { killGroup, type PipedProcess, processClosed } from "../process/spawn.ts";
import { within } from "../process/within.ts";
import { answering, withoutAnswers } from "./handed-over.ts";

/** Put for a request's id before the number of the request: no other request of the program's has such an id. */
const REQUEST = "prepared-";
const END_MS = 2_000;
/** What it says before it has a run is a few KiB; a program that goes on without an end of the line is no agent. */
const LONGEST_LINE = 4_194_304;

type Variables = Readonly<Record<string, string>>;
/** One of the agent's program, as the Agent SDK sends it. */
export type Request = Readonly<Record<string, unknown>>;

interface Answer {
  id: string;
  isGood: boolean;
  /** All that it says. */
  response: object;
}

export class PreparedProgram {
  /** Settles when it has ended. */
  readonly ended: Promise<void>;
  /** Settles when it has begun to wait for a run: false when it never will. */
  readonly ready: Promise<boolean>;
  readonly #child: PipedProcess;
  readonly #initialize: Request;
  /** What it has answered to that last; null until then. */
  #initialized: Answer | null = null;
  /** What was asked, and has not been answered yet. */
  readonly #open = new Map<string, PromiseWithResolvers<Answer | null>>();
  #asked = 0;
  #text = Buffer.alloc(0);
  #isReady = false;
  #isOver = false;
  /** Says a line to it. */
  #say: (line: string) => void;

  /**
   * @param initialize the first request of a run, as it is known by now. Where the run's is another, the program needs a third of
   * the time for it when it has done the like twice before; so it does for its variables.
   */
  constructor(child: PipedProcess, initialize: Request, variables: Variables) {
    this.#child = child;
    this.#initialize = initialize;
    this.#say = (line) => void child.stdin.write(line);
    this.ended = processClosed(child).then(() => {
      this.#isOver = true;
      for (const { resolve } of this.#open.values()) resolve(null);
    });
    child.stdout.on("data", this.#hear);
    child.stderr.on("data", ignore);
    child.once("error", ignore);
    this.ready = this.#rehearse(variables);
  }

  /** Whether it waits for a run. */
  get isReady(): boolean {
    return this.#isReady && !this.#isOver;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** @returns whether it answers in time. */
  async answers(deadlineMs: number): Promise<boolean> {
    return (await within(deadlineMs, this.#ask({ subtype: "mcp_status" }), null)) !== null;
  }

  /**
   * Gives all commands to come these variables, as if it had been started with them. Where it does not take them, it is ended.
   * @returns settles when it has them, or is ended. Never rejects.
   */
  async tellVariables(variables: Variables): Promise<void> {
    const answer = await this.#ask(variablesRequest(variables));
    if (answer?.isGood !== true) killGroup(this.#child.pid);
  }

  /**
   * Gives it to whoever speaks to it as to one that was just started. Where the first request is one that it has done already, the
   * answer that it has given to that is given once more.
   * @param onOther told when the first request is another one.
   */
  handOver(onOther: () => void): Program {
    const child = this.#child;
    child.stdout.off("data", this.#hear);
    child.stderr.off("data", ignore);
    child.stdout.pause();
    if (this.#text.length > 0) child.stdout.unshift(this.#text);
    this.#text = Buffer.alloc(0);
    const stdout = withoutAnswers(
      (line) => this.#read(line),
      () => this.#open.size === 0,
    );
    const { input: stdin, add } = answering((request) => {
      const answer = this.#answerTo(request);
      if (answer === undefined) onOther();
      return answer;
    }, stdout);
    this.#say = add;
    child.stdout.pipe(stdout);
    stdin.pipe(child.stdin);
    return { child, stdin, stdout };
  }

  /** Kills it with all that it has started; settles when it is gone, or has not been for a while. */
  async end(): Promise<void> {
    killGroup(this.#child.pid);
    await within(END_MS, this.ended, undefined);
  }

  async #rehearse(variables: Variables): Promise<boolean> {
    for (const request of [this.#initialize, variablesRequest(variables), this.#initialize]) {
      const answer = await this.#ask(request);
      if (answer?.isGood !== true) return false;
      if (request === this.#initialize) this.#initialized = answer;
    }
    this.#isReady = true;
    return true;
  }

  #answerTo(request: unknown): object | undefined {
    return isDeepStrictEqual(request, this.#initialize) ? this.#initialized?.response : undefined;
  }

  /** @returns null when it has ended before it answered. */
  #ask(request: Request): Promise<Answer | null> {
    const answered = Promise.withResolvers<Answer | null>();
    const id = `${REQUEST}${this.#asked}`;
    this.#asked += 1;
    this.#open.set(id, answered);
    if (this.#isOver) answered.resolve(null);
    else this.#say(`${JSON.stringify({ type: "control_request", request_id: id, request })}\n`);
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

  /** @returns whether it was an answer to what was asked here. */
  #read(line: string): boolean {
    const answer = answerIn(line);
    const asked = answer === null ? undefined : this.#open.get(answer.id);
    if (answer === null || asked === undefined) return false;
    this.#open.delete(answer.id);
    asked.resolve(answer);
    return true;
  }
}

function variablesRequest(env: Variables): Request {
  return { subtype: "apply_flag_settings", settings: { env } };
}

function answerIn(line: string): Answer | null {
  try {
    const { type, response } = JSON.parse(line);
    if (type !== "control_response" || typeof response !== "object" || response === null) return null;
    return { id: String(response.request_id), isGood: response.subtype === "success", response };
  } catch {
    return null;
  }
}

function ignore(): void {}
