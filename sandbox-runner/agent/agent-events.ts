/** The agent's messages as transcript events: no I/O, no clock. The only file that knows the SDK's message shapes. */
import type { SDKMessage, SDKResultMessage } from "@anthropic-ai/claude-agent-sdk";
import { z } from "zod";
import { roundDollars } from "#protocol/money.ts";
import { NO_USAGE, type Usage } from "#protocol/run.ts";
import type { Delta, RunnerEvent } from "#protocol/transcript.ts";
import { modelWords } from "./model-failure.ts";

export interface AgentOutput {
  events: RunnerEvent[];
  deltas: Delta[];
}

type AssistantMessage = Extract<SDKMessage, { type: "assistant" }>;
type UserMessage = Extract<SDKMessage, { type: "user" }>;
type StreamMessage = Extract<SDKMessage, { type: "stream_event" }>;
type SystemMessage = Extract<SDKMessage, { type: "system" }>;

/** A tool's input that is nested more deeply is not shown. */
const INPUT_LEVELS = 200;
/** Ids and names come from the model's side, where nothing bounds them. */
const ID_LENGTH = 180;
const NAME_LENGTH = 500;

/** Reads an agent's messages in their order. */
export class AgentEvents {
  /** How many of a model message's blocks are complete: the number of the block that is being written. */
  readonly #blocks = new Map<string, number>();
  readonly #turns = new Set<string>();
  #streaming = "";
  #toolCalls = 0;
  #started = false;
  #costUsd = 0;
  /** The ids of calls that a rule or a hook refused. */
  readonly #refused = new Set<string>();
  readonly #faultyPlugins = new Set<string>();
  #stoppedByHook: string | null = null;

  /** True when the agent has begun. */
  get started(): boolean {
    return this.#started;
  }
  /** Answers of the model in the agent's own loop, without its subagents'. */
  get turns(): number {
    return this.#turns.size;
  }
  get toolCalls(): number {
    return this.#toolCalls;
  }
  get toolsRefused(): number {
    return this.#refused.size;
  }
  /** What a hook said that ended the agent's last turn; null when none did. */
  get stoppedByHook(): string | null {
    return this.#stoppedByHook;
  }
  /** By list price, as far as it is known. */
  get costUsd(): number {
    return this.#costUsd;
  }

  read(message: SDKMessage): AgentOutput {
    if (message.type === "stream_event") return { events: [], deltas: this.#readStream(message) };
    return { events: this.#readWhole(message), deltas: [] };
  }

  #readWhole(message: SDKMessage): RunnerEvent[] {
    if (message.type === "assistant") return this.#readAssistant(message);
    if (message.type === "user") return readUser(message);
    if (message.type === "result") return [...this.#readRefusals(message), this.#readResult(message)];
    if (message.type === "system") return this.#readSystem(message);
    return [];
  }

  #readStream({ event, parent_tool_use_id: parent }: StreamMessage): Delta[] {
    // A subagent's words are the business of the agent that asked for them.
    if (parent !== null) return [];
    if (event.type === "message_start") this.#streaming = event.message.id;
    if (event.type !== "content_block_delta") return [];
    const message_id = this.#blockId(this.#streaming);
    const { delta } = event;
    if (delta.type === "text_delta") return [{ type: "agent.delta", message_id, kind: "text", text: delta.text }];
    if (delta.type === "thinking_delta") {
      return [{ type: "agent.delta", message_id, kind: "thinking", text: delta.thinking }];
    }
    return [];
  }

  #readAssistant({ message, parent_tool_use_id: parent, error }: AssistantMessage): RunnerEvent[] {
    if (error !== undefined) {
      const text = message.content.map((block) => (block.type === "text" ? block.text : "")).join("");
      return [{ type: "notice", level: "warning", code: "model_error", message: modelWords(text) || error }];
    }
    if (parent === null) {
      this.#turns.add(message.id);
      this.#stoppedByHook = null;
    }
    return message.content.flatMap((block): RunnerEvent[] => {
      const message_id = this.#blockId(message.id);
      this.#blocks.set(message.id, (this.#blocks.get(message.id) ?? 0) + 1);
      if (block.type === "tool_use" || block.type === "server_tool_use" || block.type === "mcp_tool_use") {
        this.#toolCalls += 1;
        const input = isShallow(block.input, INPUT_LEVELS) ? z.json().safeParse(block.input).data : undefined;
        return [
          {
            type: "tool.call",
            tool_call_id: block.id.slice(0, ID_LENGTH),
            name: block.name.slice(0, NAME_LENGTH),
            ...calledFor(parent),
            input: input ?? null,
          },
        ];
      }
      if (parent !== null) return [];
      if (block.type === "text" && block.text !== "") return [{ type: "agent.message", message_id, text: block.text }];
      if (block.type === "thinking" && block.thinking !== "") {
        return [{ type: "agent.thinking", message_id, text: block.thinking }];
      }
      return [];
    });
  }

