/** When the agent's program is to be ended: from its messages, its reports and the time. No I/O, no clock. */
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";

export interface LifeBounds {
  /** How long background work alone keeps an agent that has not reported, in milliseconds since anything was heard. */
  backgroundWaitMs: number;
  /** Until when it may keep the agent at all, by the clock of `read`. */
  lastWaitMs: number;
}

export interface LivingTask {
  id: string;
  description: string;
}

/** After a report and the end of its turn, work in the background has this long to end and to wake the agent. */
const REPORTED_GRACE_MS = 3_000;
/**
 * How long it may take from the end of a background task to the turn that it wakes, or from a result to the message that the
 * agent is idle.
 */
const WAKE_GRACE_MS = 5_000;

/**
 * An agent's turn ends with a result, but its program lives on while something works in the background: a command, a
 * monitor, a subagent. Each of these wakes the agent when it has news, so the agent may be waiting for it.
 */
export class AgentLife {
  readonly #bounds: LifeBounds;
  #tasks: readonly LivingTask[] = [];
  /** When the last task ended. */
  #emptiedAt = 0;
  #heardAt = 0;
  #reported = false;
  /** When the last turn ended; null while a turn is on. */
  #turnEndedAt: number | null = null;
  /** When the program said that it has nothing left to do by itself. */
  #idleAt: number | null = null;
  #isError = false;
  /** When the first turn ended that had a report before it. */
  #reportSettledAt: number | null = null;

  constructor(bounds: LifeBounds) {
    this.#bounds = bounds;
  }

  /** What works in the background at present. */
  get livingTasks(): readonly LivingTask[] {
    return this.#tasks;
  }
  get hasReported(): boolean {
    return this.#reported;
  }
  /** Whether the agent, or its program on its behalf, is in a turn. */
  get isInTurn(): boolean {
    return this.#turnEndedAt === null;
  }

  /** The agent is given a message: a turn follows, and what it has reported is not its last word. */
  told(): void {
    this.#reported = false;
    this.#reportSettledAt = null;
    this.#beginTurn();
  }

  /** The agent has reported its result. */
  report(): void {
    this.#reported = true;
  }

  read(message: SDKMessage, nowMs: number): void {
    this.#heardAt = nowMs;
    if (message.type === "result") {
      const goesOn = !message.is_error && (message.queued_turn_count ?? 0) > 0;
      this.#isError = message.is_error;
      this.#turnEndedAt = goesOn ? null : nowMs;
      this.#idleAt = null;
      // A task that goes on waking an agent that has reported, as a monitor does, does not put off the end.
      if (this.#reported && !goesOn) this.#reportSettledAt ??= nowMs;
    } else if (message.type === "system") {
      this.#readSystem(message, nowMs);
    } else if (
      (message.type === "stream_event" || message.type === "assistant") &&
      message.parent_tool_use_id === null
    ) {
      this.#beginTurn();
    }
  }

  /** When to end the program, by the clock of `read`: may be past; null while the agent works. */
  get endsAtMs(): number | null {
    const endedAt = this.#turnEndedAt;
    if (endedAt === null) return null;
    if (this.#isError) return endedAt;
    const quietAt = this.#idleAt ?? endedAt + WAKE_GRACE_MS;
    if (this.#tasks.length === 0) {
      // A task that ended after the turn wakes the agent in a moment.
      return this.#emptiedAt > endedAt ? Math.max(quietAt, this.#emptiedAt + WAKE_GRACE_MS) : quietAt;
    }
    if (this.#reportSettledAt !== null) return Math.max(quietAt, this.#reportSettledAt + REPORTED_GRACE_MS);
    const { backgroundWaitMs, lastWaitMs } = this.#bounds;
    return Math.max(quietAt, Math.min(this.#heardAt + backgroundWaitMs, lastWaitMs));
  }

  #readSystem(message: Extract<SDKMessage, { type: "system" }>, nowMs: number): void {
    if (message.subtype === "init") this.#beginTurn();
    if (message.subtype === "session_state_changed") {
      if (message.state === "running") this.#beginTurn();
      // The program does not send this while a subagent works.
      if (message.state === "idle" && this.#turnEndedAt !== null) this.#idleAt = nowMs;
    }
    if (message.subtype === "background_tasks_changed") {
      const living = message.tasks.filter((task) => task.ambient !== true);
      if (this.#tasks.length > 0 && living.length === 0) this.#emptiedAt = nowMs;
      this.#tasks = living.map(({ task_id, description }) => ({ id: task_id, description }));
    }
  }

  #beginTurn(): void {
    this.#turnEndedAt = null;
    this.#idleAt = null;
  }
}
