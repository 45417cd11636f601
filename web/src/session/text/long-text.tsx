/** Text of any length: at first as much as can be looked at, all of it when asked for. */
import { useMemo } from "react";
import { plural } from "../../format/amounts.ts";
import { classNames } from "../../ui/class-names.ts";
import { CopyButton } from "../../ui/copy-button.tsx";
import { useFold } from "../fold.tsx";
import type { Cut } from "../item-types.ts";
import { type AnsiPiece, ansiPieces, hasAnsi, withoutAnsi } from "./ansi.ts";
import { Code } from "./code/code.tsx";
import type { Language } from "./code/languages.ts";
import styles from "./long-text.module.css";
import { formatBytes, preview, type TextBound } from "./preview.ts";
import { visibleText } from "./visible-text.ts";

interface LongTextProps {
  text: string;
  /** What it is: "Output". */
  label: string;
  foldKey: string;
  cut?: Cut | null;
  bound?: TextBound;
  isError?: boolean;
  /** It was written for a terminal: its colours are seen, and its other control sequences are left out. */
  isTerminal?: boolean;
  /** What it is written in, where it is code. */
  language?: Language | null;
}

const USUAL_BOUND: TextBound = { lines: 24, characters: 3_000 };
/** Text with more styled pieces than anything prints is shown without its styles. */
const MOST_PIECES = 4_000;

export function LongText({
  text,
  label,
  foldKey,
  cut = null,
  bound = USUAL_BOUND,
  isError = false,
  isTerminal = false,
  language = null,
}: LongTextProps) {
  const [isAll, setAll] = useFold(`${foldKey}:all`);
  const beginning = useMemo(() => preview(text, bound), [text, bound]);
  const shown = isAll ? text : beginning.text;
  // What is copied may be pasted into a terminal: it is what is seen, and nothing that a terminal would act on.
  const plain = useMemo(() => visibleText(isTerminal ? withoutAnsi(shown) : shown), [isTerminal, shown]);
  return (
    <div className={classNames(styles.frame, isError && styles.error)}>
      <div className={styles.bar}>
        <span>{label}</span>
        <CopyButton text={plain} label={`Copy ${label.toLowerCase()}`} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard */}
      <pre className={styles.text} tabIndex={0}>
        {isTerminal && hasAnsi(shown) ? (
          <Terminal text={shown} plain={plain} />
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

/** Says that the instance has kept only the beginning. */
export function CutNote({ cut: { bytes } }: { cut: Cut }) {
  const length = bytes === null ? "" : ` The whole was ${formatBytes(bytes)} long.`;
  return <p className={styles.cut}>Cut here: events have a limit of 256 KiB.{length}</p>;
}

function Terminal({ text, plain }: { text: string; plain: string }) {
  const pieces = useMemo(() => ansiPieces(text), [text]);
  if (pieces.length > MOST_PIECES) return plain;
  return pieces.map((piece, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a text's pieces are made anew with the text
    <span key={index} className={classNames(...styleNames(piece))}>
      {visibleText(piece.text)}
    </span>
  ));
}

function styleNames({ colour, bold, dim, italic, underline }: AnsiPiece): (string | false | undefined)[] {
  return [
    colour !== null && styles[colour],
    bold && styles.bold,
    dim && styles.dim,
    italic && styles.italic,
    underline && styles.underline,
  ];
}

function sizeOf(text: string): string {
  const lines = text.split("\n").length;
  return `${formatBytes(new TextEncoder().encode(text).length)}${lines > 1 ? `, ${plural(lines, "line")}` : ""}`;
}