  #readSystem(message: SystemMessage): RunnerEvent[] {
    if (message.subtype === "init") {
      this.#started = true;
      return this.#readPluginErrors(message.plugin_errors ?? []);
    }
    if (message.subtype === "permission_denied") {
      this.#refused.add(message.tool_use_id);
      const words = `The call of ${message.tool_name.slice(0, NAME_LENGTH)} was refused: ${message.message}`;
      return [{ type: "notice", level: "warning", code: "tool_refused", message: words }];
    }
    if (message.subtype === "informational") {
      if (message.prevent_continuation === true) this.#stoppedByHook = message.content;
      if (message.level !== "warning") return [];
      const code = message.tag === "settings_not_in_effect" ? "settings_not_in_effect" : "agent_warning";
      return [{ type: "notice", level: "warning", code, message: message.content }];
    }
    if (message.subtype === "api_retry") {
      const what = message.error_status === null ? message.error : `${message.error_status} ${message.error}`;
      const pause = (message.retry_delay_ms / 1_000).toFixed(1);
      const words = `The model did not answer (${what}): asking again in ${pause} s, ${message.attempt} of ${message.max_retries}.`;
      return [{ type: "notice", level: "warning", code: "model_retry", message: words }];
    }
    if (message.subtype === "compact_boundary") {
      const words = `The conversation was summarised to make room, from ${message.compact_metadata.pre_tokens} tokens.`;
      return [{ type: "notice", level: "info", code: "conversation_compacted", message: words }];
    }
    return [];
  }

  #readPluginErrors(errors: readonly { plugin: string; message: string }[]): RunnerEvent[] {
    const fresh = errors.filter(({ plugin }) => !this.#faultyPlugins.has(plugin));
    for (const { plugin } of fresh) this.#faultyPlugins.add(plugin);
    return fresh.map(({ plugin, message }) => {
      const words = `The plugin ${plugin.slice(0, NAME_LENGTH)} is not loaded: ${message}`;
      return { type: "notice", level: "warning", code: "plugin_not_loaded", message: words };
    });
  }

  /** Some refusals are told by the result alone. */
  #readRefusals(result: SDKResultMessage): RunnerEvent[] {
    if (result.terminal_reason === "hook_stopped") this.#stoppedByHook ??= "";
    const silent = (result.permission_denials ?? []).filter(({ tool_use_id }) => !this.#refused.has(tool_use_id));
    for (const { tool_use_id } of silent) this.#refused.add(tool_use_id);
    if (silent.length === 0) return [];
    const names = silent.map(({ tool_name }) => tool_name.slice(0, NAME_LENGTH)).join(", ");
    const words = `Calls were refused, with the reason in the result of each: ${names}.`;
    return [{ type: "notice", level: "warning", code: "tool_refused", message: words }];
  }

  #readResult(result: SDKResultMessage): RunnerEvent {
    const before = this.#costUsd;
    this.#costUsd = knownCost(result);
    const { usage } = result;
    return {
      type: "usage",
      usage: {
        input_tokens: count(usage.input_tokens),
        output_tokens: count(usage.output_tokens),
        cache_read_tokens: count(usage.cache_read_input_tokens),
        cache_write_tokens: count(usage.cache_creation_input_tokens),
        cost_usd: Math.max(0, roundDollars(this.#costUsd - before)),
      } satisfies Usage,
    };
  }

  /** Blocks of one message are told apart, so that a delta's text is superseded by its own block only. */
  #blockId(messageId: string): string {
    const block = this.#blocks.get(messageId) ?? 0;
    const id = messageId.slice(0, ID_LENGTH);
    return block === 0 ? id : `${id}.${block}`;
  }
}

function readUser({ message, parent_tool_use_id: parent }: UserMessage): RunnerEvent[] {
  if (typeof message.content === "string") return [];
  return message.content.flatMap((block): RunnerEvent[] =>
    block.type === "tool_result"
      ? [
          {
            type: "tool.result",
            tool_call_id: block.tool_use_id.slice(0, ID_LENGTH),
            ...calledFor(parent),
            is_error: block.is_error ?? false,
            text: resultText(block.content),
          },
        ]
      : [],
  );
}

/** Of a subagent's call, by which call of the agent's it works. */
function calledFor(parent: string | null): { parent?: string } {
  return parent === null ? {} : { parent: parent.slice(0, ID_LENGTH) };
}

type ToolResultContent = Extract<
  Exclude<UserMessage["message"]["content"], string>[number],
  { type: "tool_result" }
>["content"];

function resultText(content: ToolResultContent): string {
  if (content === undefined) return "";
  if (typeof content === "string") return content;
  return content.map((part) => (part.type === "text" ? part.text : `[${part.type}]`)).join("\n");
}

/** The agent's program makes up a price for models that it does not know: those cost nothing here. */
function knownCost(result: SDKResultMessage): number {
  const models = Object.values(result.modelUsage);
  return roundDollars(
    models.reduce((sum, model) => sum + (model.costBasis === "unknown" ? 0 : Math.max(0, model.costUSD)), 0),
  );
}

function count(value: number | null | undefined): number {
  return Number.isFinite(value) ? Math.max(NO_USAGE.input_tokens, Math.round(value ?? 0)) : 0;
}

/** Reading or writing JSON of thousands of levels runs out of stack. */
function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1));
}
