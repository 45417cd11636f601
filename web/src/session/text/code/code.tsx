/** Code in colours: at first plain, and coloured once it has been read beside the page. */
import { createContext, useContext, useEffect, useState } from "react";
import styles from "./code.module.css";
import { Highlighter } from "./highlighter.ts";
import type { Language } from "./languages.ts";
import type { Token } from "./tokens.ts";

/** Whether the text is still being written: it is coloured when it is whole. */
export const BeingWritten = createContext(false);

const highlighter = new Highlighter(
  () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "code" }),
);

interface CodeProps {
  text: string;
  /** null: it stays plain. */
  language: Language | null;
}

export function Code({ text, language }: CodeProps) {
  const tokens = useTokens(text, language);
  return tokens === null ? text : <Tokens tokens={tokens} />;
}

export function Tokens({ tokens }: { tokens: readonly Token[] }) {
  return tokens.map(({ text, kind }, index) =>
    kind === null ? (
      text
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: a text's pieces are made anew with the text
      <span key={index} className={styles[kind]}>
        {text}
      </span>
    ),
  );
}

/** @returns null as long as the text is plain. */
export function useTokens(text: string, language: Language | null): readonly Token[] | null {
  const isBeingWritten = useContext(BeingWritten);
  const asked = isBeingWritten || text === "" ? null : language;
  const [read, setRead] = useState<{ text: string; language: Language; tokens: readonly Token[] | null } | null>(null);
  const known = asked === null ? null : highlighter.known(text, asked);
  useEffect(() => {
    if (asked === null || known !== undefined) return;
    let isWanted = true;
    void highlighter.read(text, asked).then((tokens) => {
      if (isWanted) setRead({ text, language: asked, tokens });
    });
    return () => {
      isWanted = false;
    };
  }, [text, asked, known]);
  if (known !== undefined) return known;
  return read !== null && read.text === text && read.language === asked ? read.tokens : null;
}
