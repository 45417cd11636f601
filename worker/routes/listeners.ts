/** What the instance can listen to: each source with its fields and how it is set up; GitHub's repositories. */
import { z } from "zod";
import { success } from "#protocol/errors.ts";
import { webhookSourceSchema, webhookSources } from "#protocol/webhook-sources.ts";
import { endpoint } from "../http/endpoint.ts";
import { type App, baseUrl } from "../http/http-env.ts";
import { withExample } from "../http/openapi/examples/example.ts";
import { endpointUrl } from "../inbound/read-delivery.ts";
import { LISTENERS } from "../inbound/sources/all.ts";

const listeners = withExample(
  z
    .object({
      data: z.array(
        z.object({
          source: webhookSourceSchema,
          title: z.string(),
          secret_from: z.enum(["reveille", "source", "nobody"]),
          fields: z.array(z.object({ field: z.string(), what: z.string() })),
          set_up: z
            .array(z.string())
            .meta({ description: "Steps in Markdown; `TRIGGER_ID` stands for the trigger's." }),
        }),
      ),
      next_cursor: z.null(),
    })
    .meta({ id: "Listeners" }),
  {
    data: [
      {
        source: "sentry",
        title: "Sentry",
        secret_from: "source",
        fields: [{ field: "data.issue.level", what: "How grave it is." }],
        set_up: ["Make an internal integration."],
      },
    ],
    next_cursor: null,
  },
);

const repositories = withExample(
  z
    .object({
      data: z.array(
        z.object({
          id: z.int(),
          full_name: z.string(),
          url: z.string().meta({ description: "As a routine names it." }),
          private: z.boolean(),
          installation_id: z.int(),
          account: z.string(),
        }),
      ),
      next_cursor: z.string().nullable(),
    })
    .meta({ id: "GithubRepositories" }),
  {
    data: [
      {
        id: 4_821,
        full_name: "acme/docs",
        url: "https://github.com/acme/docs",
        private: true,
        installation_id: 77,
        account: "acme",
      },
    ],
    next_cursor: null,
  },
);
const REPOSITORIES_SHOWN = 200;

export function mountListeners(app: App): void {
  endpoint(
    app,
    {
      method: "get",
      path: "/api/v1/listeners",
      tag: "Webhooks",
      needs: "routines:read",
      id: "listListeners",
      summary: "List the sources that webhook triggers can have",
      answer: { status: 200, schema: listeners },
    },
    async ({ c }) =>
      success({
        data: webhookSources.map((source) => {
          const { title, secretFrom, fields, setUp } = LISTENERS[source];
          const url = endpointUrl(source, "TRIGGER_ID", baseUrl(c));
          return { source, title, secret_from: secretFrom, fields: [...fields], set_up: [...setUp(url)] };
        }),
        next_cursor: null,
      }),
  );
  endpoint(
    app,
    {
      method: "get",
      path: "/api/v1/github/repositories",
      tag: "Webhooks",
      needs: "routines:read",
      id: "listGithubRepositories",
      summary: "List the repositories that the GitHub App was given, by name",
      query: z.object({ cursor: z.string().max(300).optional() }),
      answer: { status: 200, schema: repositories },
    },
    async ({ c, query }) => {
      const data = await c.var.deps.githubApp.list(REPOSITORIES_SHOWN, query.cursor ?? null);
      const last = data.length === REPOSITORIES_SHOWN ? data.at(-1) : undefined;
      const { webOrigin } = c.var.deps.config.github;
      return success({
        data: data.map((one) => ({ ...one, url: `${webOrigin}/${one.full_name}` })),
        next_cursor: last?.full_name ?? null,
      });
    },
  );
}
