/** Pure: how deeply a JSON text is nested, told before anything walks through what it means. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: readonly number[] = [0x5b, 0x7b];
const CLOSING: readonly number[] = [0x5d, 0x7d];

/** @param json need not be valid: what is not is for `JSON.parse` to say. */
export function isNestedDeeper(json: string, limit: number): boolean {
  let depth = 0;
  let isInText = false;
  for (let place = 0; place < json.length; place += 1) {
    const code = json.charCodeAt(place);
    if (isInText) {
      if (code === BACKSLASH) place += 1;
      else if (code === QUOTE) isInText = false;
    } else if (code === QUOTE) isInText = true;
    else if (OPENING.includes(code)) {
      depth += 1;
      if (depth > limit) return true;
    } else if (CLOSING.includes(code)) depth -= 1;
  }
  return false;
}
