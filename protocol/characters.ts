/**
 * Text as people count and compare it: by characters (code points of Unicode, as JSON Schema counts), not by the units in which it
 * is held, of which 🚨 has two; and by what it says, since é may be written as one character or as two.
 */
import { z } from "zod";

const HIGH = /[\ud800-\udbff]/;

/** How many characters a text has; half of a pair counts as one. */
export function characterCount(text: string): number {
  if (!HIGH.test(text)) return text.length;
  let count = text.length;
  for (let at = 1; at < text.length; at += 1) {
    if (!isPair(text.charCodeAt(at - 1), text.charCodeAt(at))) continue;
    count -= 1;
    at += 1;
  }
  return count;
}

/** The beginning of a text, of at most so many characters. */
export function firstCharacters(text: string, count: number): string {
  if (text.length <= count) return text;
  let end = 0;
  for (let left = count; left > 0 && end < text.length; left -= 1) {
    end += isPair(text.charCodeAt(end), text.charCodeAt(end + 1)) ? 2 : 1;
  }
  return text.slice(0, end);
}

/** Two texts that say the same are one: what is compared is composed (NFC); what is shown stays as it came. */
export function composed(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text : text.normalize("NFC");
}

/**
 * How a text may be stored: as it is, and, where it is composed, decomposed (NFD) by a version that did not compose. One that mixed
 * both then is found when it is saved again. What is not composed, as a source's own id, is stored as it came.
 */
export function spellings(text: string): string[] {
  return text === composed(text) ? [...new Set([text, text.normalize("NFD")])] : [text];
}

/** Checks a text's length in characters: as `.max` does in units. @param error in place of the usual words. */
export function atMost(most: number, error?: string) {
  const check = z.maxLength(most, error);
  const inUnits = check._zod.check;
  check._zod.check = (payload) => {
    const { value } = payload;
    return typeof value === "string" && characterCount(value) <= most ? undefined : inUnits(payload);
  };
  return check;
}

function isPair(high: number, low: number): boolean {
  return high >= 0xd800 && high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff;
}
