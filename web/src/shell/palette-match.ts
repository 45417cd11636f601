/** Pure: which of the palette's entries are meant by what was typed, the nearest first. */

export interface Entry {
  title: string;
  /** Other words that it is found by. */
  words?: string;
}

const AT_MOST = 30;

/** Every word has to be in it; the more of them begin a word of its title, the nearer it is. Else their order is kept. */
export function matching<Each extends Entry>(entries: readonly Each[], typed: string): Each[] {
  const wanted = typed.toLowerCase().split(/\s+/u).filter(Boolean);
  if (wanted.length === 0) return [...entries];
  return entries
    .map((entry) => ({ entry, score: scoreOf(entry, wanted) }))
    .filter(({ score }) => score > 0)
    .sort((one, other) => other.score - one.score)
    .slice(0, AT_MOST)
    .map(({ entry }) => entry);
}

function scoreOf({ title, words = "" }: Entry, wanted: readonly string[]): number {
  const name = title.toLowerCase();
  const all = `${name} ${words.toLowerCase()}`;
  if (!wanted.every((word) => all.includes(word))) return 0;
  const begun = wanted.filter((word) => name.split(/[^\p{L}\p{N}]+/u).some((part) => part.startsWith(word))).length;
  return 1 + begun + (name.startsWith(wanted.join(" ")) ? 1 : 0);
}
