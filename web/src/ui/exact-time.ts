/** In the zone of whoever reads it, which is named. @param at RFC 3339. */
export function exactTime(at: string): string {
  return exact.format(new Date(at));
}

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
