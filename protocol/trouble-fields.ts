/** Ids and facts that lines about troubles carry. */
import { z } from "zod";
import { deliveryIdSchema, notificationIdSchema, routineIdSchema, runIdSchema } from "./ids.ts";

export const count = z.int().min(0);
export const text = z.string();
export const run = { run_id: runIdSchema };
export const attempt = { ...run, generation: z.int().min(1) };
export const call = { ...attempt, call: z.int().min(1) };
export const routine = { routine_id: routineIdSchema };
export const delivery = { delivery_id: deliveryIdSchema };
/** The name of an object: of a routine's, the 12 characters of owner key that all of its ids share. */
export const object = { object: text };
export const notification = { notification_id: notificationIdSchema };

/** A row of `TROUBLES`. */
export interface TroubleRow {
  /** `error` where somebody has to look, or something is lost; `warn` where it mends by itself, unless it goes on. */
  level: "warn" | "error";
  /** What it is, in a sentence that stands in the line. */
  means: string;
  /** The ids and facts that the line always carries, beside `reason`: what was thrown. */
  carries: z.ZodObject;
}
