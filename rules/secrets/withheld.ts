/** Keeps what may be shown nowhere out of a text that an upstream has sent. Pure. */

/** What stands in place of a secret. */
export const WITHHELD_MARK = "[secret]";
/** Shorter texts are found everywhere. */
export const SHORTEST_WITHHELD = 8;

/** @returns the text with a mark in place of each of the others. Those of fewer than 8 characters stay. */
export function withheld(text: string, texts: readonly string[]): string {
  const hidden = texts.filter(({ length }) => length >= SHORTEST_WITHHELD);
  return hidden.reduce((clean, one) => clean.replaceAll(one, WITHHELD_MARK), text);
}
