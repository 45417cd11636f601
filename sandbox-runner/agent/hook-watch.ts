/**
 * The hooks that the agent's program runs, as notices of the transcript: which, what each said, for how long. No I/O, no
 * clock.
 */
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { z } from "zod";
import { type RunError, runError } from "#protocol/run-errors.ts";
import type { RunnerEvent } from "#protocol/transcript.ts";

type Notice = Extract<RunnerEvent, { type: "notice" }>;
type HookResponse = Extract<SDKMessage, { type: "system"; subtype: "hook_response" }>;

interface RunningHook {
  name: string;
  startedAtMs: number;
  /** Whether the agent waits for it. */
  isHolding: boolean;
  isTold: boolean;
}

/** A hook that runs for longer is mentioned while it does. */
const SLOW_MS = 10_000;
/** What the agent's program may take to end a hook whose time is over, and to say so. */
const CUT_GRACE_MS = 15_000;
/** A hook that ran for at least this part of the bound was cut off by the bound, and not by a shorter timeout of its own. */
const CUT_BY_US = 0.9;
/** How many hooks may be cut off in a run: with more of them the run would spend its time waiting for hooks. */
const CUTS_BORNE = 1;
const WORDS_LIMIT = 2_000;
const NAME_LIMIT = 200;

/** Events at which a hook that ends with exit code 2 holds up what was to happen. */
const HOLDING_EVENTS = [
  ...["PreToolUse", "PermissionRequest", "UserPromptSubmit", "UserPromptExpansion", "Stop", "SubagentStop"],
  ...["PreCompact", "PreModelSwitch", "TaskCreated", "TaskCompleted", "TeammateIdle", "Elicitation", "ConfigChange"],
];

/** What a hook may say as JSON, as far as it is for people. */
const spoken = z.looseObject({
  continue: z.boolean().optional(),
  decision: z.string().optional(),
  reason: z.string().optional(),
  stopReason: z.string().optional(),
  systemMessage: z.string().optional(),
  hookSpecificOutput: z
    .looseObject({
      permissionDecision: z.string().optional(),
      permissionDecisionReason: z.string().optional(),
      additionalContext: z.string().optional(),
    })
    .optional(),
});

export class HookWatch {
  readonly #boundMs: number;
  readonly #running = new Map<string, RunningHook>();
  #cuts = 0;
  #failure: RunError | null = null;

  /** @param boundMs how long a hook may take; the agent's program has been told. */
  constructor(boundMs: number) {
    this.#boundMs = boundMs;
  }

  /** Whether a hook is on that the agent waits for. */
  get isHeldUp(): boolean {
    return this.#holding.length > 0;
  }
  /** Set when hooks keep the agent from its work. */
  get failure(): RunError | null {
    return this.#failure;
  }
  /** When to call `tick` next, by the clock that it is given; null when no hook is on. */
  get dueAtMs(): number | null {
    const times = this.#holding.map(
      ({ startedAtMs, isTold }) => startedAtMs + (isTold ? this.#boundMs + CUT_GRACE_MS : SLOW_MS),
    );
    return times.length === 0 ? null : Math.min(...times);
  }

  get #holding(): RunningHook[] {
    return [...this.#running.values()].filter(({ isHolding }) => isHolding);
  }

  read(message: SDKMessage, nowMs: number): Notice[] {
    if (message.type === "system" && message.subtype === "hook_started") {
      const name = message.hook_name.slice(0, NAME_LIMIT);
      this.#running.set(message.hook_id, { name, startedAtMs: nowMs, isHolding: true, isTold: false });
      return [];
    }
    if (message.type === "system" && message.subtype === "hook_response") return [this.#readResponse(message, nowMs)];
    // The agent goes on: what still runs is a hook that nobody waits for.
    if (message.type === "assistant" || message.type === "user" || message.type === "result") {
      for (const hook of this.#running.values()) hook.isHolding = false;
    }
    return [];
  }

  /** Tells of slow hooks, and gives up on one that outlives its deadline. */
  tick(nowMs: number): Notice[] {
    return this.#holding.flatMap((hook): Notice[] => {
      const ms = nowMs - hook.startedAtMs;
      if (ms >= this.#boundMs + CUT_GRACE_MS) this.#failure ??= this.#timedOut(hook.name);
      if (hook.isTold || ms < SLOW_MS) return [];
      hook.isTold = true;
      const message = `Hook ${hook.name} has been running for ${duration(ms)}.`;
      return [{ type: "notice", level: "info", code: "hook_running", message }];
    });
  }

  #readResponse(response: HookResponse, nowMs: number): Notice {
    const name = response.hook_name.slice(0, NAME_LIMIT);
    const ms = nowMs - (this.#running.get(response.hook_id)?.startedAtMs ?? nowMs);
    this.#running.delete(response.hook_id);
    const { isBlocked, words } = wordsOf(response);
    if (response.outcome === "cancelled") {
      if (ms >= this.#boundMs * CUT_BY_US) this.#cuts += 1;
      if (this.#cuts > CUTS_BORNE) this.#failure ??= this.#timedOut(name);
      const what = `Hook ${name} did not end, and was cut off after ${duration(ms)}`;
      return { type: "notice", level: "warning", code: "hook_cut", message: withWords(what, words) };
    }
    if (isBlocked) {
      const what = `Hook ${name} blocked (${duration(ms)})`;
      return { type: "notice", level: "warning", code: "hook_blocked", message: withWords(what, words) };
    }
    if (response.outcome === "error") {
      const code = response.exit_code === undefined ? "" : `exit ${response.exit_code}, `;
      const what = `Hook ${name} failed (${code}${duration(ms)})`;
      return { type: "notice", level: "warning", code: "hook_failed", message: withWords(what, words) };
    }
    const message = withWords(`Hook ${name} ran (${duration(ms)})`, words);
    return { type: "notice", level: "info", code: "hook", message };
  }

  #timedOut(name: string): RunError {
    return runError("hook_timed_out", "agent", `The last one: ${name}, after ${duration(this.#boundMs)}.`);
  }
}

function wordsOf({ stdout, stderr, exit_code, hook_event }: HookResponse): { isBlocked: boolean; words: string } {
  const said = parse(stdout);
  const more = said?.hookSpecificOutput;
  const isRefused =
    said?.decision === "block" || more?.permissionDecision === "deny" || (said !== null && said.continue === false);
  const told = [more?.permissionDecisionReason, said?.reason, said?.stopReason, said?.systemMessage];
  const plain = [stdout, stderr].map((text) => text.trim()).filter((text) => text !== "");
  const words = told.find((text) => text !== undefined && text !== "") ?? more?.additionalContext ?? plain.join("\n");
  return { isBlocked: isRefused || (exit_code === 2 && HOLDING_EVENTS.includes(hook_event)), words };
}

function parse(stdout: string): z.infer<typeof spoken> | null {
  try {
    return spoken.safeParse(JSON.parse(stdout)).data ?? null;
  } catch {
    return null;
  }
}

function withWords(what: string, words: string): string {
  if (words === "") return `${what}.`;
  return `${what}: ${words.length > WORDS_LIMIT ? `${words.slice(0, WORDS_LIMIT)}…` : words}`;
}

function duration(ms: number): string {
  return ms < 1_000 ? `${Math.max(0, Math.round(ms))} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
