/** The agent's messages, as the SDK really sends them, become transcript events. */
import { readFileSync } from "node:fs";
import type { SDKMessage, SDKResultMessage } from "@anthropic-ai/claude-agent-sdk";
import { describe, expect, it } from "vitest";
import { runnerEventSchema } from "#protocol/transcript.ts";
import { AgentEvents } from "#sandbox-runner/agent/agent-events.ts";
import { agentError } from "#sandbox-runner/agent/outcome.ts";

const recorded: Record<string, SDKMessage> = JSON.parse(
  readFileSync(new URL("./fixtures/sdk-messages.json", import.meta.url), "utf8"),
);

function sample(name: string, changes: Record<string, unknown> = {}): SDKMessage {
  const message = recorded[name];
  if (message === undefined) throw new Error(`no sample ${name}`);
  return { ...message, ...changes } as SDKMessage;
}

function result(name: string) {
  const message = sample(name);
  if (message.type !== "result") throw new Error(`${name} is no result`);
  return message;
}

function assistant(id: string, content: unknown[], parent: string | null = null): SDKMessage {
  const message = { id, type: "message", role: "assistant", model: "m", content, usage: {} };
  return sample("assistant/text", { message, parent_tool_use_id: parent });
}

function streamed(id: string, delta: object, parent: string | null = null): SDKMessage[] {
  const start = { type: "message_start", message: { id } };
  const events = [start, { type: "content_block_delta", index: 0, delta }];
  return events.map((event) => sample("stream_event/message_start", { event, parent_tool_use_id: parent }));
}

/** A list in a list in a list. */
function nested(levels: number): unknown[] {
  let list: unknown[] = [];
  for (let level = 1; level < levels; level += 1) list = [list];
  return list;
}

/** Each message by itself. */
const table: [name: string, message: SDKMessage, events: unknown[]][] = [
  ["system/init", sample("system/init"), []],
  ["system/status", sample("system/status"), []],
  ["system/vcs_state_changed", sample("system/vcs_state_changed"), []],
  ["stream_event/content_block_stop", sample("stream_event/content_block_stop"), []],
  [
    "assistant/text",
    sample("assistant/text"),
    [{ type: "agent.message", message_id: "msg_1", text: "Hello, I will look around the workspace now." }],
  ],
  [
    "assistant/tool_use",
    sample("assistant/tool_use"),
    [
      {
        type: "tool.call",
        tool_call_id: "toolu_1_1",
        name: "Bash",
        input: { command: "id; pwd", description: "probe" },
      },
    ],
  ],
  ...[2_000, 20_000].map((levels): [string, SDKMessage, unknown[]] => [
    `a tool's input of ${levels} levels`,
    assistant("msg_deep", [{ type: "tool_use", id: "toolu_deep", name: "Bash", input: nested(levels) }]),
    [{ type: "tool.call", tool_call_id: "toolu_deep", name: "Bash", input: null }],
  ]),
  [
    "a subagent's result",
    sample("user/tool_result", { parent_tool_use_id: "toolu_agent" }),
    [expect.objectContaining({ type: "tool.result", parent: "toolu_agent" })],
  ],
  [
    "thinking",
    assistant("msg_9", [{ type: "thinking", thinking: "Hm.", signature: "s" }]),
    [{ type: "agent.thinking", message_id: "msg_9", text: "Hm." }],
  ],
  ["hidden thinking", assistant("msg_9", [{ type: "redacted_thinking", data: "x" }]), []],
  ["empty text", assistant("msg_9", [{ type: "text", text: "" }]), []],
  [
    "user/tool_result",
    sample("user/tool_result"),
    [{ type: "tool.result", tool_call_id: "toolu_1_1", is_error: false, text: "uid=0(root)\n/workspace\n0" }],
  ],
  [
    "a tool result in parts",
    sample("user/tool_result", {
      message: {
        role: "user",
        content: [
          {
            type: "tool_result",
            tool_use_id: "t",
            is_error: true,
            content: [
              { type: "text", text: "a" },
              { type: "image", source: {} },
            ],
          },
        ],
      },
    }),
    [{ type: "tool.result", tool_call_id: "t", is_error: true, text: "a\n[image]" }],
  ],
  ["user/text", sample("user/text"), []],
  [
    "system/api_retry",
    sample("system/api_retry"),
    [
      {
        type: "notice",
        level: "warning",
        code: "model_retry",
        message: "The model did not answer (529 overloaded): asking again in 0.5 s, 1 of 1.",
      },
    ],
  ],
  [
    "an error in the agent's mouth",
    sample("assistant/text", { error: "rate_limit" }),
    [
      {
        type: "notice",
        level: "warning",
        code: "model_error",
        message: "Hello, I will look around the workspace now.",
      },
    ],
  ],
  ["a subagent's words", assistant("msg_9", [{ type: "text", text: "I am a subagent" }], "toolu_1"), []],
  [
    "a subagent's tool call",
    assistant("msg_9", [{ type: "tool_use", id: "t", name: "Read", input: {} }], "toolu_1"),
    [{ type: "tool.call", tool_call_id: "t", name: "Read", parent: "toolu_1", input: {} }],
  ],
  [
    "result/success, whose model has no known price",
    sample("result/success"),
    [
      {
        type: "usage",
        usage: { input_tokens: 700, output_tokens: 175, cache_read_tokens: 0, cache_write_tokens: 0, cost_usd: 0 },
      },
    ],
  ],
];

