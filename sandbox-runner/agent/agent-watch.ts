/** The deadlines of the agent's program: for its start, not counting hooks, and for the hooks themselves. */
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { type RunError, runError } from "#protocol/run-errors.ts";
import type { RunnerEvent } from "#protocol/transcript.ts";
import { HookWatch } from "./hook-watch.ts";

export interface AgentWatchOptions {
  startDeadlineMs: number;
  hookDeadlineMs: number;
  /** Settles when the agent's output is read: until then nothing can be concluded from its silence. */
  room(): Promise<void>;
  onNotice(notice: RunnerEvent): void;
}

/** Output of the agent that has been read may take this long to be handed on as messages. */
const READ_GRACE_MS = 500;

export class AgentWatch {
  readonly #options: AgentWatchOptions;
  readonly #hooks: HookWatch;
  readonly #given = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  /** By when the program has to be up, by `performance.now()`; null when it is. */
  #startsByMs: number | null;
  #failure: RunError | null = null;

  /** The program is started now. */
  constructor(options: AgentWatchOptions) {
    this.#options = options;
    this.#hooks = new HookWatch(options.hookDeadlineMs);
    this.#startsByMs = performance.now() + options.startDeadlineMs;
    this.#arm();
  }

  /** Aborted when a deadline is over. */
  get signal(): AbortSignal {
    return this.#given.signal;
  }
  /** Which deadline it was. */
  get failure(): RunError | null {
    return this.#failure;
  }

  read(message: SDKMessage): void {
    const nowMs = performance.now();
    for (const notice of this.#hooks.read(message, nowMs)) this.#options.onNotice(notice);
    if (this.#startsByMs !== null) this.#startsByMs = nowMs + this.#options.startDeadlineMs;
    if (message.type === "system" && message.subtype === "init") this.#startsByMs = null;
    this.#judge(nowMs);
    this.#arm();
  }

  /** The program is up, though it has not said so: it begins with a call that may take long. */
  started(): void {
    this.#startsByMs = null;
    this.#arm();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const startsBy = this.#hooks.isHeldUp ? null : this.#startsByMs;
    const due = [startsBy, this.#hooks.dueAtMs].filter((atMs) => atMs !== null);
    if (due.length === 0 || this.#failure !== null) return;
    this.#timer = setTimeout(() => void this.#onDue(), Math.max(0, Math.min(...due) - performance.now()));
  }

  async #onDue(): Promise<void> {
    const dueAtMs = performance.now();
    await this.#options.room();
    if (performance.now() - dueAtMs > READ_GRACE_MS) {
      // The instance was not reachable, and the output was not read meanwhile: what the agent sent is only being read now.
      this.#timer = setTimeout(() => void this.#onDue(), READ_GRACE_MS);
      return;
    }
    this.#judge(performance.now());
    this.#arm();
  }

  #judge(nowMs: number): void {
    for (const notice of this.#hooks.tick(nowMs)) this.#options.onNotice(notice);
    const isLate = this.#startsByMs !== null && nowMs >= this.#startsByMs && !this.#hooks.isHeldUp;
    const failure = this.#hooks.failure ?? (isLate ? runError("agent_start_timed_out", "agent") : null);
    if (failure === null || this.#failure !== null) return;
    this.#failure = failure;
    this.#given.abort();
  }
}
