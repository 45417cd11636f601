/** Finds events by their words, page by page, whether they are shown or not. */
import type { Json } from "#protocol/schema.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import type { ReadEvents } from "../read-events.ts";

/** As many as anybody steps through. */
const MOST_FOUND = 500;
const PAGE_EVENTS = 1_000;

export interface Found {
  /** The seqs of events, oldest first. */
  seqs: readonly number[];
  isOver: boolean;
}

/** @param tell called after each page; no more once `signal` is aborted. */
export async function findEvents(
  words: string,
  readEvents: ReadEvents,
  tell: (found: Found) => void,
  signal: AbortSignal,
): Promise<void> {
  const wanted = words.toLowerCase();
  const seqs: number[] = [];
  for (let after = 0; ; ) {
    const { data } = await readEvents(after, PAGE_EVENTS);
    if (signal.aborted) return;
    for (const event of data) if (wordsOf(event).toLowerCase().includes(wanted)) seqs.push(event.seq);
    after = data.at(-1)?.seq ?? after;
    const isOver = data.length === 0 || seqs.length >= MOST_FOUND;
    tell({ seqs: seqs.slice(0, MOST_FOUND), isOver });
    if (isOver) return;
  }
}

/** Pure: what of an event can be read. */
export function wordsOf(event: TranscriptEvent): string {
  const { seq: _seq, at: _at, session_id: _session, run_id: _run, type: _type, ...told } = event;
  const json: Json = JSON.parse(JSON.stringify(told));
  const words: string[] = [];
  const collect = (value: Json): void => {
    if (typeof value === "string") words.push(value);
    else if (Array.isArray(value)) for (const each of value) collect(each);
    else if (typeof value === "object" && value !== null) for (const each of Object.values(value)) collect(each);
  };
  collect(json);
  return words.join("\n");
}
