/** Encrypting with the present key what was encrypted with the one before, a step at a time. */
import { z } from "zod";
import { connectorIdSchema, routineIdSchema, triggerIdSchema } from "./ids.ts";
import { nullable } from "./schema.ts";
import { secretNameSchema } from "./secret.ts";

export const encryptAnewInputSchema = z
  .strictObject({
    cursor: z
      .string()
      .regex(/^[0-9A-Za-z_]{1,40}$/, "must be the next_cursor of the step before")
      .optional(),
  })
  .meta({ id: "EncryptAnewInput" });

export const encryptAnewStepSchema = z
  .object({
    /** How many routines have been asked, and have answered. */
    routines: z.int().min(0),
    /** Secrets that were encrypted with the key before, or in an earlier form, and are not any more. */
    encrypted_anew: z.int().min(0),
    /** Triggers one of whose secrets no key in force decrypts: they need new ones. */
    unreadable: z.array(z.object({ routine_id: routineIdSchema, trigger_id: triggerIdSchema })),
    /** Whether no key in force decrypts the GitHub App: it has to be set up anew. Told by the first step. */
    is_app_unreadable: z.boolean(),
    /** Names of secrets that no key in force decrypts: they have to be set anew. Told by the first step. */
    unreadable_secrets: z.array(secretNameSchema).default([]),
    /** Connectors whose login no key in force decrypts: somebody has to log in anew. Told by the first step. */
    unreadable_logins: z.array(connectorIdSchema).default([]),
    /** Those that could not be asked: what they have stays as it is until it is done again. */
    failed: z.array(z.object({ routine_id: routineIdSchema, why: z.string() })),
    next_cursor: nullable(z.string()),
  })
  .meta({ id: "EncryptAnewStep" });
export type EncryptAnewStep = z.infer<typeof encryptAnewStepSchema>;
