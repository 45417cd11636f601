/** The lines of a hunk in colours: each side of it is read as one text, so that what goes over lines is known. */
import { useMemo } from "react";
import { useTokens } from "../text/code/code.tsx";
import { languageOfFile } from "../text/code/languages.ts";
import { type Token, tokenLines } from "../text/code/tokens.ts";
import { visibleLine } from "../text/visible-text.ts";
import type { Hunk, PatchLine } from "./patch.ts";

/** @returns the pieces of each line that has colours. */
export function useLineTokens({ lines }: Hunk, path: string): ReadonlyMap<PatchLine, readonly Token[]> {
  const language = languageOfFile(path);
  const { before, after } = useMemo(() => {
    const removed = lines.some(({ kind }) => kind === "removed");
    return {
      before: removed ? side(lines.filter(({ kind }) => kind !== "added")) : EMPTY,
      after: side(lines.filter(({ kind }) => kind !== "removed")),
    };
  }, [lines]);
  const beforeTokens = useTokens(before.text, language);
  const afterTokens = useTokens(after.text, language);
  return useMemo(() => {
    const found = new Map<PatchLine, readonly Token[]>();
    for (const [of, tokens] of [
      [before, beforeTokens],
      [after, afterTokens],
    ] as const) {
      if (tokens === null) continue;
      for (const [index, pieces] of tokenLines(tokens).entries()) {
        const line = of.lines[index];
        if (line !== undefined) found.set(line, pieces);
      }
    }
    return found;
  }, [before, after, beforeTokens, afterTokens]);
}

interface Side {
  lines: readonly PatchLine[];
  text: string;
}

const EMPTY: Side = { lines: [], text: "" };

function side(lines: readonly PatchLine[]): Side {
  return { lines, text: lines.map(({ text }) => visibleLine(text)).join("\n") };
}
