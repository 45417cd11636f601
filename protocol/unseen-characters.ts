/**
 * Characters that act on a terminal, or make a line look like another: controls (C0, C1, delete), ends of lines that are none
 * of a terminal's, and embeddings, overrides, isolates and marks of direction.
 */

/** Embeddings, overrides and isolates: they change the direction of what follows them. Marks stay, because scripts need them. */
export const DIRECTIONS = /[\u202a-\u202e\u2066-\u2069]/u;
/** A character that can be seen. */
export const SEEN = /[^\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/u;

const UNSEEN = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** Shows each as JSON escapes it, `\u001b`: in a text for people, and in JSON, where it then means the same. */
export function escapeUnseen(text: string): string {
  return text.replace(UNSEEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
