/** The stores of deliveries as the worker has them. */
import { env } from "cloudflare:workers";
import { askedDatabase } from "#worker/parties/database.ts";
import { bodies } from "#worker/store/bodies.ts";
import { type DeliveryStore, deliveryStore } from "#worker/store/deliveries.ts";
import { pendingDeliveries } from "#worker/store/pending-deliveries.ts";

/** @param bucket for bodies; what D1 does not take goes to the real one. */
export function deliveriesIn(bucket: R2Bucket = env.BODIES, database: D1Database = env.DB): DeliveryStore {
  return deliveryStore(askedDatabase(database), bodies(bucket), pendingDeliveries(env.BODIES));
}
