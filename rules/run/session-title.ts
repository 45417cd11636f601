/** The title of a session, from what its run has reported. Pure. */
import { DIRECTIONS, SEEN } from "#protocol/unseen-characters.ts";

/** In characters. */
const LENGTH = 100;
const ALL_DIRECTIONS = new RegExp(DIRECTIONS, "gu");

/** @returns the first line of the report that says something; null where none does. */
export function titleOf(summary: string): string | null {
  for (const line of summary.split(/[\n\r\u2028\u2029]/u)) {
    const said = line
      .replace(/^[\s>#*-]+/u, "")
      .replaceAll(/[*`]+/gu, "")
      .replaceAll(ALL_DIRECTIONS, "")
      .replaceAll(/[\s\p{Cc}]+/gu, " ")
      .trim();
    if (SEEN.test(said)) return cut(said);
  }
  return null;
}

function cut(said: string): string {
  const characters = [...said];
  return characters.length <= LENGTH
    ? said
    : `${characters
        .slice(0, LENGTH - 1)
        .join("")
        .trimEnd()}…`;
}
