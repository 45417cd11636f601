/** The agent's program of a prepared agent: started, told all but its task, and handed over to a run. */
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";
import { z } from "zod";
import { parseJson } from "#rules/json.ts";
import type { Program } from "../agent/gated-process.ts";
import { killGroup, type PipedProcess, processClosed } from "../process/spawn.ts";
import { within } from "../process/within.ts";
import { answering, answersTo, withoutAnswers } from "./handed-over.ts";

/** Put for a request's id before the number of the request: no other request of the program's has such an id. */
const REQUEST = "prepared-";
/** The first turn of a program takes three times as long as its fourth; what more of them would save is little. */
const PRACTICE_TURNS = 3;
/** It takes its variables in some ten milliseconds: one that has not by then never does, and its run would wait until its own time is over. */
const TELL_MS = 30_000;
const END_MS = 2_000;
/** A line that it says before it has a run has 150 KiB at most; a program that goes on without an end of the line is no agent. */
const LONGEST_LINE = 4_194_304;

type Variables = Readonly<Record<string, string>>;
/** What a run's SDK tells its program. */
export type Message = Readonly<SDKUserMessage>;
/** One of the agent's program, as the Agent SDK sends it. */
export type Request = Readonly<Record<string, unknown>>;

interface Answer {
  id: string;
  isGood: boolean;
  /** All that it says. */
  response: object;
}

