/** What a connector's tool or resource has given, as one JSON value: what it says as JSON, else its text. Pure. */
import type { Json } from "#protocol/schema.ts";
import { parseJson } from "../json.ts";

interface Block {
  type?: unknown;
  text?: unknown;
}

/** `detail` is a sentence for people, with the server's words in it. */
export type AnswerValue = { ok: true; value: Json } | { ok: false; detail: string };

export function toolValue(result: {
  structuredContent?: unknown;
  content?: readonly Block[];
  isError?: unknown;
}): AnswerValue {
  const texts = (result.content ?? []).flatMap(({ type, text }) =>
    type === "text" && typeof text === "string" ? [text] : [],
  );
  if (result.isError === true) return { ok: false, detail: `The tool answers with an error: ${texts.join(" ")}` };
  if (result.structuredContent !== undefined) return { ok: true, value: result.structuredContent as Json };
  const others = (result.content ?? []).length - texts.length;
  if (texts.length === 0 && others > 0) return { ok: false, detail: "The answer has no text that could be compared." };
  return { ok: true, value: joinedValue(texts) };
}

export function resourceValue({ contents }: { contents: readonly { text?: unknown; blob?: unknown }[] }): AnswerValue {
  return { ok: true, value: joinedValue(contents.map(({ text, blob }) => textIn(text) ?? textIn(blob) ?? "")) };
}

function textIn(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** Several texts are a list, and none is an empty one. */
function joinedValue(texts: readonly string[]): Json {
  const values = texts.map((text): Json => {
    const parsed = parseJson(text);
    return parsed === undefined ? text : (parsed as Json);
  });
  const [first] = values;
  return values.length === 1 && first !== undefined ? first : values;
}
