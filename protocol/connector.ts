/** Connectors: MCP servers that agents may use, and how the instance signs in there. No credential is in what is stored or shown. */
import { z } from "zod";
import { actorSchema } from "./actor.ts";
import { connectorLoginSchema, oauthAuthSchema } from "./connector-oauth.ts";
import { connectorIdSchema } from "./ids.ts";
import { nullable } from "./schema.ts";
import { onlyPlaceholderSchema, PLACEHOLDER } from "./secret.ts";
import { timestampSchema } from "./time.ts";
import { parseAddress } from "./web-address.ts";

/** How many an instance may have. */
export const CONNECTOR_LIMIT = 200;
/** How many tools of one are kept: more would fill an agent's context, whoever wrote them. */
export const TOOLS_AT_MOST = 500;

/** Names of what the instance itself gives to agents. */
const RESERVED_NAMES = ["github", "reveille"];

/** It is part of its tools' names, `mcp__NAME__TOOL`, and of a path. */
export const connectorNameSchema = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, "must be 1 to 40 lower-case letters, digits and dashes")
  .refine(
    (name) => !RESERVED_NAMES.includes(name),
    `must be another name than ${RESERVED_NAMES.join(" and ")}, which the instance gives to tools of its own`,
  )
  .meta({ id: "ConnectorName" });

/** Where an MCP server listens; which hosts may be called depends on the instance. */
const connectorUrlSchema = z
  .string()
  .max(2_000)
  .refine(
    (text) => /^https?:\/\//.test(text) && parseAddress(text) !== null,
    'must be an https address, for example "https://mcp.example.com/mcp"',
  );

/** What a request has by itself, or what would change where it ends: none of it is a connector's to set. */
const OWN_HEADERS =
  /^(?:accept|accept-encoding|connection|content-.*|cookie|expect|host|keep-alive|last-event-id|mcp-.*|origin|proxy-.*|te|trailer|transfer-encoding|upgrade|x-forwarded-.*)$/;
const HEADERS_AT_MOST = 10;

const headerNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, "must be a header's name: letters, digits and dashes")
  .refine((name) => !OWN_HEADERS.test(name.toLowerCase()), "is a header that requests to servers have by themselves");
const headerTextSchema = z
  .string()
  .min(1)
  .max(2_000)
  .regex(/^[ -~]*$/, "must be printable ASCII on one line");

/** Whether one of the texts names a secret: what is written without one would be read by all who may see the connector. */
function namesSecret(texts: readonly string[]): boolean {
  return texts.some((text) => [...text.matchAll(PLACEHOLDER)].some(([, backslash]) => backslash === ""));
}

/** How requests are signed. */
export const connectorAuthSchema = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("none") }),
    z.strictObject({ type: z.literal("bearer"), token: onlyPlaceholderSchema }),
    z.strictObject({
      type: z.literal("header"),
      headers: z
        .record(headerNameSchema, headerTextSchema)
        .refine((headers) => Object.keys(headers).length <= HEADERS_AT_MOST, `must be at most ${HEADERS_AT_MOST}`)
        .refine(
          (headers) =>
            new Set(Object.keys(headers).map((name) => name.toLowerCase())).size === Object.keys(headers).length,
          "must name each header once",
        )
        .refine(
          (headers) => namesSecret(Object.values(headers)),
          'must name a secret, as in {"X-Api-Key": "{{ACME_KEY}}"}',
        ),
    }),
    oauthAuthSchema,
  ])
  .meta({
    id: "ConnectorAuth",
    description:
      "`none`; `bearer`, a token in `Authorization`; `header`, headers of your own; or `oauth`, a login of a person's. `{{NAME}}` stands for a secret, which is put in outside of the sandbox.",
    examples: [{ type: "bearer", token: "{{LINEAR_TOKEN}}" }],
  });
export type ConnectorAuth = z.infer<typeof connectorAuthSchema>;

const settings = {
  name: connectorNameSchema,
  url: connectorUrlSchema.meta({ description: "Where the server takes Streamable HTTP." }),
  auth: connectorAuthSchema,
};

/** What a person writes to make a connector. */
export const connectorInputSchema = z
  .strictObject({ ...settings, auth: connectorAuthSchema.default({ type: "none" }) })
  .meta({ id: "ConnectorInput" });

/** A change: only the keys that are given change; `auth` is replaced as a whole. */
export const connectorPatchSchema = z
  .strictObject({ ...settings, if_revision: z.int().min(1) })
  .partial()
  .refine((patch) => Object.keys(patch).some((key) => key !== "if_revision"), "must change at least one key")
  .meta({ id: "ConnectorPatch" });
export type ConnectorPatch = z.infer<typeof connectorPatchSchema>;

const connectorStatuses = ["ready", "needs_login", "unreachable"] as const;

/** A tool as its server describes it: words of a stranger's. */
export const connectorToolSchema = z
  .object({
    name: z.string(),
    description: z.string().meta({ description: "In the server's words, cut to 1,000 characters." }),
    read_only: z.boolean().meta({ description: "Whether the server says that it changes nothing." }),
  })
  .meta({ id: "ConnectorTool" });
