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
