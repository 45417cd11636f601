/** What an instance finds when it looks itself over, and a doctor from outside adds to. */
import { z } from "zod";
import { nullable } from "./schema.ts";
import { timestampSchema } from "./time.ts";

/** `unknown`: it could not be found out, or was not asked for. */
const findingStatuses = ["ok", "warning", "fault", "unknown"] as const;

export const findingSchema = z
  .object({
    /** What was looked at: `schema`, `queue`, a variable, a secret. */
    check: z.string(),
    status: z.enum(findingStatuses),
    /** What is the case, in a sentence. */
    message: z.string(),
    /** What to do; null where nothing is. */
    hint: nullable(z.string()),
  })
  .meta({ id: "Finding", description: "One thing that was looked at, and what to do about it." });
export type Finding = z.infer<typeof findingSchema>;

export const diagnosisInputSchema = z
  .strictObject({
    /** Whether the model's API is asked if it takes the key. Tokens are counted, which costs nothing. */
    model: z.boolean().default(false),
  })
  .meta({ id: "DiagnosisInput" });

export const diagnosisSchema = z
  .object({
    version: z.string(),
    /** The instance's own clock when it answered. */
    at: timestampSchema,
    /** The address that links and webhooks are made with, as it is configured; null when it is taken from requests. */
    public_url: nullable(z.string()),
    is_local: z.boolean(),
    findings: z.array(findingSchema),
  })
  .meta({ id: "Diagnosis" });
export type Diagnosis = z.infer<typeof diagnosisSchema>;
