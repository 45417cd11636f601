/** Reads code beside the page, which never waits for it; whoever asks gives up, and ends it, where it takes too long. */
import { tokenize } from "@speed-highlight/core";
import type { Language } from "./languages.ts";
import { type Token, tokenKind } from "./tokens.ts";

export interface Asked {
  text: string;
  language: Language;
}

addEventListener("message", async ({ data: { text, language } }: MessageEvent<Asked>) => {
  const tokens: Token[] = [];
  await tokenize(text, language, (part, type) => tokens.push({ text: part, kind: tokenKind(type) }));
  postMessage(tokens);
});
