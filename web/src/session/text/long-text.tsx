/** Text of any length: at first as much as can be looked at, all of it when asked for. */
import { type ComponentType, useMemo } from "react";
import { plural } from "../../format/amounts.ts";
import { classNames } from "../../ui/class-names.ts";
import { CopyButton } from "../../ui/copy-button.tsx";
import { useFold } from "../fold.tsx";
import type { Cut } from "../item-types.ts";
import { Code } from "./code/code.tsx";
import type { Language } from "./code/languages.ts";
import { CutNote } from "./cut-note.tsx";
import styles from "./long-text.module.css";
import { formatBytes, preview, type TextBound } from "./preview.ts";
import { visibleText } from "./visible-text.ts";

/** What is read of a text that was written for a terminal: its colours are seen, and its other control sequences are left out. */
export interface TerminalReader {
  /** Its words alone. */
  words: (text: string) => string;
  isStyled: (text: string) => boolean;
  View: ComponentType<{ text: string; plain: string }>;
}

interface LongTextProps {
  text: string;
  /** What it is: "Output". */
  label: string;
  foldKey: string;
  cut?: Cut | null;
  bound?: TextBound;
  isError?: boolean;
  /** Of what was written for a terminal. */
  terminal?: TerminalReader;
  /** What it is written in, where it is code. */
  language?: Language | null;
}

const USUAL_BOUND: TextBound = { lines: 24, characters: 3_000 };

export function LongText({
  text,
  label,
  foldKey,
  cut = null,
  bound = USUAL_BOUND,
  isError = false,
  terminal,
  language = null,
}: LongTextProps) {
  const [isAll, setAll] = useFold(`${foldKey}:all`);
  const beginning = useMemo(() => preview(text, bound), [text, bound]);
  const shown = isAll ? text : beginning.text;
  // What is copied may be pasted into a terminal: it is what is seen, and nothing that a terminal would act on.
  const plain = useMemo(() => visibleText(terminal?.words(shown) ?? shown), [terminal, shown]);
  return (
    <div className={classNames(styles.frame, isError && styles.error)}>
      <div className={styles.bar}>
        <span>{label}</span>
        <CopyButton text={plain} label={`Copy ${label.toLowerCase()}`} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard */}
      <pre className={styles.text} tabIndex={0}>
        {terminal?.isStyled(shown) ? (
          <terminal.View text={shown} plain={plain} />
        ) : (
          <Code text={plain} language={language} />
        )}
      </pre>
      {!beginning.isWhole && (
        <button type="button" className={styles.more} aria-expanded={isAll} onClick={() => setAll(!isAll)}>
          {isAll ? "Show less" : `Show all (${sizeOf(text)})`}
        </button>
      )}
      {cut !== null && (isAll || beginning.isWhole) && <CutNote cut={cut} />}
    </div>
  );
}

function sizeOf(text: string): string {
  const lines = text.split("\n").length;
  return `${formatBytes(new TextEncoder().encode(text).length)}${lines > 1 ? `, ${plural(lines, "line")}` : ""}`;
}
