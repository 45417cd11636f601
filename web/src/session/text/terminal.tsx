/** Text that was written for a terminal, with the colours that it would have there. */
import { useMemo } from "react";
import { classNames } from "../../ui/class-names.ts";
import { type AnsiPiece, ansiPieces, hasAnsi, withoutAnsi } from "./ansi.ts";
import styles from "./long-text.module.css";
import type { TerminalReader } from "./long-text.tsx";
import { visibleText } from "./visible-text.ts";

/** Text with more styled pieces than anything prints is shown without its styles. */
const MOST_PIECES = 4_000;

export const TERMINAL: TerminalReader = { words: withoutAnsi, isStyled: hasAnsi, View: Terminal };

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
