/** A request of the Messages API: as much of it as a reply can depend on. */
import { z } from "zod";

const textBlockSchema = z.object({ type: z.literal("text"), text: z.string() });
const toolUseBlockSchema = z.object({
  type: z.literal("tool_use"),
  id: z.string(),
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
});
const toolResultBlockSchema = z.object({
  type: z.literal("tool_result"),
  tool_use_id: z.string(),
  is_error: z.boolean().optional(),
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))]).optional(),
});
/** Thinking, images, documents and whatever else comes: nothing depends on them here. */
const otherBlockSchema = z
  .looseObject({ type: z.string() })
  .refine(({ type }) => !["text", "tool_use", "tool_result"].includes(type), "does not fit its type");

const blockSchema = z.union([textBlockSchema, toolUseBlockSchema, toolResultBlockSchema, otherBlockSchema]);

const messageSchema = z.object({
  role: z.enum(["user", "assistant", "system"]),
  content: z.union([z.string(), z.array(blockSchema)]),
});

export const messagesRequestSchema = z.looseObject({
  model: z.string(),
  messages: z.array(messageSchema).min(1),
  stream: z.boolean().optional(),
  tools: z.array(z.looseObject({ name: z.string() })).optional(),
  max_tokens: z.int().optional(),
});
export type MessagesRequest = z.infer<typeof messagesRequestSchema>;
export type Message = MessagesRequest["messages"][number];
export type ToolUseBlock = z.infer<typeof toolUseBlockSchema>;
export type ToolResultBlock = z.infer<typeof toolResultBlockSchema>;

/** What a message says in words. */
export function texts({ content }: Message): string[] {
  if (typeof content === "string") return [content];
  return content.flatMap((block) => {
    const parsed = textBlockSchema.safeParse(block);
    return parsed.success ? [parsed.data.text] : [];
  });
}

/** The tool calls in a message, in their order. */
export function toolUses(message: Message): ToolUseBlock[] {
  if (typeof message.content === "string") return [];
  return message.content.flatMap((block) => {
    const parsed = toolUseBlockSchema.safeParse(block);
    return parsed.success ? [parsed.data] : [];
  });
}

/** The results of tool calls in a message, with their texts joined. */
export function toolResults(message: Message): { toolUseId: string; isError: boolean; text: string }[] {
  if (typeof message.content === "string") return [];
  return message.content.flatMap((block) => {
    const parsed = toolResultBlockSchema.safeParse(block);
    if (!parsed.success) return [];
    const { tool_use_id, is_error, content } = parsed.data;
    return [{ toolUseId: tool_use_id, isError: is_error === true, text: resultText(content) }];
  });
}

function resultText(content: ToolResultBlock["content"]): string {
  if (content === undefined) return "";
  if (typeof content === "string") return content;
  return content.map((block) => block.text ?? "").join("\n");
}