describe("the agent's messages", () => {
  it.each(table)("%s", (_name, message, events) => {
    const output = new AgentEvents().read(message);
    expect(output).toEqual({ events, deltas: [] });
    for (const event of output.events) expect(runnerEventSchema.parse(event)).toEqual(event);
  });

  it("count as turns and tool calls", () => {
    const agent = new AgentEvents();
    agent.read(sample("system/init"));
    agent.read(sample("assistant/text"));
    agent.read(sample("assistant/tool_use"));
    agent.read(assistant("msg_2", [{ type: "tool_use", id: "t", name: "Read", input: {} }], "toolu_1"));
    agent.read(assistant("msg_3", [{ type: "text", text: "Done." }]));
    expect({ started: agent.started, turns: agent.turns, toolCalls: agent.toolCalls }).toEqual({
      started: true,
      turns: 2,
      toolCalls: 2,
    });
  });

  it("cost what models of known price cost, each result its own part", () => {
    const agent = new AgentEvents();
    const priced = (costUSD: number) => sample("result/success", { modelUsage: { m: { costUSD, costBasis: "list" } } });
    const costs = [priced(0.25), priced(0.75)].map((message) => agent.read(message).events[0]);
    expect(costs).toMatchObject([{ usage: { cost_usd: 0.25 } }, { usage: { cost_usd: 0.5 } }]);
    expect(agent.costUsd).toBe(0.75);
  });
});

describe("live text", () => {
  it("has the id of the message that supersedes it, block by block", () => {
    const agent = new AgentEvents();
    const deltas = [
      ...streamed("msg_7", { type: "text_delta", text: "First" }),
      assistant("msg_7", [{ type: "text", text: "First" }]),
      ...streamed("msg_7", { type: "thinking_delta", thinking: "Second" }),
    ].flatMap((message) => agent.read(message).deltas);
    expect(deltas).toEqual([
      { type: "agent.delta", message_id: "msg_7", kind: "text", text: "First" },
      { type: "agent.delta", message_id: "msg_7.1", kind: "thinking", text: "Second" },
    ]);
    const second = agent.read(assistant("msg_7", [{ type: "thinking", thinking: "Second", signature: "s" }]));
    expect(second.events).toMatchObject([{ message_id: "msg_7.1" }]);
  });

  it("leaves out tool input, and what subagents say", () => {
    const agent = new AgentEvents();
    const messages = [
      ...streamed("msg_1", { type: "input_json_delta", partial_json: "{" }),
      ...streamed("msg_2", { type: "text_delta", text: "sub" }, "toolu_1"),
    ];
    expect(messages.flatMap((message) => agent.read(message).deltas)).toEqual([]);
  });
});

