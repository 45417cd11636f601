/** Connectors that a person logs in to by OAuth 2.1: how that is set up, and what is shown of a login. No token is in it. */
import { z } from "zod";
import { actorSchema } from "./actor.ts";
import { nullable } from "./schema.ts";
import { onlyPlaceholderSchema } from "./secret.ts";
import { timestampSchema } from "./time.ts";

/** Tokens of RFC 6749, section 3.3, with a space between them. */
const SCOPE = /^[!#-[\]-~]+(?: [!#-[\]-~]+)*$/;

/** How the instance is a client there. With nothing of it, it becomes one by itself where the authorization server lets it. */
export const oauthAuthSchema = z
  .strictObject({
    type: z.literal("oauth"),
    client_id: z
      .string()
      .max(500)
      .regex(/^[!-~]+$/, "must be printable ASCII without spaces")
      .optional()
      .meta({ description: "Of a client that was registered by hand." }),
    client_secret: onlyPlaceholderSchema.optional(),
    scope: z
      .string()
      .max(1_000)
      .regex(SCOPE, "must be scopes with one space between them")
      .optional()
      .meta({ description: "In place of what the server names." }),
  })
  .refine(({ client_id, client_secret }) => client_secret === undefined || client_id !== undefined, {
    error: "needs the client_id that it belongs to",
    path: ["client_secret"],
  });
export type OauthAuth = z.infer<typeof oauthAuthSchema>;

/** How the instance is known to an authorization server. */
export const oauthClientKinds = ["given", "metadata_document", "registered"] as const;
export type OauthClientKind = (typeof oauthClientKinds)[number];

export const connectorLoginSchema = z
  .object({
    at: timestampSchema,
    by: actorSchema,
    issuer: z.string().meta({ description: "The authorization server." }),
    scope: nullable(z.string()).meta({ description: "What was granted, where the authorization server says it." }),
    client: z.enum(oauthClientKinds).meta({
      description:
        "How the instance is known there: by the `client_id` of the connector, by the document of its own at `/oauth/client.json`, or registered by itself.",
    }),
    expires_at: nullable(timestampSchema).meta({
      description: "When a person has to log in again; null where it is renewed, or nothing is said of an end.",
    }),
  })
  .meta({ id: "ConnectorLogin" });
export type ConnectorLogin = z.infer<typeof connectorLoginSchema>;

/** A login that has begun: a person opens the address in the browser that is to be logged in. */
export const begunLoginSchema = z
  .object({ authorization_url: z.url(), expires_at: timestampSchema })
  .meta({ id: "BegunConnectorLogin" });
export type BegunLogin = z.infer<typeof begunLoginSchema>;
