/** The end of what somebody has said, for the words of an error. */

/**
 * @param limit in characters. @returns the end of a text from a whole word on: the rest of a secret that was cut in two would not be
 * known for one any more.
 */
export function lastWords(text: string, limit: number): string {
  return text.length <= limit ? text : text.slice(-limit).replace(/^\S*\s*/, "");
}
