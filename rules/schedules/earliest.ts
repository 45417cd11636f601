/** The earlier of two moments, either of which may never come. Pure. @returns null when neither does. */
export function earliest(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}
