/** When a message counts as read by the agent. */
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { describe, expect, it } from "vitest";
import { Deliveries } from "#sandbox-runner/agent/deliveries.ts";

const said = (message: object) => message as SDKMessage;
const ANSWER = said({ type: "stream_event", parent_tool_use_id: null, event: { type: "message_start" } });
const OF_SUBAGENT = said({ type: "stream_event", parent_tool_use_id: "toolu_1", event: { type: "message_start" } });
const RESULT_OF_TOOL = said({ type: "user", parent_tool_use_id: null });
const END = said({ type: "result", is_error: false, queued_turn_count: 0 });
const END_BEFORE_ANOTHER = said({ type: "result", is_error: false, queued_turn_count: 1 });
const TURN = said({ type: "system", subtype: "init" });
const FAILED = said({ type: "result", is_error: true });

describe("a message", () => {
  it.each([
    ["that begins a turn is read with the answer", false, [ANSWER], [[1]]],
    ["that comes in a tool is read with the answer after it", true, [ANSWER, RESULT_OF_TOOL, ANSWER], [[], [], [1]]],
    ["is not read by a subagent", true, [RESULT_OF_TOOL, OF_SUBAGENT], [[], []]],
    ["that comes at a turn's end is read in the next one", true, [END_BEFORE_ANOTHER, ANSWER], [[], [1]]],
    ["to which no model answers is read when its turn ends", false, [END], [[1]]],
    ["at which the model fails is read when its turn ends", false, [FAILED], [[1]]],
  ])("%s", (_what, isInTurn, messages, read) => {
    const deliveries = new Deliveries();
    deliveries.give(1, "one", isInTurn);
    expect(messages.map((message) => deliveries.read(message))).toEqual(read);
    expect(deliveries.isEmpty).toBe(read.flat().length > 0);
  });

  it("that outlives an interrupt is not read before it is answered, and one that does not is", () => {
    const deliveries = new Deliveries();
    deliveries.give(1, "one", true);
    deliveries.give(2, "two", true);
    expect(deliveries.read(RESULT_OF_TOOL)).toEqual([]);
    expect(deliveries.outlive(["two"])).toBe(true);
    expect([FAILED, ANSWER].map((message) => deliveries.read(message))).toEqual([[1], [2]]);
  });

  it("that outlives an interrupt is read when its own turn ends without an answer", () => {
    const deliveries = new Deliveries();
    deliveries.give(1, "one", true);
    deliveries.outlive(["one"]);
    expect([FAILED, TURN, FAILED].map((message) => deliveries.read(message))).toEqual([[], [], [1]]);
  });
});
