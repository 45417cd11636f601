/** The row of a delivery that has come in, as it is written to D1, or kept until D1 takes it. */
import { z } from "zod";
import { deliveryStatuses } from "#protocol/delivery.ts";
import { eventSources } from "#protocol/source-event.ts";

export const newDeliveryRowSchema = z.strictObject({
  id: z.string(),
  source: z.enum(eventSources),
  triggerId: z.string().nullable(),
  status: z.enum(deliveryStatuses),
  providerId: z.string().nullable(),
  event: z.string().nullable(),
  note: z.string().nullable(),
  /** Without credentials. */
  headers: z.record(z.string(), z.string()),
  /** Null when it lies in R2. */
  body: z.string().nullable(),
  sizeBytes: z.number().int(),
  tries: z.number().int(),
  /** When it is to be taken up, in Unix milliseconds. */
  nextAt: z.number().int(),
});
export type NewDeliveryRow = z.infer<typeof newDeliveryRowSchema>;

/** Writes the row unless it is there: an answer may have been lost, and a row may be brought twice. */
export async function insertRow(database: D1Database, row: NewDeliveryRow): Promise<void> {
  const { id, source, triggerId, status, providerId, event, note, headers, body, sizeBytes, tries, nextAt } = row;
  const told = [id, source, triggerId, status, providerId, event, note, JSON.stringify(headers)];
  await database
    .prepare(INSERT)
    .bind(...told, body, sizeBytes, tries, nextAt)
    .run();
}

const INSERT = `INSERT INTO deliveries
  (id, source, trigger_id, status, provider_id, event, note, headers, body, size_bytes, tries, next_at, outcomes)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '[]') ON CONFLICT (id) DO NOTHING`;
