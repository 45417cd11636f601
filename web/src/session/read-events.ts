/** Reads stretches of a transcript. */
import type { Page } from "#protocol/api.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";

export type ReadEvents = (after: number, limit: number) => Promise<Page<TranscriptEvent>>;

/** All events from `after + 1` to `last`: an answer may hold fewer than were asked for. */
export async function readRange(readEvents: ReadEvents, after: number, last: number): Promise<TranscriptEvent[]> {
  const events: TranscriptEvent[] = [];
  let position = after;
  while (position < last) {
    const { data } = await readEvents(position, last - position);
    for (const event of data) {
      if (event.seq !== position + 1) throw new Error(`event ${event.seq} came after ${position}`);
      events.push(event);
      position += 1;
    }
    if (data.length === 0) throw new Error(`no event came after ${position}`);
  }
  return events;
}
