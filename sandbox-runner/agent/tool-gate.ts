/**
 * Before each call of the agent's and of its subagents': the routine's tool policy, and questions to people. A call that
 * waits for a person is held; when the sandbox is given up meanwhile it is put off, and another attempt takes it up again.
 */
import type { CanUseTool, HookCallback, Options, PreToolUseHookInput } from "@anthropic-ai/claude-agent-sdk";
import { z } from "zod";
import {
  type Answer,
  APPROVED_INPUT_LIMIT,
  type AskedQuestion,
  type GivenAnswer,
  QUESTION_LIMIT,
} from "#protocol/question.ts";
import { ASK_TOOL, type ToolPolicy } from "#protocol/tools.ts";
import { judgeCall } from "#rules/tools/judge-call.ts";
import { hashOf, questionOf } from "./ask-tool.ts";
import {
  approvalWords,
  CHANGED,
  ONE_AT_A_TIME,
  refusalWords,
  STALE,
  SUBAGENT,
  TOO_LONG,
  UNASKED,
  WITHDRAWN,
} from "./gate-words.ts";

/** A call is held for so long at most, in seconds: longer than a run may take. */
const HELD_SECONDS = 8 * 24 * 3_600;

type Outcome = Answer | "put off" | "withdrawn";

export interface GateOptions {
  policy: ToolPolicy;
  /** Whether people can be asked. */
  asks: boolean;
  /** What was asked before this attempt, with its answer; null where nothing was. */
  given: GivenAnswer | null;
  /** Whether the machine was lost on which that was asked: the agent then makes its call anew, if at all. */
  isLost: boolean;
  /** Calls of earlier runs: one that was put off there, and not answered, comes here again. */
  earlier: readonly string[];
  onAsked(question: AskedQuestion): void;
}

export class ToolGate {
  readonly #options: GateOptions;
  /** Answers of before this attempt, by the call's id. */
  readonly #given = new Map<string, GivenAnswer>();
  /** The inputs that people have approved, by the call's id. */
  readonly #approved = new Map<string, string>();
  #open: { id: string; outcome: Promise<Outcome>; settle: (outcome: Outcome) => void } | null = null;
  /** For the tool `ask`. */
  #answer: Answer | null = null;
  #told = "";
  #onTakenUp: () => void = () => {};
  #first: () => Promise<void> = async () => {};

  constructor(options: GateOptions) {
    this.#options = options;
    if (options.given !== null) this.#given.set(options.given.question_id, options.given);
  }

  /** Whether people can be asked. */
  get asks(): boolean {
    return this.#options.asks;
  }

  /** Settles when the call waits no longer that waits for a person; null where none does. */
  get asking(): Promise<unknown> | null {
    return this.#open?.outcome ?? null;
  }

