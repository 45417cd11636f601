/** A whole transcript as Markdown, whether its parts are shown or not. */
import { type ReadEvents, readRange } from "../read-events.ts";
import { itemMarkdown } from "../text/item-markdown.ts";
import { visibleLine } from "../text/visible-text.ts";
import { TranscriptItems } from "../transcript-items.ts";

/** In characters; more than that no clipboard is for. */
const MOST_CHARACTERS = 10_000_000;
const PAGE_EVENTS = 1_000;

interface Wanted {
  title: string;
  address: string;
  lastSeq: number;
}

/** @param most is given by tests alone. */
export async function sessionMarkdown(
  { title, address, lastSeq }: Wanted,
  readEvents: ReadEvents,
  most = MOST_CHARACTERS,
): Promise<string> {
  const items = new TranscriptItems();
  let read = 0;
  for (let after = 0; after < lastSeq && read <= most; after += PAGE_EVENTS) {
    const events = await readRange(readEvents, after, Math.min(lastSeq, after + PAGE_EVENTS));
    items.append(events);
    read += JSON.stringify(events).length;
  }
  const parts = [`# ${visibleLine(title)}`, `<${address}>`];
  let length = 0;
  for (const item of items.items) {
    const text = itemMarkdown(item);
    if (text === "") continue;
    length += text.length;
    if (length > most) break;
    parts.push(text);
  }
  if (read > most || length > most) parts.push("_The rest is left out: an export of the session has all of it._");
  return `${parts.join("\n\n")}\n`;
}
