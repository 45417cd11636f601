/** The shape of the OpenAPI document, and how callers show who they are. */
import type { App } from "../http-env.ts";

export const SECURITY_SCHEMES = {
  owner_token: { type: "http", scheme: "bearer", description: "The instance's OWNER_TOKEN." },
  routine_token: { type: "http", scheme: "bearer", description: "The routine's own token." },
  web_session: {
    type: "apiKey",
    in: "cookie",
    name: "__Host-reveille_session",
    description: "The cookie of a browser that is signed in; writes need the instance's own Origin.",
  },
} as const;

type Generated = ReturnType<App["getOpenAPI31Document"]>;
export interface ApiDocument extends Omit<Generated, "components"> {
  components: { schemas: Record<string, object>; securitySchemes: typeof SECURITY_SCHEMES };
}