  /** The agent's options that have every call pass here. */
  get hooks(): Options["hooks"] {
    // A hook that fails would else let the call through.
    return { PreToolUse: [{ hooks: [this.#judge], timeout: HELD_SECONDS, onFailure: "block" }] };
  }

  /**
   * Asked about calls that a rule of the agent's program asks about: those of the policy, once more, as hooks of the
   * repository have left them.
   */
  readonly canUseTool: CanUseTool = async (name, input, { toolUseID }) => {
    const verdict = judgeCall(this.#options.policy, name, input);
    const isApproved = verdict.decision === "ask" && this.#approved.get(toolUseID) === hashOf(input);
    if (verdict.decision === "allow" || isApproved) return { behavior: "allow", updatedInput: input };
    return { behavior: "deny", message: verdict.decision === "deny" ? refusalWords(verdict) : CHANGED };
  };

  /** An answer has come. @returns whether its question is open: else it changes nothing. */
  answer({ question_id, answer }: GivenAnswer): boolean {
    if (this.#open?.id !== question_id) return false;
    this.#open.settle(answer);
    return true;
  }

  /**
   * The agent's program begins with the call that was put off.
   * @param told what the agent has to know beside the call's result. @param onTakenUp the call is being judged.
   */
  takesUp(told: string, onTakenUp: () => void): void {
    this.#told = told === "" ? "" : `\n\n${told.trim()}`;
    this.#onTakenUp = onTakenUp;
  }

  /** Has something done before the first call: none is let through before it has settled. */
  doFirst(work: () => Promise<void>): void {
    let done: Promise<void> | null = null;
    this.#first = () => {
      done ??= work();
      return done;
    };
  }

  /** Puts off the call that waits: the agent's program then ends by itself. */
  putOff(): void {
    this.#open?.settle("put off");
  }

  /** For the tool `ask`: once. */
  takeAnswer(): Answer | null {
    const answer = this.#answer;
    this.#answer = null;
    return answer;
  }

  readonly #judge: HookCallback = async (input, _id, { signal }) => {
    if (input.hook_event_name !== "PreToolUse") return {};
    await this.#first();
    const { tool_name: name, tool_input, tool_use_id: id, agent_id } = input;
    if (this.#options.earlier.includes(id)) return denied(STALE);
    const verdict = judgeCall(this.#options.policy, name, tool_input);
    if (this.#given.has(id)) return this.#takeUp(input);
    if (verdict.decision === "deny") return denied(refusalWords(verdict));
    if (verdict.decision === "allow" && name !== ASK_TOOL) return {};
    const decided = agent_id === undefined ? this.#takeAgain(input) : null;
    if (decided !== null) return this.#decided(input, decided);
    if (!this.#options.asks) return denied(UNASKED);
    if (agent_id !== undefined) return denied(SUBAGENT);
    const question = name === ASK_TOOL ? questionOf(id, tool_input) : approvalOf(id, name, tool_input);
    // Its own input schema tells the agent what is wrong.
    if (question === null) return name === ASK_TOOL ? {} : denied(TOO_LONG);
    if (this.#open !== null) return denied(ONE_AT_A_TIME);
    const outcome = await this.#ask(question, signal);
    if (outcome === "put off") return decision("defer");
    return outcome === "withdrawn" ? denied(WITHDRAWN) : this.#decided(input, outcome);
  };

  /** The call that was put off: it is the one that was asked about, or it is not made. */
  #takeUp(input: PreToolUseHookInput) {
    const { tool_use_id: id, tool_input } = input;
    const given = this.#given.get(id);
    this.#given.delete(id);
    this.#onTakenUp();
    if (given?.input_hash !== hashOf(tool_input)) return denied(CHANGED + this.#told);
    return this.#decided(input, given.answer, this.#told);
  }

  /** A call that had been asked about on a machine that was lost, and was not made there: it is not asked about again. */
  #takeAgain({ tool_name, tool_input }: PreToolUseHookInput): Answer | null {
    const { given, isLost } = this.#options;
    if (!isLost || given === null || !this.#given.has(given.question_id)) return null;
    const isSame = given.tool === tool_name && given.input_hash === hashOf(tool_input);
    if (isSame) this.#given.delete(given.question_id);
    return isSame ? given.answer : null;
  }

  async #ask(question: AskedQuestion, signal: AbortSignal): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.#open = { id: question.id, outcome: promise, settle: resolve };
    signal.addEventListener("abort", () => resolve("withdrawn"), { once: true });
    if (!signal.aborted) this.#options.onAsked(question);
    else resolve("withdrawn");
    const outcome = await promise;
    this.#open = null;
    return outcome;
  }

  #decided({ tool_name, tool_input, tool_use_id }: PreToolUseHookInput, answer: Answer, told = "") {
    if (tool_name === ASK_TOOL) {
      this.#answer = answer;
      return {};
    }
    if (answer.approve !== true) return denied(approvalWords(answer) + told);
    this.#approved.set(tool_use_id, hashOf(tool_input));
    if (told === "") return {};
    return { hookSpecificOutput: { hookEventName: "PreToolUse" as const, additionalContext: told } };
  }
}

/** Null where it can't be shown whole. */
function approvalOf(id: string, tool: string, input: unknown): AskedQuestion | null {
  const json = JSON.stringify(input);
  const shown = z.json().safeParse(input);
  if (!shown.success || json.length > APPROVED_INPUT_LIMIT) return null;
  const command = typeof input === "object" && input !== null ? Reflect.get(input, "command") : undefined;
  const text = `The agent asks to call ${tool}: ${typeof command === "string" ? command : json}`.slice(
    0,
    QUESTION_LIMIT,
  );
  const call = { tool, input: shown.data };
  return { id, kind: "approval", text, choices: [], default: null, call, input_hash: hashOf(input) };
}

function denied(reason: string) {
  return decision("deny", reason);
}

function decision(permissionDecision: "deny" | "defer", permissionDecisionReason?: string) {
  const why = permissionDecisionReason === undefined ? {} : { permissionDecisionReason };
  return { hookSpecificOutput: { hookEventName: "PreToolUse" as const, permissionDecision, ...why } };
}
