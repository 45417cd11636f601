/** Pure: how one text became another, line by line. */
export interface LineChange {
  kind: "same" | "gone" | "new";
  text: string;
}

/** Beyond so many pairs of lines the whole is shown as gone and come: working it out would take too long. */
const PAIRS_AT_MOST = 1_000_000;

/** The fewest lines gone and new, by the longest sequence of lines that both have. */
export function lineChanges(before: string, after: string): LineChange[] {
  const old = before.split("\n");
  const fresh = after.split("\n");
  if (old.length * fresh.length > PAIRS_AT_MOST) return [...old.map(gone), ...fresh.map(come)];
  const shared = sharedLengths(old, fresh);
  const at = (row: number, column: number) => shared[row]?.[column] ?? 0;
  const changes: LineChange[] = [];
  let row = 0;
  let column = 0;
  while (row < old.length || column < fresh.length) {
    const [one, other] = [old[row], fresh[column]];
    if (one !== undefined && one === other) {
      changes.push({ kind: "same", text: one });
      row += 1;
      column += 1;
    } else if (one !== undefined && (other === undefined || at(row + 1, column) >= at(row, column + 1))) {
      changes.push(gone(one));
      row += 1;
    } else if (other !== undefined) {
      changes.push(come(other));
      column += 1;
    }
  }
  return changes;
}

/** How many lines the rests from each place on share, in order. */
function sharedLengths(old: readonly string[], fresh: readonly string[]): number[][] {
  const shared = Array.from({ length: old.length + 1 }, () => new Array<number>(fresh.length + 1).fill(0));
  for (let row = old.length - 1; row >= 0; row--) {
    for (let column = fresh.length - 1; column >= 0; column--) {
      const [own, below] = [shared[row], shared[row + 1]];
      if (own === undefined || below === undefined) continue;
      const isSame = old[row] === fresh[column];
      own[column] = isSame ? (below[column + 1] ?? 0) + 1 : Math.max(below[column] ?? 0, own[column + 1] ?? 0);
    }
  }
  return shared;
}

const gone = (text: string): LineChange => ({ kind: "gone", text });
const come = (text: string): LineChange => ({ kind: "new", text });
