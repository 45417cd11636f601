/** Which messages the agent has got: its program keeps one that comes in a turn until the tool that is on has ended. No I/O. */
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";

export class Deliveries {
  /** Given to the program, in order; `isDue`: the next request of the agent's has it. */
  #given: { n: number; isDue: boolean }[] = [];

  get isEmpty(): boolean {
    return this.#given.length === 0;
  }

  /** @param isInTurn whether a turn is on: else the message begins one. */
  give(n: number, isInTurn: boolean): void {
    this.#given.push({ n, isDue: !isInTurn });
  }

  /** @returns messages that the agent has got with this. */
  read(message: SDKMessage): number[] {
    const isEnd = message.type === "result" || (message.type === "user" && message.parent_tool_use_id === null);
    if (isEnd) this.#given = this.#given.map(({ n }) => ({ n, isDue: true }));
    const isAnswer =
      message.type === "stream_event" && message.parent_tool_use_id === null && message.event.type === "message_start";
    if (!isAnswer) return [];
    const got = this.#given.filter(({ isDue }) => isDue).map(({ n }) => n);
    this.#given = this.#given.filter(({ isDue }) => !isDue);
    return got;
  }
}
