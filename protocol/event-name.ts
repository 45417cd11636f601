/** What events and what waits for them are called. */
import { z } from "zod";
import { atMost } from "./characters.ts";
import { hasHidden, SEEN } from "./unseen-characters.ts";

export const nameSchema = z.string().trim().min(1).check(atMost(200));

/** As programs name their events: what could not be seen in a list, or told from another, is refused. */
export const eventNameSchema = nameSchema
  .refine((given) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(given), "must be one line without control characters")
  .refine((given) => given === "" || SEEN.test(given), "must have a character that can be seen")
  .refine((given) => !SEEN.test(given) || !hasHidden(given), "must have no character that hides or turns others round")
  .refine((given) => given.isWellFormed(), "must be well-formed Unicode");
