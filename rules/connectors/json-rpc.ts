/** Messages of JSON-RPC 2.0 as MCP has them, and answers in words. Pure. */
import { z } from "zod";

/** A message as far as it is looked at; whatever else it has goes on as it is. */
export const messageSchema = z.looseObject({
  /** A number that is not the same once it is written anew would leave its sender without an answer. */
  id: z.union([z.string(), z.number().refine((id) => Math.abs(id) <= Number.MAX_SAFE_INTEGER), z.null()]).optional(),
  method: z.string().optional(),
  params: z.looseObject({}).optional(),
  result: z.looseObject({}).optional(),
});
export type Message = z.infer<typeof messageSchema>;
export type MessageId = string | number | null;

/** Codes of the specification; the last one is what a server may choose. */
export const RPC_CODES = {
  invalidRequest: -32_600,
  noMethod: -32_601,
  invalidParams: -32_602,
  internal: -32_603,
} as const;

/** Whether whoever sent it waits for an answer. */
export function isRequest(message: Message): message is Message & { id: string | number; method: string } {
  return message.method !== undefined && message.id !== undefined && message.id !== null;
}

export function errorMessage(id: MessageId, code: number, message: string) {
  return { jsonrpc: "2.0", id, error: { code, message } };
}

export function resultMessage(id: MessageId, result: object) {
  return { jsonrpc: "2.0", id, result };
}

/** The result of a tool that failed: what a model reads, where an error of the protocol may be read by its program alone. */
export function failedTool(text: string) {
  return { resultType: "complete", content: [{ type: "text", text }], isError: true };
}

/** Tells who waits for an answer that there is none, and why: for a tool's call as its result. */
export function answerInWords(message: Message & { id: string | number }, words: string) {
  return message.method === "tools/call"
    ? resultMessage(message.id, failedTool(words))
    : errorMessage(message.id, RPC_CODES.internal, words);
}
