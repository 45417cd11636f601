/** Which of the calls that are owed go out together. Pure. */
import type { Owed } from "./outbox.ts";

/** How many go out together, by how often they have been tried: one that fails is soon alone, and holds up no other. */
const SIZES = [64, 8];

/** @param owed oldest debt first. @returns batches of calls of one kind, in the order of the oldest in each. */
export function batchesOf(owed: readonly Owed[]): Owed[][] {
  const batches: Owed[][] = [];
  const open = new Map<string, Owed[]>();
  for (const one of owed) {
    const alike = `${one.kind} ${one.tries}`;
    const batch = open.get(alike);
    if (batch !== undefined && batch.length < (SIZES[one.tries] ?? 1)) batch.push(one);
    else {
      const fresh = [one];
      open.set(alike, fresh);
      batches.push(fresh);
    }
  }
  return batches;
}
