/** Which turns an interrupt stops, as the agent's program answers it. */
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { describe, expect, it, vi } from "vitest";
import { Deliveries } from "#sandbox-runner/agent/deliveries.ts";
import { TurnStop } from "#sandbox-runner/agent/turn-stop.ts";

type Receipt = Awaited<ReturnType<Parameters<TurnStop["stop"]>[0]["interrupt"]>>;

const said = (message: object) => message as SDKMessage;
const BEGIN = said({ type: "system", subtype: "init" });
const STOPPED = said({ type: "result", is_error: true, terminal_reason: "aborted_streaming" });
const DONE = said({ type: "result", is_error: false, terminal_reason: "completed" });

/** With a message that the program was given in the turn that is on. */
function begun() {
  const deliveries = new Deliveries();
  const turnStop = new TurnStop(deliveries);
  deliveries.give(1, "one", true);
  turnStop.read(BEGIN);
  turnStop.begin();
  return { deliveries, turnStop };
}

/** Answers each interrupt when it is told to. */
function program() {
  const asked: ((receipt: Receipt) => void)[] = [];
  const interrupt = () => new Promise<Receipt>((settle) => asked.push(settle));
  return { interrupt, asked };
}

describe("an interrupt", () => {
  it("is given once for a turn, however late it is answered, and the turn that follows is left alone", async () => {
    const { turnStop } = begun();
    const agent = program();
    for (let look = 0; look < 3; look += 1) turnStop.stop(agent);
    expect(agent.asked).toHaveLength(1);
    agent.asked[0]?.({ still_queued: ["one"] });
    turnStop.read(STOPPED);
    await vi.waitFor(() => expect(turnStop.isFollowed).toBe(true));
    expect(turnStop.hasGoneOn).toBe(false);
    turnStop.read(BEGIN);
    turnStop.read(DONE);
    expect(turnStop.hasGoneOn).toBe(true);
  });

  it("is given again when a turn begins in spite of it, which is the message's own", async () => {
    const { turnStop } = begun();
    const agent = program();
    turnStop.stop(agent);
    agent.asked[0]?.({ still_queued: ["one"] });
    turnStop.read(BEGIN);
    turnStop.stop(agent);
    expect(agent.asked).toHaveLength(2);
    agent.asked[1]?.({ still_queued: [] });
    turnStop.read(STOPPED);
    expect(turnStop.hasGoneOn).toBe(false);
  });
});
