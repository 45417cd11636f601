/** A turn of the agent as the SDK tells it: 400 messages, 380 of them deltas of text. */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { z } from "zod";
import { ROOT } from "./scratch.ts";

const STEPS = 4;
const DELTAS_OF_STEP = 76;
const WORDS = "the parser keeps a trailing comma now and ".split(/(?<= )/);

/** Messages as they were recorded from the SDK, by what they are. */
const recordedSchema = z.record(
  z.string(),
  z.custom<SDKMessage>((value) => typeof value === "object"),
);

/** Four steps of text, tool call and result, and a last answer. */
export function sdkTurn(): SDKMessage[] {
  const file = path.join(ROOT, "test/runner/fixtures/sdk-messages.json");
  const recorded = recordedSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  const as = (kind: string, ...changes: [from: string, to: string][]): SDKMessage => {
    const text = changes.reduce((json, [from, to]) => json.replaceAll(from, to), JSON.stringify(recorded[kind]));
    return JSON.parse(text);
  };
  const answer = (step: number): SDKMessage[] => {
    const id: [string, string] = ["msg_1", `msg_${step}`];
    const words = Array.from({ length: DELTAS_OF_STEP }, (_, index) => WORDS[index % WORDS.length] ?? "");
    const said = "Hello, I will look around the workspace now.";
    return [
      as("stream_event/message_start", id),
      ...words.map((word) => as("stream_event/content_block_delta/text_delta", id, ["Hello, I will look a", word])),
      as("assistant/text", id, [said, words.join("")]),
    ];
  };
  const steps = Array.from({ length: STEPS }, (_, index) => {
    const call: [string, string] = ["toolu_1_1", `toolu_${index + 1}_1`];
    return [
      ...answer(index + 1),
      as("assistant/tool_use", ["msg_1", `msg_${index + 1}`], call),
      as("user/tool_result", call),
    ];
  });
  return [as("system/init"), ...steps.flat(), ...answer(STEPS + 1), as("result/success")];
}