export type ConnectorTool = z.infer<typeof connectorToolSchema>;

const stateFields = {
  status: z.enum(connectorStatuses).meta({
    description:
      "As it was when it was looked at last. `ready`: it has told its tools. `needs_login`: its credential is missing or refused. `unreachable`: anything else.",
  }),
  status_detail: nullable(z.string()).meta({ description: "Why it is not ready, for people." }),
  checked_at: nullable(timestampSchema).meta({ description: "Null where nobody has looked yet." }),
  server: nullable(z.object({ name: z.string(), version: z.string(), protocol: z.string() })).meta({
    description: "What the server says of itself, and the revision of MCP that it speaks.",
  }),
  tools: z.array(connectorToolSchema).meta({ description: "Those that it told when it was ready last." }),
};

/** What is known of its server. */
export const connectorStateSchema = z.object(stateFields);
export type ConnectorState = z.infer<typeof connectorStateSchema>;

const stampFields = {
  revision: z.int().min(1).meta({ description: "Counts changes of its name, address and credential." }),
  created_at: timestampSchema,
  created_by: actorSchema,
  updated_at: timestampSchema,
  updated_by: actorSchema,
};

/** What is stored of a connector's definition. The version is that of this form: a later one reads this one too. */
export const storedConnectorSchema = z.object({
  version: z.literal(1),
  id: connectorIdSchema,
  name: z.string(),
  url: z.string(),
  auth: z.discriminatedUnion("type", [
    z.object({ type: z.literal("none") }),
    z.object({ type: z.literal("bearer"), token: z.string() }),
    z.object({ type: z.literal("header"), headers: z.record(z.string(), z.string()) }),
    z.object({
      type: z.literal("oauth"),
      client_id: z.string().optional(),
      client_secret: z.string().optional(),
      scope: z.string().optional(),
    }),
  ]),
  ...stampFields,
});
export type StoredConnector = z.infer<typeof storedConnectorSchema>;

/** A connector as the API shows it. */
export const connectorSchema = z
  .object({
    id: connectorIdSchema,
    ...settings,
    ...stateFields,
    login: nullable(connectorLoginSchema).meta({ description: "Null without `oauth`, and where nobody is logged in." }),
    last_used_at: nullable(timestampSchema).meta({ description: "When a run last called it, to within a minute." }),
    ...stampFields,
  })
  .meta({ id: "Connector" });
export type Connector = z.infer<typeof connectorSchema>;

/** What is known before anybody has looked. */
export const UNCHECKED: ConnectorState = {
  status: "unreachable",
  status_detail: "Nobody has looked yet whether it answers.",
  checked_at: null,
  server: null,
  tools: [],
};

/** What a run has done with a connector, as the worker has seen it. */
export const connectorUseSchema = z
  .object({
    name: z.string(),
    calls: z.int().min(0).meta({ description: "Calls of its tools that the routine allows." }),
    failed: z.int().min(0).meta({ description: "Those for which its server could not be used." }),
    changes: z.int().min(0).meta({ description: "Those of the others whose tool is not known to change nothing." }),
  })
  .meta({ id: "ConnectorUse" });
export type ConnectorUse = z.infer<typeof connectorUseSchema>;

const TOOL_PATTERN = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9_.*/-]+$/, "must be a tool's name as the server has it, with * for any characters");
const toolPatternsSchema = z.array(TOOL_PATTERN).max(200);

/** Which tools of a connector a routine's runs see and may call. */
export const connectorToolRulesSchema = z
  .strictObject({
    allow: toolPatternsSchema.optional().meta({ description: "Where it is there, no other tool." }),
    deny: toolPatternsSchema.optional().meta({ description: "Counts before `allow`." }),
    read_only: z.boolean().optional().meta({
      description: "Only tools of which the server says that they change nothing.",
    }),
  })
  .meta({ id: "ConnectorToolRules" });
export type ConnectorToolRules = z.infer<typeof connectorToolRulesSchema>;

const routineConnectorSchema = z.union(
  [connectorNameSchema, z.strictObject({ name: connectorNameSchema, tools: connectorToolRulesSchema.optional() })],
  'must be a connector\'s name, or {"name", "tools"}',
);
export type RoutineConnector = z.infer<typeof routineConnectorSchema>;
export type RoutineConnectors = RoutineConnector[];

/** @param given as a routine has it. */
export function nameOfConnector(given: RoutineConnector): string {
  return typeof given === "string" ? given : given.name;
}

/** The connectors of a routine, by name alone or with what its runs may do there. */
export const routineConnectorsSchema = z
  .array(routineConnectorSchema)
  .max(20)
  .refine((given) => new Set(given.map(nameOfConnector)).size === given.length, "must name each connector once")
  .meta({
    id: "RoutineConnectors",
    description: "MCP servers that its runs may use, by name: all their tools, or those that `tools` leaves.",
  });

/** What a routine lets its runs do with a connector; null where it does not have it. */
export function rulesFor(connectors: RoutineConnectors, name: string): ConnectorToolRules | null {
  const found = connectors.find((given) => nameOfConnector(given) === name);
  if (found === undefined) return null;
  return typeof found === "string" ? {} : (found.tools ?? {});
}
