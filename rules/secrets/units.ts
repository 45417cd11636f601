/** A text as code units that know where they stand in it, so that what is found after escapes are undone can be cut out of the text. Pure. */

export interface Units {
  codes: Uint16Array;
  /** Where each begins in the text, and where it ends. */
  from: Uint32Array;
  to: Uint32Array;
  length: number;
  /** Where an escape begins that the text's end has cut off; the text's length when there is none. */
  openFrom: number;
}

const BACKSLASH = 0x5c;
const PERCENT = 0x25;
const AMPERSAND = 0x26;
const NAMED: Record<string, number> = { n: 0x0a, r: 0x0d, t: 0x09, b: 0x08, f: 0x0c };
const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
/** No escape is longer. */
const LONGEST_ESCAPE = 10;
const ESCAPE =
  /^(?:%([0-9a-f]{2})|\\u([0-9a-f]{4})|\\x([0-9a-f]{2})|\\([\s\S])|&#x([0-9a-f]{1,6});|&#([0-9]{1,7});|&([a-z]{2,4});)/i;
const OPEN = /^(?:%[0-9a-f]?|\\(?:u[0-9a-f]{0,3}|x[0-9a-f]?)?|&(?:#(?:x[0-9a-f]{0,6}|[0-9]{0,7})|[a-z]{0,4}))$/i;

export function unitsOf(text: string): Units {
  const { length } = text;
  const codes = new Uint16Array(length);
  const from = new Uint32Array(length);
  const to = new Uint32Array(length);
  for (let at = 0; at < length; at += 1) {
    codes[at] = text.charCodeAt(at);
    from[at] = at;
    to[at] = at + 1;
  }
  return { codes, from, to, length, openFrom: length };
}

/**
 * The same with one layer of escapes undone: of JSON and shells, of addresses, of HTML. @returns null when there are none.
 * @param goesOn the text may go on: units end before an escape that is cut off.
 */
export function unescaped(units: Units, goesOn: boolean): Units | null {
  const codes = new Uint16Array(units.length);
  const from = new Uint32Array(units.length);
  const to = new Uint32Array(units.length);
  let { openFrom } = units;
  let length = 0;
  let hasEscapes = false;
  for (let at = 0; at < units.length; ) {
    const code = units.codes[at] ?? 0;
    const undone = isSign(code) ? escapeAt(units, at) : null;
    if (undone === "open" && goesOn) {
      openFrom = Math.min(openFrom, units.from[at] ?? 0);
      break;
    }
    const isEscape = undone !== null && undone !== "open";
    const taken = isEscape ? undone.taken : 1;
    codes[length] = isEscape ? undone.code : code;
    from[length] = units.from[at] ?? 0;
    to[length] = units.to[at + taken - 1] ?? 0;
    hasEscapes ||= isEscape;
    length += 1;
    at += taken;
  }
  return hasEscapes || openFrom < units.openFrom ? { codes, from, to, length, openFrom } : null;
}

function isSign(code: number): boolean {
  return code === BACKSLASH || code === PERCENT || code === AMPERSAND;
}

function escapeAt(units: Units, at: number): { taken: number; code: number } | "open" | null {
  const end = Math.min(units.length, at + LONGEST_ESCAPE);
  const ahead = String.fromCharCode(...units.codes.subarray(at, end));
  const found = ESCAPE.exec(ahead);
  if (end === units.length && OPEN.test(ahead)) return "open";
  if (found === null) return null;
  const [whole, percent, unicode, byte, letter, hex, decimal, entity] = found;
  const digits = percent ?? unicode ?? byte ?? hex;
  if (digits !== undefined) return { taken: whole.length, code: Number.parseInt(digits, 16) & 0xffff };
  if (decimal !== undefined) return { taken: whole.length, code: Number(decimal) & 0xffff };
  if (letter !== undefined) return { taken: whole.length, code: NAMED[letter] ?? letter.charCodeAt(0) };
  const named = ENTITIES[entity?.toLowerCase() ?? ""];
  return named === undefined ? null : { taken: whole.length, code: named.charCodeAt(0) };
}
