/** Pure: makes text harmless to look at. What would act on a screen or hide from a reader is shown as a sign instead. */

/** A tab and a line's end are what they are. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what this file is for
const C0 = /[\0-\x08\x0b\x0c\x0e-\x1f]/g;
const C0_NAMES =
  "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US".split(
    " ",
  );
const DELETE_AND_C1 = /[\x7f-\x9f]/g;
/** Embeddings, overrides and isolates of direction, with which text is made to look like other text. */
const DIRECTION = /[\u202a-\u202e\u2066-\u2069]/g;
/** Characters without a width in which text can be hidden; joiners stay, because scripts and emoji need them. */
const INVISIBLE = /[\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;
const NEEDS_WORK = /[^\t\n -~\xa0-\u1fff\u3000-\ud7ff]/;

/** @returns the text with signs in place of control characters, and with line ends as `\n`. */
export function visibleText(text: string): string {
  if (!NEEDS_WORK.test(text)) return text;
  return text
    .replace(/\r\n?|[\u2028\u2029]/g, "\n")
    .replace(C0, (character) => `‹${C0_NAMES[character.charCodeAt(0)]}›`)
    .replace(DELETE_AND_C1, (character) => (character === "\x7f" ? "‹DEL›" : codePointSign(character)))
    .replace(DIRECTION, codePointSign)
    .replace(INVISIBLE, codePointSign);
}

/** The same for text that has to stay on one line. */
export function visibleLine(text: string): string {
  return visibleText(text).replaceAll("\n", "⏎");
}

/** `‹U+202E›` */
function codePointSign(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return `‹U+${code}›`;
}
