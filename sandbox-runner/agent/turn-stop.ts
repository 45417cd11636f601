/** Stops the agent's turn for an interrupt, and knows whether another one follows for what people have said before it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Query, SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import type { Deliveries } from "./deliveries.ts";

/** A turn that goes on for so long after its stop is stopped once more. */
const AGAIN_MS = 5_000;

export class TurnStop {
  readonly #deliveries: Pick<Deliveries, "outlive">;
  #begun = 0;
  #ended = 0;
  /** How many had ended when the interrupt came. */
  #endedBefore = 0;
  /** The program keeps messages that outlive the turn: a turn for them follows. */
  #isFollowed = false;
  /** Whether the last turn that ended was stopped. */
  #wasStopped = false;
  /** The turn for which the program has been asked to stop. */
  #asked: number | null = null;

  constructor(deliveries: Pick<Deliveries, "outlive">) {
    this.#deliveries = deliveries;
  }

  /** Before its first turn the program would let a stop end the turns of all messages that it has, too. */
  get canStop(): boolean {
    return this.#begun > 0;
  }

  /** The turn that the interrupt was for has ended, and another one follows or is on. */
  get isFollowed(): boolean {
    return this.#isFollowed && this.#ended > this.#endedBefore;
  }

  /** A turn has followed, and has come to its own end. */
  get hasGoneOn(): boolean {
    return this.isFollowed && !this.#wasStopped;
  }

  read(message: SDKMessage): void {
    if (message.type === "system" && message.subtype === "init") this.#begun += 1;
    if (message.type !== "result") return;
    this.#ended += 1;
    this.#wasStopped = message.terminal_reason === "aborted_streaming" || message.terminal_reason === "aborted_tools";
  }

  /** An interrupt has come. */
  begin(): void {
    this.#endedBefore = this.#ended;
    this.#isFollowed = false;
  }

  /**
   * Once for each turn, however late its program's answer is read: a second one would stop the turn that follows. What the
   * program has only just been given may begin a turn in spite of it, which is stopped then.
   */
  stop(agent: Pick<Query, "interrupt">): void {
    const turn = this.#begun + this.#ended;
    if (this.#asked === turn) return;
    this.#asked = turn;
    void this.#ask(agent).then(() => {
      if (this.#asked === turn) this.#asked = null;
    });
  }

  async #ask(agent: Pick<Query, "interrupt">): Promise<void> {
    const receipt = await agent.interrupt().catch(() => undefined);
    if (this.#deliveries.outlive(receipt?.still_queued ?? [])) this.#isFollowed = true;
    await sleep(AGAIN_MS, undefined, { ref: false });
  }
}
