/** Deliveries that D1 did not take, in R2: one object each, until a sweep brings it into D1. */
import { logTrouble } from "#protocol/log.ts";
import { type NewDeliveryRow, newDeliveryRowSchema } from "./delivery-row.ts";

export interface PendingDeliveries {
  /** Resolves when the delivery can't be lost any more. */
  keep(row: NewDeliveryRow): Promise<void>;
  /**
   * Hands over what is kept, oldest first, and forgets each when it has been taken. What is cut off is handed over again.
   * @param take resolves when it can't be lost any more; given the same twice, it has it once.
   */
  handOver(take: (row: NewDeliveryRow) => Promise<void>): Promise<void>;
  /** Forgets the oldest of those that can't be read, up to an id. @returns whether there may be more. */
  purge(upToId: string): Promise<boolean>;
}

/** Keys sort as ids do, by time. */
const FOLDER = "pending/";
/** What can't be read is put aside: it holds up no other, and can be looked at. */
const ASIDE = "damaged/";
const PAGE = 100;
/** What is left after so many is for the next sweep. */
const AT_MOST = 1_000;
/** After so many that D1 does not take, it takes none: the next sweep tries again. */
const REFUSALS_AT_MOST = 3;

export function pendingDeliveries(bucket: R2Bucket): PendingDeliveries {
  /** @returns whether it was taken. */
  async function handOne(key: string, take: (row: NewDeliveryRow) => Promise<void>): Promise<boolean> {
    const id = key.slice(FOLDER.length);
    try {
      const kept = await bucket.get(key);
      // Another sweep has brought it in.
      if (kept === null) return true;
      const text = await kept.text();
      const row = readRow(text, id);
      if (row === null) {
        logTrouble("delivery_damaged", { delivery_id: id }, `put aside as ${ASIDE}${id}`);
        await bucket.put(`${ASIDE}${id}`, text);
      } else {
        await take(row);
      }
      await bucket.delete(key);
      return true;
    } catch (error) {
      logTrouble("delivery_still_in_bucket", { delivery_id: id }, error);
      return false;
    }
  }

  return {
    keep: async (row) => {
      await bucket.put(`${FOLDER}${row.id}`, JSON.stringify(row));
    },
    handOver: async (take) => {
      let refusals = 0;
      for (let handed = 0, after = FOLDER; handed < AT_MOST; ) {
        const { objects } = await bucket.list({ prefix: FOLDER, startAfter: after, limit: PAGE });
        for (const { key } of objects) {
          refusals += (await handOne(key, take)) ? 0 : 1;
          if (refusals === REFUSALS_AT_MOST) return;
        }
        const last = objects.at(-1);
        if (last === undefined || objects.length < PAGE) return;
        after = last.key;
        handed += objects.length;
      }
    },
    purge: async (upToId) => {
      const { objects } = await bucket.list({ prefix: ASIDE, limit: PAGE });
      const old = objects.map(({ key }) => key).filter((key) => key <= `${ASIDE}${upToId}`);
      if (old.length > 0) await bucket.delete(old);
      return old.length === PAGE;
    },
  };
}

function readRow(text: string, id: string): NewDeliveryRow | null {
  try {
    const row = newDeliveryRowSchema.safeParse(JSON.parse(text));
    return row.success && row.data.id === id ? row.data : null;
  } catch {
    return null;
  }
}
