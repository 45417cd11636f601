/** All of a list that is short by its nature: the environments, routines and repositories of an instance. */
import type { Page } from "#protocol/api.ts";

/** As many as one page of the API's has. */
const PAGE_SIZE = 200;
/** What comes after is left out: whoever has so many finds them by other ways. */
const PAGES_AT_MOST = 10;

export async function readAll<Item>(
  read: (page: { limit: number; cursor?: string }) => Promise<Page<Item>>,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | null = null;
  for (let pages = 0; pages < PAGES_AT_MOST; pages += 1) {
    const page: Page<Item> = await read({ limit: PAGE_SIZE, ...(cursor === null ? {} : { cursor }) });
    items.push(...page.data);
    cursor = page.next_cursor;
    if (cursor === null) break;
  }
  return items;
}
