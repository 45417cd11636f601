/** Gives the agent what people say to it, stops its turn, and asks whether a run may end whose agent is done. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Query, SDKMessage, SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";
import type { FrameBody } from "#protocol/runner-link.ts";
import { within } from "../process/within.ts";
import type { AgentLife } from "./agent-end.ts";
import { Deliveries } from "./deliveries.ts";
import type { Inbox } from "./inbox.ts";
import { asWords, type Opening, userMessage } from "./opening.ts";
import type { ToolGate } from "./tool-gate.ts";
import { TurnStop } from "./turn-stop.ts";

/** How long a turn, and work in the background, may take to stop before they are looked at again. */
const STOP_MS = 1_000;
/** How long the answer is waited for whether the run may end: then it ends, and what it has not got is for the next one. */
const ANSWER_MS = 600_000;

export class AgentSteering {
  readonly #inbox: Inbox;
  readonly #life: AgentLife;
  readonly #gate: Pick<ToolGate, "asking">;
  readonly #send: (body: FrameBody) => void;
  readonly #deliveries = new Deliveries();
  readonly #turnStop = new TurnStop(this.#deliveries);
  /** The turn is being stopped, or has been: nothing happens until a message comes. */
  #isStopped = false;
  #isInterrupting = false;
  #isParked = false;
  #resumed = Promise.withResolvers<void>();
  #heard = Promise.withResolvers<void>();

  constructor(inbox: Inbox, life: AgentLife, gate: Pick<ToolGate, "asking">, send: (body: FrameBody) => void) {
    this.#inbox = inbox;
    this.#gate = gate;
    this.#life = life;
    this.#send = send;
  }

  /** When to end the agent's program; null while it works, or waits for a message. */
  get endsAtMs(): number | null {
    return this.#isStopped || this.#isParked ? null : this.#life.endsAtMs;
  }

  /** Whether the agent has got all that it was given. */
  get hasGivenAll(): boolean {
    return this.#deliveries.isEmpty;
  }

  /** The conversation's messages: its opening, then people's as they come. It ends when nothing is to be heard any more. */
  async *input(opening: Opening, finished: Promise<void>): AsyncGenerator<SDKUserMessage> {
    const first = this.#first(opening);
    if (first !== null) yield first;
    let isOver = false;
    void finished.then(() => {
      isOver = true;
    });
    while (!isOver) {
      const changed = this.#inbox.changed();
      const { asking } = this.#gate;
      const message = this.#isInterrupting || asking !== null ? undefined : this.#takeMessage();
      if (message === undefined) {
        await Promise.race([asking ?? changed, this.#resumed.promise, finished]);
        continue;
      }
      const uuid = randomUUID();
      this.#deliveries.give(message.n, uuid, this.#life.isInTurn);
      this.#isStopped = false;
      this.#life.told();
      yield { ...userMessage(asWords(message.text)), uuid };
    }
  }

  /** The agent is given nothing more: what has come is for the next attempt. */
  park(): void {
    this.#isParked = true;
  }

  /** Settles when no turn is on any more. */
  async turnEnds(signal: AbortSignal): Promise<void> {
    const ended = aborted(signal);
    while (this.#life.isInTurn && !signal.aborted) await Promise.race([this.#heard.promise, ended]);
  }

  read(message: SDKMessage): void {
    this.#turnStop.read(message);
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

  /** Asks whether the run may end, once the agent has got all that it was given. @returns whether the agent goes on. */
  async goesOn(signal: AbortSignal): Promise<boolean> {
    if (!this.#inbox.isSteered) return false;
    const late = sleep(ANSWER_MS, undefined, { ref: false });
    let isLate = false;
    void late.then(() => {
      isLate = true;
    });
    const ended = Promise.race([aborted(signal), late]);
    let hasAsked = false;
    while (!this.#inbox.isClosed && !signal.aborted && !isLate) {
      if (!this.#inbox.isEmpty || this.#life.isInTurn || this.#isStopped) break;
      if (this.#deliveries.isEmpty && !hasAsked) {
        this.#send({ kind: "idle" });
        hasAsked = true;
      }
      await Promise.race([this.#inbox.changed(), this.#heard.promise, ended]);
    }
    return !this.#inbox.isClosed && !signal.aborted && !isLate;
  }

  #takeMessage() {
    return this.#isParked ? undefined : this.#inbox.takeMessage();
  }

  #first(opening: Opening): SDKUserMessage | null {
    if (opening.by === "call") return null;
    if (opening.by === "text") return userMessage(opening.text);
    const message = this.#takeMessage();
    if (message === undefined) return userMessage(opening.told + opening.otherwise);
    const uuid = randomUUID();
    this.#deliveries.give(message.n, uuid, false);
    return { ...userMessage(opening.told + asWords(message.text)), uuid };
  }

  /** Stops the turn with all that it has started; background work first, for its end would wake the agent. */
  async #interrupt(agent: Query, n: number, signal: AbortSignal): Promise<void> {
    this.#isStopped = true;
    this.#isInterrupting = true;
    this.#turnStop.begin();
    // A turn that follows for messages which the agent has been given before is not stopped.
    const isOn = () => this.#life.isInTurn && !this.#turnStop.isFollowed;
    while (!signal.aborted && (isOn() || this.#life.livingTasks.length > 0)) {
      const heard = this.#heard.promise;
      const { livingTasks } = this.#life;
      await within(STOP_MS, Promise.allSettled(livingTasks.map(({ id }) => agent.stopTask(id))), undefined);
      if (this.#turnStop.canStop && isOn()) this.#turnStop.stop(agent);
      await within(STOP_MS, heard, undefined);
    }
    if (signal.aborted) return;
    this.#send({ kind: "took", n });
    if (this.#life.isInTurn || !this.#deliveries.isEmpty || this.#turnStop.hasGoneOn) this.#isStopped = false;
    else if (this.#inbox.isEmpty) this.#send({ kind: "waiting", for: "message" });
    this.#isInterrupting = false;
    this.#resumed.resolve();
    this.#resumed = Promise.withResolvers();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((settle) => {
    if (signal.aborted) settle();
    else signal.addEventListener("abort", () => settle(), { once: true });
  });
}
