/** Secrets of an instance, which variables name as `{{NAME}}`: what is given, what is shown, and what became of them. Values are never shown. */
import { z } from "zod";
import { actorSchema } from "./actor.ts";
import { connectorIdSchema, environmentIdSchema, routineIdSchema, runIdSchema } from "./ids.ts";
import { nullable } from "./schema.ts";
import { timestampSchema } from "./time.ts";

/** How many secrets an instance may have. */
export const SECRET_LIMIT = 1_000;
/** In bytes of UTF-8. */
export const SECRET_VALUE_LIMIT_BYTES = 65_536;

/** As an environment variable's. */
const NAME_FORM = "[A-Za-z_][A-Za-z0-9_]{0,63}";

export const secretNameSchema = z
  .string()
  .regex(
    new RegExp(`^${NAME_FORM}$`),
    "must be 1 to 64 letters of A-Z and a-z, digits and underscores, and begin with no digit",
  )
  .meta({ id: "SecretName" });
/** A secret in a text: `{{NAME}}`, with spaces inside if need be. A backslash before it has it stay as it is. */
export const PLACEHOLDER = new RegExp(`(\\\\?)\\{\\{ *(${NAME_FORM}) *\\}\\}`, "g");

/** A secret alone: `{{NAME}}`. */
export const onlyPlaceholderSchema = z
  .string()
  .regex(/^\{\{ *[A-Za-z_][A-Za-z0-9_]{0,63} *\}\}$/, 'must name the secret that holds it, as in "{{LINEAR_TOKEN}}"');

const encoder = new TextEncoder();

/** None of its messages quotes what was given. */
const secretValueSchema = z
  .string("must be a text")
  .min(1, "must not be empty")
  .refine((value) => encoder.encode(value).length <= SECRET_VALUE_LIMIT_BYTES, {
    error: `must be at most ${SECRET_VALUE_LIMIT_BYTES} bytes`,
  })
  .refine((value) => !value.includes("\0"), { error: "must hold no NUL character: no program can be given one" })
  .refine((value) => value.isWellFormed(), { error: "must be well-formed Unicode" });

/** @returns why a value from elsewhere is none, in words that do not quote it and follow its subject; null when it is one. */
export function textFault(value: unknown): string | null {
  const { error } = secretValueSchema.safeParse(value);
  return error?.issues[0]?.message ?? null;
}

const SCOPE_LIMIT = 100;
export const secretScopeSchema = z
  .strictObject({
    routines: z.array(routineIdSchema).min(1).max(SCOPE_LIMIT).optional(),
    environments: z.array(environmentIdSchema).min(1).max(SCOPE_LIMIT).optional(),
    connectors: z.array(connectorIdSchema).min(1).max(SCOPE_LIMIT).optional(),
  })
  .meta({
    id: "SecretScope",
    description:
      "Who may use it, by id: runs of these routines, in these environments. A list that is left out stands for all. With `connectors`, the headers of these connectors alone, and no variable.",
  });
export type SecretScope = z.infer<typeof secretScopeSchema>;

const sourceText = z
  .string()
  .min(1)
  .max(2_048)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  .regex(/^[^\u0000-\u001f\u007f]*$/, "must have no control character");

/** Where a value is kept that the instance itself does not have. */
export const secretSourceSchema = z
  .union(
    [
      z.strictObject({
        vault: z.strictObject({
          mount: sourceText.max(200).default("secret").meta({ description: "Of the KV engine, version 2." }),
          path: sourceText.meta({ description: "Below the mount, without `data/`: `acme/production`." }),
          key: sourceText,
        }),
      }),
      z.strictObject({
        aws: z.strictObject({
          secret_id: sourceText.meta({ description: "A name or an ARN." }),
          key: sourceText
            .optional()
            .meta({ description: "Of the JSON object that it is; left out for the whole text." }),
          region: z
            .string()
            .regex(/^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$/, 'must be a region, for example "eu-central-1"')
            .optional(),
        }),
      }),
    ],
    'must be {"vault": {"path", "key"}} or {"aws": {"secret_id"}}',
  )
  .meta({ id: "SecretSource" });
export type SecretSource = z.infer<typeof secretSourceSchema>;

export const secretInputSchema = z
  .strictObject({
    value: secretValueSchema.optional(),
    from: secretSourceSchema
      .optional()
      .meta({ description: "In place of a value: where it is read anew for each attempt of a run." }),
    scope: secretScopeSchema.optional().meta({
      description: "Left out, that of a secret that there is stays, and a new one is for all; `{}` is for all.",
    }),
  })
  .refine(({ value, from }) => (value === undefined) !== (from === undefined), {
    error: "needs either value or from",
    path: ["value"],
  })
  .meta({
    id: "SecretInput",
    example: { value: "the-value-of-the-secret", scope: { environments: ["env_00000000000000000000000000"] } },
  });

const unreadableFieldSchema = z.enum(["from", "scope", "created_by", "updated_by"]);
/** What of a row may be unreadable: somebody has changed it by hand. */
export type UnreadableField = z.infer<typeof unreadableFieldSchema>;

export const secretSchema = z
  .object({
    name: secretNameSchema,
    from: nullable(secretSourceSchema).meta({ description: "Null where the instance keeps the value, encrypted." }),
    scope: nullable(secretScopeSchema).meta({ description: "Null where it can't be read." }),
    created_at: timestampSchema,
    created_by: nullable(actorSchema).meta({ description: "Null where it can't be read." }),
    updated_at: timestampSchema,
    updated_by: nullable(actorSchema).meta({ description: "Null where it can't be read." }),
    last_used_at: nullable(timestampSchema),
    unreadable: z.array(unreadableFieldSchema).meta({
      description:
        "Fields that can't be read, because somebody has changed the row in D1; none by default. A run that names such a secret fails where `from` or `scope` is one of them, until the secret is set anew with its scope.",
    }),
  })
  .meta({ id: "Secret", description: "A secret as it is shown: never with its value." });
export type Secret = z.infer<typeof secretSchema>;

/** One attempt of a run was given the value. */
export const secretUseSchema = z
  .object({
    at: timestampSchema,
    routine_id: routineIdSchema,
    run_id: runIdSchema,
    attempt: z.int().min(1),
    environment_id: environmentIdSchema,
    variables: z.array(z.string()).meta({ description: "The variables that it was used in." }),
  })
  .meta({ id: "SecretUse" });
export type SecretUse = z.infer<typeof secretUseSchema>;