const answerSchema = z.object({
  type: z.literal("control_response"),
  response: z.looseObject({ request_id: z.string(), subtype: z.string() }),
});
/** The answer to a request that takes a turn back. */
const rewoundSchema = z.looseObject({ response: z.looseObject({ rewound: z.literal(true) }) });
/** What a program says at the end of a turn: how it went, and then that it does nothing any more. */
const turnEndSchema = z.union([
  z.looseObject({ type: z.literal("result"), is_error: z.boolean() }),
  z.looseObject({ type: z.literal("system"), subtype: z.literal("session_state_changed"), state: z.literal("idle") }),
]);

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
  /** The turn that it practises. */
  #turn: { isGood: boolean; over: PromiseWithResolvers<boolean> } | null = null;
  /** Its task, once it has been told. */
  #task: Message | null = null;
  /** What it has said since then: it is for whoever gets it. */
  #kept: Buffer[] = [];
  #text = Buffer.alloc(0);
  #isReady = false;
  #isHurried = false;
  #isOver = false;
  #fault: string | null = null;
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
      this.#turn?.over.resolve(false);
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

  /** Whether it is about to wait for a run, which then has it sooner than one that is started anew. */
  get isBegun(): boolean {
    return this.#initialized !== null && !this.#isOver;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Why it never waits, where it has told something else than it was asked for; null where not. */
  get fault(): string | null {
    return this.#fault;
  }

  /** A run waits for it: it practises no more than it has begun to. */
  hurry(): void {
    this.#isHurried = true;
  }

  /** @returns whether it answers in time. */
  async answers(deadlineMs: number): Promise<boolean> {
    return (await within(deadlineMs, this.#ask({ subtype: "mcp_status" }), null)) !== null;
  }

  /**
   * Gives all commands to come these variables, as if it had been started with them. Where it does not take them in time, it is ended.
   * @returns settles when it has them, or is ended. Never rejects.
   */
  async tellVariables(variables: Variables): Promise<void> {
    const answer = await within(TELL_MS, this.#ask(variablesRequest(variables)), null);
    if (answer?.isGood !== true) killGroup(this.#child.pid);
  }

  /** Has it begin with its run's task, before that speaks to it. */
  tellTask(task: Message): void {
    this.#task = task;
    this.#say(`${JSON.stringify(task)}\n`);
  }

  /**
   * Gives it to whoever speaks to it as to one that was just started. Where the first request is one that it has done already, the
   * answer that it has given to that is given once more; a task that it has been told already is not told again. One that has begun with
   * its task, and turns out to have been told otherwise, is ended.
   * @param onRight told when it is at the run's own task, or about to be told that.
   * @param onOther told when it was told otherwise than its run tells it.
   */
  handOver(onRight: () => void, onOther: () => void): Program {
    const child = this.#child;
    child.stdout.off("data", this.#hear);
    child.stderr.off("data", ignore);
    child.stdout.pause();
    const kept = Buffer.concat([...this.#kept.splice(0), this.#text]);
    if (kept.length > 0) child.stdout.unshift(kept);
    this.#text = Buffer.alloc(0);
    const stdout = withoutAnswers(
      (line) => this.#read(line),
      () => this.#open.size === 0,
    );
    const { input: stdin, add } = answering(this.#looks(onRight, onOther), stdout);
    this.#say = add;
    child.stdout.pipe(stdout);
    stdin.pipe(child.stdin);
    return { child, stdin, stdout };
  }

  /** At the first lines that its run tells it: its first request, and the task that it has been told. */
  #looks(onRight: () => void, onOther: () => void): ((line: string) => string | null)[] {
    const task = this.#task;
    // As it is read on the way.
    const toldTask = parseJson(JSON.stringify(task));
    let isRight = true;
    const other = () => {
      isRight = false;
      onOther();
      if (task !== null) killGroup(this.#child.pid);
    };
    const isAsked = answersTo((request) => {
      const answer = this.#answerTo(request);
      if (answer === undefined) other();
      if (task === null) onRight();
      return answer;
    });
    if (task === null) return [isAsked];
    const isTold = (line: string) => {
      const isSame = isDeepStrictEqual(parseJson(line), toldTask);
      if (!isSame) other();
      else if (isRight) onRight();
      return isSame ? "" : null;
    };
    return [isAsked, isTold];
  }

  /** Kills it with all that it has started; settles when it is gone, or has not been for a while. */
  async end(): Promise<void> {
    killGroup(this.#child.pid);
    await within(END_MS, this.ended, undefined);
  }

  async #rehearse(variables: Variables): Promise<boolean> {
    for (const request of [this.#initialize, variablesRequest(variables), this.#initialize]) {
      const answer = await this.#ask(request);
      if (answer?.isGood !== true) return this.#fail("it refused what it was told first");
      if (request === this.#initialize) this.#initialized = answer;
    }
    for (let turn = 0; turn < PRACTICE_TURNS && !this.#isHurried; turn += 1) {
      if (!(await this.#practise())) return false;
    }
    this.#isReady = true;
    return true;
  }

  /**
   * Has it do a turn, which its relay answers in the model's place, and take it back: its conversation begins with the run's task.
   * @returns whether nothing of it is left.
   */
  async #practise(): Promise<boolean> {
    if (this.#isOver) return false;
    const uuid = randomUUID();
    const turn = { isGood: false, over: Promise.withResolvers<boolean>() };
    this.#turn = turn;
    const message = { role: "user", content: "Practise." };
    this.#say(`${JSON.stringify({ type: "user", message, parent_tool_use_id: null, uuid })}\n`);
    const isGood = await turn.over.promise;
    this.#turn = null;
    if (!isGood) return this.#fail("a turn for practice failed");
    const answer = await this.#ask({ subtype: "rewind_conversation", target_message_uuid: uuid });
    if (answer?.isGood === true && rewoundSchema.safeParse(answer.response).success) return true;
    return this.#fail("a turn for practice was not taken back");
  }

  #fail(fault: string): false {
    if (!this.#isOver) this.#fault = fault;
    return false;
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
      const line = this.#text.subarray(0, end + 1);
      if (!this.#read(line.toString("utf8")) && this.#task !== null) this.#kept.push(line);
      this.#text = this.#text.subarray(end + 1);
    }
    if (this.#text.length > LONGEST_LINE) killGroup(this.#child.pid);
  };

  /** Sees the end of a turn that it practises. */
  #follow(said: unknown): void {
    const turn = this.#turn;
    if (turn === null) return;
    const { success, data: end } = turnEndSchema.safeParse(said);
    if (!success) return;
    if (end.type === "result") turn.isGood = !end.is_error;
    else turn.over.resolve(turn.isGood);
  }

  /** @returns whether it was an answer to what was asked here. */
  #read(line: string): boolean {
    const said = parseJson(line);
    this.#follow(said);
    const answer = answerIn(said);
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

function answerIn(said: unknown): Answer | null {
  const { success, data } = answerSchema.safeParse(said);
  if (!success) return null;
  const { response } = data;
  return { id: response.request_id, isGood: response.subtype === "success", response };
}

function ignore(): void {}
