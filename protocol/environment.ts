/** Environments: what a run's sandbox may reach, what its programs find in their variables, and what prepares it. */
import { z } from "zod";
import { actorSchema } from "./actor.ts";
import { containerSizeSchema } from "./container-size.ts";
import { environmentIdSchema, routineIdSchema } from "./ids.ts";
import { isPublicName } from "./public-name.ts";
import { isReservedVariable } from "./reserved-variables.ts";
import { named, nullable } from "./schema.ts";
import { timestampSchema } from "./time.ts";

/** The environment that is always there. */
export const DEFAULT_ENVIRONMENT = "default";
export const DEFAULT_ENVIRONMENT_ID = `env_${"0".repeat(26)}`;

/** How many an instance may have in use. */
export const ENVIRONMENT_LIMIT = 1_000;

export const environmentNameSchema = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, "must be 1 to 40 lower-case letters, digits and dashes")
  .meta({ id: "EnvironmentName" });

export const networkLevels = ["none", "trusted", "custom", "full"] as const;
export type NetworkLevel = (typeof networkLevels)[number];

const HOSTS_AT_MOST = 200;

/** A name of the internet, or `*.` and such a name for every name below it, and not the name itself. */
export const hostPatternSchema = z
  .string()
  .max(255)
  .refine((text) => hostFault(text) === null, { error: ({ input }) => hostFault(String(input)) ?? "" })
  .meta({
    id: "HostPattern",
    description:
      "A host's name in lower case, or `*.` and a name of at least two parts for every name below it; no scheme, port, path or address.",
    examples: ["registry.example.com", "*.example.com"],
  });

