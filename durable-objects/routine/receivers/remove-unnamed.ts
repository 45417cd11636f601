/** Takes out of R2 what no row names any more. */

/** How many objects R2 lists, and removes, at once. */
const REMOVED_AT_ONCE = 1_000;

/**
 * @param named the keys that stay, asked for when it is known what is there: what is named meanwhile stays too.
 * @returns whether nothing is left to be removed.
 */
export async function removeUnnamed(
  bucket: Pick<R2Bucket, "list" | "delete">,
  prefix: string,
  named: () => ReadonlySet<string>,
): Promise<boolean> {
  let listed = await bucket.list({ prefix, limit: REMOVED_AT_ONCE });
  let gone = unnamed(listed, named());
  // What is named may fill any number of pages.
  while (gone.length === 0 && listed.truncated) {
    listed = await bucket.list({ prefix, limit: REMOVED_AT_ONCE, cursor: listed.cursor });
    gone = unnamed(listed, named());
  }
  if (gone.length > 0) await bucket.delete(gone);
  return !listed.truncated;
}

function unnamed({ objects }: R2Objects, stay: ReadonlySet<string>): string[] {
  return objects.map(({ key }) => key).filter((key) => !stay.has(key));
}
