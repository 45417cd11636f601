/** Pure: a reply as the Messages API's own objects, whole or as the events of its stream. */

/** A message to answer with; the blocks come in the order of these keys. */
export interface MessagePlan {
  thinking?: string;
  text?: string;
  toolCalls?: ToolCallPlan[];
  /** What is absent follows from the blocks. */
  stopReason?: StopReason;
  /** What is absent is estimated from the lengths. */
  usage?: Partial<WireUsage>;
  /** Before the first byte. */
  startDelayMs?: number;
  /** Before each delta, so that a viewer sees the text grow. */
  deltaDelayMs?: number;
}

type StopReason = "end_turn" | "max_tokens" | "refusal" | "tool_use";

export interface ToolCallPlan {
  name: string;
  input: Record<string, unknown>;
}

export interface WireUsage {
  input_tokens: number;
  output_tokens: number;
  cache_read_input_tokens: number;
  cache_creation_input_tokens: number;
}

type WireBlock =
  | { type: "thinking"; thinking: string; signature: string }
  | { type: "text"; text: string }
  | { type: "tool_use"; id: string; name: string; input: Record<string, unknown> };

/** A reply with everything drawn and counted. */
export interface WireReply {
  id: string;
  model: string;
  blocks: WireBlock[];
  usage: WireUsage;
  stopReason?: StopReason | undefined;
}

export interface StreamEvent {
  name: string;
  data: { type: string } & Record<string, unknown>;
  isDelta: boolean;
}

/** How many characters one delta carries: small enough to be seen growing. */
export const DELTA_CHARACTERS = 24;

/** The blocks of a plan. @param drawId makes ids of tool calls unique. */
export function replyBlocks(plan: MessagePlan, drawId: () => string): WireBlock[] {
  const blocks: WireBlock[] = [];
  if (plan.thinking !== undefined) {
    blocks.push({ type: "thinking", thinking: plan.thinking, signature: `signature_${drawId()}` });
  }
  if (plan.text !== undefined) blocks.push({ type: "text", text: plan.text });
  for (const { name, input } of plan.toolCalls ?? []) {
    blocks.push({ type: "tool_use", id: `toolu_${drawId()}`, name, input });
  }
  return blocks;
}

/** @param inputTokens the estimate for the request. */
export function planUsage(plan: MessagePlan, inputTokens: number): WireUsage {
  const written = (plan.thinking ?? "") + (plan.text ?? "") + JSON.stringify(plan.toolCalls ?? []);
  return {
    input_tokens: inputTokens,
    output_tokens: Math.max(1, Math.ceil(written.length / 4)),
    cache_read_input_tokens: 0,
    cache_creation_input_tokens: 0,
    ...plan.usage,
  };
}

/** The answer to a request without `stream`. */
export function replyMessage({ id, model, blocks, usage, stopReason = reasonOf(blocks) }: WireReply) {
  return {
    id,
    type: "message",
    role: "assistant",
    model,
    content: blocks,
    stop_reason: stopReason,
    stop_sequence: null,
    usage,
  };
}

/** The events of a stream, from `message_start` to `message_stop`. */
export function* replyEvents(reply: WireReply): Generator<StreamEvent> {
  const { id, model, blocks, usage, stopReason = reasonOf(blocks) } = reply;
  const started = { ...replyMessage({ id, model, blocks: [], usage }), stop_reason: null };
  yield event("message_start", { message: { ...started, usage: { ...usage, output_tokens: 1 } } });
  yield event("ping", {});
  for (const [index, block] of blocks.entries()) {
    yield event("content_block_start", { index, content_block: emptyBlock(block) });
    for (const delta of blockDeltas(block)) yield { ...event("content_block_delta", { index, delta }), isDelta: true };
    yield event("content_block_stop", { index });
  }
  yield event("message_delta", { delta: { stop_reason: stopReason, stop_sequence: null }, usage });
  yield event("message_stop", {});
}

function event(type: string, facts: Record<string, unknown>): StreamEvent {
  return { name: type, data: { type, ...facts }, isDelta: false };
}

function reasonOf(blocks: WireBlock[]): StopReason {
  return blocks.some(({ type }) => type === "tool_use") ? "tool_use" : "end_turn";
}

function emptyBlock(block: WireBlock): WireBlock {
  if (block.type === "thinking") return { type: "thinking", thinking: "", signature: "" };
  if (block.type === "text") return { type: "text", text: "" };
  return { ...block, input: {} };
}

function blockDeltas(block: WireBlock): Record<string, unknown>[] {
  if (block.type === "text") return pieces(block.text).map((text) => ({ type: "text_delta", text }));
  if (block.type === "tool_use") {
    return pieces(JSON.stringify(block.input)).map((json) => ({ type: "input_json_delta", partial_json: json }));
  }
  const thoughts = pieces(block.thinking).map((thinking) => ({ type: "thinking_delta", thinking }));
  return [...thoughts, { type: "signature_delta", signature: block.signature }];
}

/** Cuts a text into deltas, never inside a character. */
function pieces(text: string): string[] {
  return text.match(new RegExp(`.{1,${DELTA_CHARACTERS}}`, "gsu")) ?? [];
}
