/** Text with half of a surrogate pair is no Unicode, and whoever reads it next may refuse all of it. JSON can carry it, as an escape. */

/** Any escape; a pair as one. */
const ESCAPES = /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|[\s\S])/g;
const LONE_LENGTH = "\\ud800".length;

/** JSON, of whatever length, in which each half of a pair is the replacement character. What is no JSON stays none. */
export function wellFormedJson(json: string): string {
  const text = json.toWellFormed();
  if (!/\\u[dD][89a-fA-F]/.test(text)) return text;
  return text.replace(ESCAPES, (found) => (found.length === LONE_LENGTH ? "\\ufffd" : found));
}

/** The longest beginning of at most so many UTF-16 units that splits no character. */
export function beginningOf(text: string, length: number): string {
  return text.slice(0, splitsPair(text, length) ? length - 1 : length);
}

/** The longest end of at most so many UTF-16 units that splits no character. */
export function endOf(text: string, length: number): string {
  const from = Math.max(0, text.length - length);
  return text.slice(splitsPair(text, from) ? from + 1 : from);
}

function splitsPair(text: string, at: number): boolean {
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(Math.max(0, at - 1), at + 1));
}
