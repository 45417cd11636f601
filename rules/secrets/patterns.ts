/** How a secret may look in a text that was not told it as it is. Pure. */

/** Shorter texts are no secrets: replacing them would spoil ordinary words. In UTF-16 code units, without line breaks. */
export const SHORTEST_SECRET = 8;

const encoder = new TextEncoder();
const SPACE = 0x20;
const TAB = 0x09;

/**
 * What is looked for of a value: itself, each of its lines without the blanks around it, as a shell gives it, and those as hexadecimal digits and as base64 at each
 * of the three places where their bytes may begin in it. Escapes (`%2F`, `\u002f`, `&#47;`) are undone in the text instead.
 */
export function patternsOf(value: string): string[] {
  const lines = value.split(/[\r\n]+/).map((line) => line.trim());
  const texts = [...new Set([value, ...lines])].filter((text) => text.length >= SHORTEST_SECRET);
  return texts.flatMap((text) => {
    const bytes = encoder.encode(text);
    const latin = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return [text, latin, hex, ...[0, 1, 2].map((before) => base64Inside(latin, before))];
  });
}

/** The part of a base64 text that these bytes alone decide, where so many others stand before them in their group of three. */
function base64Inside(latin: string, before: number): string {
  const whole = btoa("\0".repeat(before) + latin);
  return whole.slice(Math.ceil((before * 8) / 6), Math.floor(((before + latin.length) * 8) / 6));
}

export function isLineBreak(code: number): boolean {
  return code === 0x0a || code === 0x0d;
}

export function isIndent(code: number): boolean {
  return code === SPACE || code === TAB;
}

/**
 * The code unit that stands for others like it: capitals for small letters, and for `-`, `_` and a space the `+` or `/` that base64
 * and forms write for them. So one pattern finds all spellings, and now and then a text that only resembles a secret.
 */
export function folded(code: number): number {
  if (code >= 0x41 && code <= 0x5a) return code + 0x20;
  if (code === 0x2d || code === SPACE) return 0x2b;
  return code === 0x5f ? 0x2f : code;
}
