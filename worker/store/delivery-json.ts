/** The columns of deliveries that hold JSON: what somebody has changed by hand spoils its own row alone. */
import { z } from "zod";
import type { DeliveryOutcome } from "#protocol/delivery.ts";
import { logTrouble } from "#protocol/log.ts";

export const keptHeadersSchema = z.record(z.string(), z.string());
/** As an earlier version wrote them too: their fields are not looked at. */
export const outcomesSchema = z.array(z.custom<DeliveryOutcome>((one) => typeof one === "object" && one !== null));

/** @returns null for what can't be read, which the log tells. */
export function readableJson<Value>(id: string, schema: z.ZodType<Value>, text: string): Value | null {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    logTrouble("row_unreadable", { id }, error);
    return null;
  }
}
