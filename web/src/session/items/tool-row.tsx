/** A tool call with its result: a line, which unfolds to what was asked and what came of it. */
import { formatDuration } from "../../format/duration.ts";
import { classNames } from "../../ui/class-names.ts";
import { Elapsed } from "../../ui/time.tsx";
import { Fold } from "../fold.tsx";
import type { ResultItem, ToolItem } from "../item-types.ts";
import type { Language } from "../text/code/languages.ts";
import { CutNote, LongText } from "../text/long-text.tsx";
import { Plain } from "../text/plain.tsx";
import { tellingInput, toolName } from "../text/tool-summary.ts";
import { StateMark } from "./state-mark.tsx";
import { outputLanguage } from "./tool-input.ts";
import { ToolInputView } from "./tool-input-view.tsx";
import styles from "./tool-row.module.css";

const STATE_TEXTS = { running: "Running", ok: "Done", error: "Failed", stopped: "Stopped, without a result" };

export function ToolRow({ item }: { item: ToolItem }) {
  const { server, name } = toolName(item.name);
  return (
    <Fold
      foldKey={item.key}
      line={
        <>
          <StateMark state={item.state} />
          <span className="visually-hidden">{STATE_TEXTS[item.state]}: </span>
          <span className={styles.name}>
            {server !== null && (
              <span className={styles.server}>
                <Plain text={server} />{" "}
              </span>
            )}
            <Plain text={name} />
          </span>
          {item.parent !== null && <span className={styles.subagent}>by a subagent</span>}
          <span className={styles.telling}>
            <Plain text={tellingInput(item.input)} />
          </span>
          <Duration item={item} />
        </>
      }
    >
      {() => <ToolBody item={item} />}
    </Fold>
  );
}

/** A result whose call is not loaded yet. */
export function ResultRow({ item: { key, result } }: { item: ResultItem }) {
  return (
    <Fold
      foldKey={key}
      line={
        <>
          <StateMark state={result.isError ? "error" : "ok"} />
          <span className={styles.name}>Result</span>
          <span className={styles.telling}>
            <Plain text={tellingInput(result.text)} />
          </span>
        </>
      }
    >
      {() => <Output foldKey={key} result={result} />}
    </Fold>
  );
}

function Duration({ item: { atMs, state, result } }: { item: ToolItem }) {
  return (
    <span className={classNames(styles.duration, state === "running" && styles.on)}>
      {result !== null && formatDuration(result.atMs - atMs)}
      {state === "running" && <Elapsed since={new Date(atMs).toISOString()} />}
      {state === "stopped" && "no result"}
    </span>
  );
}

function ToolBody({ item: { key, name, input, inputCut, result, state } }: { item: ToolItem }) {
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

function Output({ foldKey, result: { text, isError, cut }, language = null }: OutputProps) {
  if (text === "") return <p className={styles.none}>No output.</p>;
  const label = isError ? "Error" : "Output";
  return (
    <LongText
      label={label}
      text={text}
      foldKey={`${foldKey}:output`}
      cut={cut}
      isError={isError}
      isTerminal
      language={isError ? null : language}
    />
  );
}
