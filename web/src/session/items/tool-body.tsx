/** What a tool was asked, and what came of it. */
import type { ResultItem, ToolItem } from "../item-types.ts";
import type { Language } from "../text/code/languages.ts";
import { CutNote } from "../text/cut-note.tsx";
import { LongText } from "../text/long-text.tsx";
import { TERMINAL } from "../text/terminal.tsx";
import { outputLanguage } from "./tool-input.ts";
import { ToolInputView } from "./tool-input-view.tsx";
import styles from "./tool-row.module.css";

export function ToolBody({ item: { key, name, input, inputCut, result, state } }: { item: ToolItem }) {
  return (
    <>
      <ToolInputView foldKey={key} input={input} />
      {inputCut !== null && <CutNote cut={inputCut} />}
      {result !== null && <Output foldKey={key} result={result} language={outputLanguage(name, input, result.text)} />}
      {state === "stopped" && <p className={styles.none}>The run ended before the tool gave a result.</p>}
    </>
  );
}

interface OutputProps {
  foldKey: string;
  result: ResultItem["result"];
  language?: Language | null;
}

export function Output({ foldKey, result: { text, isError, cut }, language = null }: OutputProps) {
  if (text === "") return <p className={styles.none}>No output.</p>;
  const label = isError ? "Error" : "Output";
  return (
    <LongText
      label={label}
      text={text}
      foldKey={`${foldKey}:output`}
      cut={cut}
      isError={isError}
      terminal={TERMINAL}
      language={isError ? null : language}
    />
  );
}