/** @returns what is wrong with a pattern of hosts, in words for people; null when nothing is. */
function hostFault(text: string): string | null {
  if (text === "*") return 'must name hosts; network.level "full" allows every public host';
  const name = text.startsWith("*.") ? text.slice(2) : text;
  if (/[/:@?#\s]/.test(name)) return "must be a host's name alone, without a scheme, user, port or path";
  if (name.includes("*")) return 'may have "*" only at its beginning, as in "*.example.com"';
  const written = URL.parse(`https://${name}/`)?.hostname ?? null;
  if (written !== null && written !== name && isPublicName(written)) return `must be written as "${written}"`;
  if (written !== name || !isPublicName(name)) {
    return "must be a name of the internet, such as registry.example.com: no address, no single word, no name of a private network";
  }
  return null;
}

const hostsSchema = z.array(hostPatternSchema).max(HOSTS_AT_MOST);

const levelSchema = z.enum(networkLevels).meta({
  description:
    "none: nothing. trusted: the documented package registries and development hosts, and `allow`. custom: `allow` alone. full: every public host.",
});

type SaidNetwork = { level: NetworkLevel; allow: string[] };
const FITS_ITS_LEVEL = ({ level, allow }: SaidNetwork) => level !== "none" || allow.length === 0;
const UNFIT = {
  path: ["allow"],
  error: 'must be empty with level "none"; level "custom" allows these hosts and no other',
};

/** What a run may reach beside its instance. */
export const networkSchema = z
  .strictObject({ level: levelSchema.default("trusted"), allow: hostsSchema.default([]) })
  .refine(FITS_ITS_LEVEL, UNFIT)
  .meta({ id: "Network" });
export type Network = z.infer<typeof networkSchema>;

/** What a routine adds to its environment's policy. */
export const networkAdditionsSchema = z
  .strictObject({ allow: hostsSchema.default([]) })
  .meta({ id: "NetworkAdditions" });

/** In bytes of UTF-8. A process takes 128 KiB in one variable, and 2 MiB in all of them and its arguments. */
export const VARIABLE_LIMIT_BYTES = 32 * 1_024;
/** The same for names and values together, before and after secrets are put in. */
export const VARIABLES_LIMIT_BYTES = 256 * 1_024;
const VARIABLES_AT_MOST = 100;

const encoder = new TextEncoder();

/** In UTF-8. */
function bytesOf(text: string): number {
  return encoder.encode(text).length;
}

/** Of names and values together, with a byte at the end of each as the system stores them. */
export function variablesBytes(variables: Readonly<Record<string, string>>): number {
  return Object.entries(variables).reduce((sum, [name, value]) => sum + bytesOf(name) + bytesOf(value) + 2, 0);
}

const variableNameSchema = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, "must be 1 to 64 letters, digits and underscores, and not begin with a digit")
  .refine(
    (name) => !isReservedVariable(name),
    "is set by the runner itself, or changes how it works; see docs/environments.md",
  );

const variableValueSchema = z
  .string()
  .refine((text) => text.isWellFormed() && !text.includes("\0"), "must be text without null characters")
  .refine((text) => bytesOf(text) <= VARIABLE_LIMIT_BYTES, `must be at most ${VARIABLE_LIMIT_BYTES} bytes`);

/** What programs in the sandbox find in their environment; `{{NAME}}` in a text stands for a secret. */
export const variablesSchema = named(variableNameSchema, variableValueSchema)
  .refine((variables) => Object.keys(variables).length <= VARIABLES_AT_MOST, `must be at most ${VARIABLES_AT_MOST}`)
  .refine(
    (variables) => variablesBytes(variables) <= VARIABLES_LIMIT_BYTES,
    `must be at most ${VARIABLES_LIMIT_BYTES} bytes together`,
  )
  .meta({
    id: "Variables",
    description: "Names and texts; `{{NAME}}` in a text stands for a secret.",
    examples: [{ LOG_LEVEL: "debug", API_TOKEN: "{{ACME_TOKEN}}" }],
  });

const SETUP_LIMIT_BYTES = 64 * 1_024;

const setupSchema = z
  .string()
  .min(1, "must not be empty; null for none")
  .refine((text) => text.isWellFormed() && !text.includes("\0"), "must be text without null characters")
  .refine((text) => bytesOf(text) <= SETUP_LIMIT_BYTES, `must be at most ${SETUP_LIMIT_BYTES} bytes`);

const settings = {
  name: environmentNameSchema,
  network: networkSchema,
  variables: variablesSchema,
  setup: nullable(setupSchema).meta({
    description: "A shell script that prepares the sandbox before the agent starts; null for none.",
  }),
  instance: nullable(containerSizeSchema).meta({
    description:
      "The size of the container, where runs work in containers of the instance; null for the instance's own.",
  }),
};

const EXAMPLE = {
  name: "ci",
  network: { level: "custom", allow: ["registry.npmjs.org", "*.example.com"] },
  variables: { LOG_LEVEL: "debug", API_TOKEN: "{{ACME_TOKEN}}" },
  setup: "npm install --global --prefix ~/.local pnpm@10",
  instance: "standard-2",
};

/** What a person writes to make an environment. */
export const environmentInputSchema = z
  .strictObject({
    ...settings,
    network: networkSchema.default(() => networkSchema.parse({})),
    variables: variablesSchema.default({}),
    setup: settings.setup.default(null),
    instance: settings.instance.default(null),
  })
  .meta({ id: "EnvironmentInput", examples: [EXAMPLE] });
export type EnvironmentInput = z.infer<typeof environmentInputSchema>;

const statusSchema = z.enum(["active", "archived"]);

const EXAMPLE_STAMPS = {
  id: "env_01K9G5V2T0ABCDEFGHJKMNPQRS",
  status: "active",
  revision: 1,
  created_at: "2026-11-21T09:00:00.000Z",
  created_by: { kind: "owner", id: null, name: "owner" },
  updated_at: "2026-11-21T09:00:00.000Z",
  updated_by: { kind: "owner", id: null, name: "owner" },
};

/**
 * A change: only the keys that are given change; `network` and `variables` are replaced as a whole. The level has to be said:
 * whoever replaces the hosts of a `custom` one must not get `trusted` by leaving it out.
 */
export const environmentPatchSchema = z
  .strictObject({
    ...settings,
    network: z
      .strictObject({ level: levelSchema, allow: hostsSchema.default([]) })
      .refine(FITS_ITS_LEVEL, UNFIT)
      .meta({ id: "NetworkChange" }),
    status: statusSchema.meta({ description: "`active` brings an archived one back." }),
    if_revision: z.int().min(0),
  })
  .partial()
  .refine((patch) => Object.keys(patch).some((key) => key !== "if_revision"), "must change at least one key")
  .meta({ id: "EnvironmentPatch" });
export type EnvironmentPatch = z.infer<typeof environmentPatchSchema>;

/** An environment as the API shows it. */
export const environmentSchema = z
  .object({
    id: environmentIdSchema,
    ...settings,
    status: statusSchema,
    revision: z
      .int()
      .min(0)
      .meta({ description: "Counts its changes; 0 for `default` as long as nobody has changed it." }),
    created_at: nullable(timestampSchema).meta({ description: "Null for `default`, which is always there." }),
    created_by: nullable(actorSchema),
    updated_at: nullable(timestampSchema),
    updated_by: nullable(actorSchema),
  })
  .meta({ id: "Environment", examples: [{ ...EXAMPLE, ...EXAMPLE_STAMPS }] });
export type Environment = z.infer<typeof environmentSchema>;

/** The answer when one is archived. */
export const archivedEnvironmentSchema = environmentSchema
  .extend({
    routines: z.array(routineIdSchema).meta({
      description: "The routines that name it, 100 at most: their runs fail until they name another.",
    }),
  })
  .meta({ id: "ArchivedEnvironment" });

/** What one attempt of a run got, as its runner is told. */
/** A policy with what a routine adds to it. */
export const attemptNetworkSchema = z.object({ level: z.enum(networkLevels), allow: z.array(z.string()) });

export const attemptEnvironmentSchema = z.object({
  id: environmentIdSchema,
  name: z.string(),
  revision: z.int().min(0),
  network: attemptNetworkSchema,
  /** With the values of secrets in them. */
  variables: z.record(z.string(), z.string()),
  /** Values that are to be shown nowhere. */
  secret_values: z.array(z.string()),
  /** `cache_key` names what the script makes: the same key, the same result. */
  setup: nullable(z.object({ script: z.string(), cache_key: z.string() })),
});
export type AttemptEnvironment = z.infer<typeof attemptEnvironmentSchema>;
