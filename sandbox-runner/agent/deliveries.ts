/** Which messages the agent has got: its program keeps one that comes in a turn until the tool that is on has ended. No I/O. */
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";

interface Given {
  n: number;
  /** By which the program names it. */
  uuid: string;
  /** The next request of the agent's has it. */
  isDue: boolean;
  /** It has outlived an interrupt, and a turn for it follows. */
  isQueued: boolean;
}

export class Deliveries {
  /** Given to the program, in order. */
  #given: Given[] = [];

  get isEmpty(): boolean {
    return this.#given.length === 0;
  }

  /** @param isInTurn whether a turn is on: else the message begins one. */
  give(n: number, uuid: string, isInTurn: boolean): void {
    this.#given.push({ n, uuid, isDue: !isInTurn, isQueued: false });
  }

  /** A turn is interrupted. @param queued what the program still keeps. @returns whether messages are among it. */
  outlive(queued: readonly string[]): boolean {
    this.#given = this.#given.map((given) => ({ ...given, isQueued: queued.includes(given.uuid) }));
    return this.#given.some(({ isQueued }) => isQueued);
  }

  /** @returns messages that the agent has got with this. */
  read(message: SDKMessage): number[] {
    // Turns begin with this: what has been kept for one is not kept any more.
    if (message.type === "system" && message.subtype === "init") {
      this.#given = this.#given.map((given) => ({ ...given, isQueued: false }));
    }
    const got = this.#given.filter((given) => given.isDue && isGot(given, message)).map(({ n }) => n);
    this.#given = this.#given.filter(({ n }) => !got.includes(n));
    const isEnd = message.type === "result" || (message.type === "user" && message.parent_tool_use_id === null);
    if (isEnd) this.#given = this.#given.map((given) => ({ ...given, isDue: true }));
    return got;
  }
}

/** Whether the model answers to it, or the turn that it was for has ended without that. */
function isGot({ isQueued }: Given, message: SDKMessage): boolean {
  if (message.type === "result") return !isQueued && (message.queued_turn_count ?? 0) === 0;
  return (
    message.type === "stream_event" && message.parent_tool_use_id === null && message.event.type === "message_start"
  );
}
