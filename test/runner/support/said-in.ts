/** What a request to the model says, whatever its marks and its spelling. */
import { z } from "zod";

const blockSchema = z.looseObject({ type: z.string() });
const messagesSchema = z.array(
  z.object({
    role: z.string(),
    content: z.union([z.array(blockSchema), z.string().transform((text) => [{ type: "text", text }])]),
  }),
);

/** @param messages of a request, as JSON. @returns them without the marks for the model's cache, which move on. */
export function saidIn(messages: string) {
  return messagesSchema.parse(JSON.parse(messages)).map(({ role, content }) => ({
    role,
    content: content.map(({ cache_control: _mark, ...block }: z.infer<typeof blockSchema>) => block),
  }));
}
