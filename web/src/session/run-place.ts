/** Where a run begins in its session's transcript. */
import type { ReadEvents } from "./read-events.ts";

const PAGE_EVENTS = 1_000;

/** @returns the seq of the run's first event; null where the transcript has none of it. */
export async function firstSeqOf(runId: string, readEvents: ReadEvents): Promise<number | null> {
  for (let after = 0; ; ) {
    const { data } = await readEvents(after, PAGE_EVENTS);
    const found = data.find(({ run_id: id }) => id === runId);
    if (found !== undefined) return found.seq;
    const last = data.at(-1);
    if (last === undefined) return null;
    after = last.seq;
  }
}
