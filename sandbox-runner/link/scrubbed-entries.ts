/** Entries of the agent's conversation without values of secrets, and cut to what a frame may carry. */
import { z } from "zod";
import { CONVERSATION_PIECE } from "#protocol/conversation.ts";
import type { Json } from "#protocol/schema.ts";
import type { Redactor } from "#rules/secrets/redactor.ts";

const blockSchema = z.looseObject({ type: z.string(), thinking: z.string().optional() });
/** By which the agent's program, and the model, know what an entry is: a secret may be the same word. */
const entrySchema = z.looseObject({
  type: z.string(),
  message: z.looseObject({ role: z.string(), content: z.array(blockSchema) }).optional(),
});

/** @returns null for a thought that has a secret in it: a model refuses one that is not word for word its own. */
export function scrubbedEntry(entry: object, redactor: Redactor): object | null {
  const clean = redactor.json(entry as Json);
  if (clean === entry) return entry;
  const [before, after] = [entrySchema.safeParse(entry).data, z.looseObject({}).parse(clean)];
  if (before === undefined) return after;
  const blocks = before.message?.content ?? [];
  if (blocks.some(({ thinking }) => thinking !== undefined && redactor.text(thinking) !== thinking)) return null;
  const named = { ...after, type: before.type };
  const message = entrySchema.shape.message.safeParse(after["message"]).data;
  if (before.message === undefined || message === undefined) return named;
  const content = message.content.map((block, index) => ({ ...block, type: blocks[index]?.type ?? block.type }));
  return { ...named, message: { ...message, role: before.message.role, content } };
}

/** None is split within a character. */
export function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  for (let from = 0; from < text.length; ) {
    const end = from + CONVERSATION_PIECE;
    const to = isSecondHalf(text.charCodeAt(end)) ? end - 1 : end;
    pieces.push(text.slice(from, to));
    from = to;
  }
  return pieces;
}

/** Of a character that takes two units. */
function isSecondHalf(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}
