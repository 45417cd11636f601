/** Pure: the beginning of a long text, as much of it as can be looked at at once. */

export interface TextBound {
  lines: number;
  characters: number;
}

export interface Preview {
  text: string;
  isWhole: boolean;
}

/** Cut at a line's end where that is within the bound, and never within a character. */
export function preview(text: string, { lines, characters }: TextBound): Preview {
  let end = Math.min(text.length, characters);
  let position = -1;
  for (let line = 0; line < lines; line += 1) {
    position = text.indexOf("\n", position + 1);
    if (position === -1 || position > end) break;
    if (line === lines - 1) end = position;
  }
  if (end === text.length) return { text, isWhole: true };
  return { text: text.slice(0, splitsPair(text, end) ? end - 1 : end), isWhole: false };
}

/** `640 bytes`, `12 KiB`, `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_024) return `${bytes} ${bytes === 1 ? "byte" : "bytes"}`;
  if (bytes < 1_048_576) return `${Math.round(bytes / 1_024)} KiB`;
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

function splitsPair(text: string, end: number): boolean {
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(end - 1, end + 1));
}
