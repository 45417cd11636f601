/** Gives the agent what people say to it, stops its turn, and asks whether a run may end whose agent is done. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Query, SDKMessage, SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";
import type { FrameBody } from "#protocol/runner-link.ts";
import { within } from "../process/within.ts";
import type { AgentLife } from "./agent-end.ts";
import { Deliveries } from "./deliveries.ts";
import type { Inbox } from "./inbox.ts";

/** How long a turn may take to stop before it is looked at again. */
const STOP_MS = 1_000;
/** How long the answer is waited for whether the run may end: then it ends, and what it has not got is for the next one. */
const ANSWER_MS = 600_000;

export class AgentSteering {
  readonly #inbox: Inbox;
  readonly #life: AgentLife;
  readonly #send: (body: FrameBody) => void;
  readonly #deliveries = new Deliveries();
  /** The turn is being stopped, or has been: nothing happens until a message comes. */
  #isStopped = false;
  #isAsking = false;
  #isInterrupting = false;
  #resumed = Promise.withResolvers<void>();
  #heard = Promise.withResolvers<void>();

  constructor(inbox: Inbox, life: AgentLife, send: (body: FrameBody) => void) {
    this.#inbox = inbox;
    this.#life = life;
    this.#send = send;
  }

  /** Whether the run's object has been asked whether the run may end. */
  get isAsking(): boolean {
    return this.#isAsking;
  }

  /** When to end the agent's program; null while it works, or waits for a message. */
  get endsAtMs(): number | null {
    return this.#isStopped ? null : this.#life.endsAtMs;
  }

  /** The conversation's messages: the task, then people's as they come. It ends when nothing is to be heard any more. */
  async *input(task: string, finished: Promise<void>): AsyncGenerator<SDKUserMessage> {
    yield userMessage(task);
    let isOver = false;
    void finished.then(() => {
      isOver = true;
    });
    while (!isOver) {
      const changed = this.#inbox.changed();
      const message = this.#isInterrupting ? undefined : this.#inbox.takeMessage();
      if (message === undefined) {
        await Promise.race([changed, this.#resumed.promise, finished]);
        continue;
      }
      this.#deliveries.give(message.n, this.#life.isInTurn);
      this.#isStopped = false;
      this.#life.told();
      yield userMessage(message.text);
    }
  }

  read(message: SDKMessage): void {
    for (const n of this.#deliveries.read(message)) this.#send({ kind: "took", n });
    this.#heard.resolve();
    this.#heard = Promise.withResolvers();
  }

  /** Carries out interrupts as they come. @param onChange the moment of the end may have changed. */
  drive(agent: Query, onChange: () => void, signal: AbortSignal): void {
    const ended = aborted(signal);
    const go = async () => {
      while (!signal.aborted) {
        const changed = this.#inbox.changed();
        const n = this.#inbox.takeInterrupt();
        if (n === undefined) await Promise.race([changed, ended]);
        else await this.#interrupt(agent, n, signal);
        onChange();
      }
    };
    void go();
  }

  /** @returns whether the agent goes on, because a message has come. */
  async goesOn(signal: AbortSignal): Promise<boolean> {
    if (!this.#inbox.isSteered) return false;
    this.#isAsking = true;
    const late = sleep(ANSWER_MS, undefined, { ref: false });
    let isLate = false;
    void late.then(() => {
      isLate = true;
    });
    const ended = Promise.race([aborted(signal), late]);
    this.#send({ kind: "idle" });
    while (!this.#inbox.isClosed && !signal.aborted && !isLate) {
      if (!this.#inbox.isEmpty || !this.#deliveries.isEmpty || this.#life.isInTurn || this.#isStopped) break;
      await Promise.race([this.#inbox.changed(), this.#heard.promise, ended]);
    }
    this.#isAsking = false;
    return !this.#inbox.isClosed && !signal.aborted && !isLate;
  }

  /** Stops the turn with all that it has started; background work first, for its end would wake the agent. */
  async #interrupt(agent: Query, n: number, signal: AbortSignal): Promise<void> {
    this.#isStopped = true;
    this.#isInterrupting = true;
    while (!signal.aborted && (this.#life.isInTurn || this.#life.livingTasks.length > 0)) {
      const { livingTasks } = this.#life;
      await within(STOP_MS, Promise.allSettled(livingTasks.map(({ id }) => agent.stopTask(id))), undefined);
      if (this.#life.isInTurn)
        await within(
          STOP_MS,
          agent.interrupt().catch(() => undefined),
          undefined,
        );
      await within(STOP_MS, this.#heard.promise, undefined);
    }
    if (signal.aborted) return;
    this.#send({ kind: "took", n });
    if (this.#inbox.isEmpty && this.#deliveries.isEmpty) this.#send({ kind: "waiting", for: "message" });
    else if (!this.#deliveries.isEmpty) this.#isStopped = false;
    this.#isInterrupting = false;
    this.#resumed.resolve();
    this.#resumed = Promise.withResolvers();
  }
}

function userMessage(text: string): SDKUserMessage {
  return { type: "user", message: { role: "user", content: text }, parent_tool_use_id: null };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((settle) => {
    if (signal.aborted) settle();
    else signal.addEventListener("abort", () => settle(), { once: true });
  });
}
