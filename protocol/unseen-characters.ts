/**
 * Characters that act on a terminal, or make a line look like another: controls (C0, C1, delete), ends of lines that are none
 * of a terminal's, and embeddings, overrides, isolates and marks of direction.
 */

/** Embeddings, overrides and isolates: they change the direction of what follows them. Marks stay, because scripts need them. */
export const DIRECTIONS = /[\u202a-\u202e\u2066-\u2069]/u;
/** A character that can be seen. */
export const SEEN = /[^\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u;

const UNSEEN = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/**
 * What nobody sees and no script needs: spaces without width, fillers, the letters of tags. Joiners and the marks that choose how
 * a character looks are no such: emoji and scripts are written with them.
 */
const HIDDEN =
  /[\u00ad\u115f\u1160\u180e\u200b\u2060-\u2065\u206a-\u206f\u3164\uffa0\ufff0-\ufffb\u{e0000}-\u{e00ff}]/gu;

/** Whether a text has a character that hides: one that nobody sees, or that changes the direction of others. */
export function hasHidden(text: string): boolean {
  return text.replace(HIDDEN, "") !== text || DIRECTIONS.test(text);
}

/** A text from outside as one line for people: what would not be seen is left out, what acts on a terminal is shown as an escape. */
export function oneSeenLine(text: string): string {
  const line = escapeUnseen(text.replace(/\s+/gu, " ").replace(HIDDEN, "")).toWellFormed();
  return line.replace(/ {2,}/g, " ").trim();
}

/** Shows each as JSON escapes it, `\u001b`: in a text for people, and in JSON, where it then means the same. */
export function escapeUnseen(text: string): string {
  return text.replace(UNSEEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