describe("the end of the agent", () => {
  it.each([
    ["result/success", null],
    ["result/success+is_error", "model_unavailable"],
    ["result/error_max_turns+is_error", "turns_exhausted"],
    ["result/error_during_execution+is_error", "agent_failed"],
  ])("%s is %s", (name, code) => {
    expect(agentError(result(name), "")?.code ?? null).toBe(code);
  });

  const failed = (facts: object) =>
    ({ ...result("result/success+is_error"), terminal_reason: "api_error", ...facts }) as SDKResultMessage;
  it.each<[string, object, string, string]>([
    ["a refusal", { stop_reason: "refusal", result: "API Error: m can't help with this." }, "model_refusal", "refusal"],
    ["answers that are cut", { api_error: "max_output_tokens" }, "model_max_tokens", "max_tokens"],
    [
      "a full context",
      { terminal_reason: "prompt_too_long", api_error_status: 400 },
      "model_context_full",
      "context window",
    ],
    [
      "a wrong key, as the proxy tells it",
      {
        api_error_status: 403,
        api_error_type: "authentication_error",
        result: "Failed to authenticate. API Error: 403 It is so. Reason: it answered 401: invalid x-api-key.",
      },
      "model_key_refused",
      "key. Reason: it answered 401: invalid x-api-key.",
    ],
    [
      "a wrong key, as the API tells it",
      { api_error_status: 401, result: "Not logged in · Please run /login" },
      "model_key_refused",
      "refused this instance's key.",
    ],
    [
      "a rule of the proxy",
      { api_error_status: 403, api_error_type: "permission_error", result: "API Error: 403 server_side_tool" },
      "model_request_refused",
      "server_side_tool",
    ],
    [
      "a rate limit",
      { api_error_status: 429, result: "API Error: Request rejected (429) · Monthly limit reached" },
      "model_limit_reached",
      "Monthly limit reached",
    ],
    [
      "no credit",
      { api_error_status: 400, result: "Credit balance is too low" },
      "model_limit_reached",
      "Credit balance",
    ],
    [
      "an unknown model",
      { api_error_status: 404, result: "There's an issue with the selected model (m)." },
      "model_request_refused",
      "selected model (m)",
    ],
    ["an overloaded service", { api_error_status: 529, result: "Overloaded" }, "model_unavailable", "Overloaded"],
    ["a fault of the service", { api_error_status: 500, result: "Internal" }, "model_unavailable", "Internal"],
    [
      "a context that is full in the middle of an answer",
      { api_error: "max_output_tokens", result: "API Error: The model has reached its context window limit." },
      "model_context_full",
      "context window",
    ],
    [
      "a request that is too large",
      {
        terminal_reason: "image_error",
        api_error_status: 413,
        api_error_type: "request_too_large",
        result: "Request too large (max 32MB).",
      },
      "model_request_refused",
      "Request too large",
    ],
    ["a picture that can't be read", { terminal_reason: "image_error" }, "model_request_refused", "refused"],
    ["no connection", { api_error_status: null, result: "Connection error." }, "model_unavailable", "Connection error"],
  ])("by %s is told as what it is", (_what, facts, code, words) => {
    const error = agentError(failed(facts), "");
    expect(error).toMatchObject({ code, phase: "agent", message: expect.stringContaining(words) });
    expect(`${error?.message} ${error?.hint}`.includes("ANTHROPIC_API_KEY")).toBe(code === "model_key_refused");
    expect(error?.message.includes("did not answer")).toBe(code === "model_unavailable");
  });

  it("does not send people to the run's own relay", () => {
    const words = "API Error: 500 Internal. This is a server-side issue. If it persists, check your inference gateway";
    const error = agentError(failed({ api_error_status: 500, result: `${words} (127.0.0.1:40297).` }), "");
    expect(error?.message).toMatch(/500 Internal\. This is a server-side issue\.$/);
    const told = {
      ...assistant("msg_1", [{ type: "text", text: `${words} (127.0.0.1:40297).` }]),
      error: "server_error",
    };
    const { events } = new AgentEvents().read(told as SDKMessage);
    expect(events).toMatchObject([{ code: "model_error", message: expect.stringMatching(/server-side issue\.$/) }]);
  });

  it("without a result tells its last words", () => {
    const words = "one\ntwo";
    expect(agentError(null, words)).toMatchObject({
      code: "agent_failed",
      message: expect.stringContaining("one two"),
    });
  });
});
