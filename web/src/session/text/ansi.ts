/** Pure: text as a terminal gets it, as pieces with a style. Colours and weights are kept; everything else a terminal would do is not. */

export type AnsiColour = "black" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan" | "white";

export interface AnsiPiece {
  text: string;
  colour: AnsiColour | null;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
}

type AnsiStyle = Omit<AnsiPiece, "text">;

const PLAIN: AnsiStyle = { colour: null, bold: false, dim: false, italic: false, underline: false };
const COLOURS: readonly AnsiColour[] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/**
 * A control sequence: `ESC [ … letter`; a string for the terminal, `ESC ] … BEL` or `ESC P … ESC \`; or `ESC` and one character.
 * Each part has a bound or a class of characters that can't overlap with what follows, so that no text makes it slow.
 */
const SEQUENCE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what this file is for
  /\x1b\[([0-9:;<=>?]{0,64})[ -/]{0,4}([@-~])|\x1b[\]PX^_][^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c)|\x1b[ -/]{1,4}[0-~]|\x1b[0-OQ-WYZ\\`-~]/g;

/** Whether there is anything to read in it. */
export function hasAnsi(text: string): boolean {
  return text.includes("\x1b");
}

/** Pieces in order; together their texts are the text without its control sequences. */
export function ansiPieces(text: string): AnsiPiece[] {
  const pieces: AnsiPiece[] = [];
  let style = PLAIN;
  let position = 0;
  const push = (piece: string) => {
    if (piece !== "") pieces.push({ text: piece, ...style });
  };
  for (const match of text.matchAll(SEQUENCE)) {
    push(text.slice(position, match.index));
    position = match.index + match[0].length;
    if (match[2] === "m") style = applied(style, match[1] ?? "");
  }
  push(text.slice(position));
  return pieces;
}

/** The text alone. */
export function withoutAnsi(text: string): string {
  return hasAnsi(text) ? text.replace(SEQUENCE, "") : text;
}

function applied(style: AnsiStyle, parameters: string): AnsiStyle {
  const codes = parameters.split(/[;:]/).map((code) => (code === "" ? 0 : Number(code)));
  let next = style;
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] ?? 0;
    if (code === 38 || code === 48) {
      const skipped = codes[index + 1] === 5 ? 2 : codes[index + 1] === 2 ? 4 : 0;
      if (code === 38) next = { ...next, colour: skipped === 2 ? paletteColour(codes[index + 2] ?? -1) : null };
      index += skipped;
    } else next = appliedCode(next, code);
  }
  return next;
}

/** What has no meaning here, backgrounds and hidden text among it, changes nothing: the text stays readable. */
function appliedCode(style: AnsiStyle, code: number): AnsiStyle {
  if (code === 0) return PLAIN;
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, dim: true };
  if (code === 3) return { ...style, italic: true };
  if (code === 4) return { ...style, underline: true };
  if (code === 22) return { ...style, bold: false, dim: false };
  if (code === 23) return { ...style, italic: false };
  if (code === 24) return { ...style, underline: false };
  if (code === 39) return { ...style, colour: null };
  if (code >= 30 && code <= 37) return { ...style, colour: COLOURS[code - 30] ?? null };
  if (code >= 90 && code <= 97) return { ...style, colour: COLOURS[code - 90] ?? null };
  return style;
}

/** Of the 256 colours the first sixteen have names; the others are shown as usual text. */
function paletteColour(index: number): AnsiColour | null {
  return index >= 0 && index < 16 ? (COLOURS[index % 8] ?? null) : null;
}
