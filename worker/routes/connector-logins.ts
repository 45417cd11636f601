/** Logins of connectors: begun and ended by people, and what authorization servers and their browsers ask the instance for. */
import { html } from "hono/html";
import { z } from "zod";
import { UNCHECKED } from "#protocol/connector.ts";
import { begunLoginSchema } from "#protocol/connector-oauth.ts";
import { refuse, success } from "#protocol/errors.ts";
import { logTrouble } from "#protocol/log.ts";
import { timestamp } from "#protocol/time.ts";
import { actorOf, authenticate } from "../auth/authenticate.ts";
import { checked } from "../connectors/checked.ts";
import { beginLogin, CALLBACK_PATH, clientMetadata, DOCUMENT_PATH } from "../connectors/oauth/begin-login.ts";
import { endLogin } from "../connectors/oauth/end-login.ts";
import { endpoint } from "../http/endpoint.ts";
import { type App, baseUrl, type HttpContext } from "../http/http-env.ts";
import { connectorKey } from "./connectors.ts";

const one = {
  path: "/api/v1/connectors/{id}/login",
  tag: "Connectors",
  needs: "connectors:write",
  params: z.object({ id: connectorKey }),
} as const;
const END_PATH = `${CALLBACK_PATH}/end`;
const NO_LOGIN = "Nobody is logged in.";

export function mountConnectorLogins(app: App): void {
  endpoint(
    app,
    {
      ...one,
      method: "post",
      id: "beginConnectorLogin",
      refuses: ["connector_login_refused"],
      summary: "Begin to log in to a connector",
      description:
        "A person opens authorization_url, in the browser that they are signed in with where a browser has asked for it. The login is that of whoever allows it there, for all runs that use the connector.",
      answer: { status: 201, schema: begunLoginSchema },
    },
    async ({ c, principal, params: { id } }) => {
      if (principal === null) return refuse("authentication_required");
      const { connectors, loginParts } = c.var.deps;
      const connector = await connectors.find(id);
      if (connector === null) return refuse("not_found");
      const asked = { baseUrl: baseUrl(c), madeBy: principal.id };
      return await beginLogin(loginParts, connector, asked, Date.now());
    },
  );
  endpoint(
    app,
    {
      ...one,
      method: "delete",
      id: "endConnectorLogin",
      summary: "Log out of a connector",
      description: "Its tokens are deleted here, and the authorization server is asked to revoke them, where it can.",
      answer: { status: 204 },
    },
    async ({ c, params: { id } }) => {
      const { connectors, loginParts } = c.var.deps;
      const connector = await connectors.find(id);
      if (connector === null) return refuse("not_found");
      if (connector.auth.type !== "oauth") return success(null);
      await loginParts.logins.remove(connector.id);
      endNow(c);
      const { tools, server } = connector;
      const seen = { status: "needs_login" as const, status_detail: NO_LOGIN, checked_at: timestamp(Date.now()) };
      await connectors.keepState(connector, { ...UNCHECKED, tools, server, ...seen });
      return success(null);
    },
  );
  app.get(DOCUMENT_PATH, (c) => {
    const base = baseUrl(c);
    return c.json({ client_id: `${base}${DOCUMENT_PATH}`, ...clientMetadata(base) });
  });
  // The sign-in's cookie does not come with what another site sends the browser to; it comes with what a page of ours does.
  app.get(CALLBACK_PATH, (c) => {
    const { search } = new URL(c.req.url);
    return page(c, { title: "Logging in", words: "The login is being ended.", next: `${END_PATH}${search}` });
  });
  app.get(END_PATH, ended);
}

/** No answer depends on it: the sweep takes up what comes of nothing. */
function endNow(c: HttpContext): void {
  const ended = c.var.deps.revokeOwed(Date.now());
  c.executionCtx.waitUntil(ended.catch((error: unknown) => logTrouble("sweep_failed", { part: "revocations" }, error)));
}

const broughtSchema = z.object({
  state: z.string().min(1).max(200),
  code: z.string().min(1).max(4_000).optional(),
  error: z.string().max(200).optional(),
  iss: z.string().max(2_000).optional(),
});

async function ended(c: HttpContext) {
  const caller = await authenticate(c);
  if (!caller.ok) return page(c, { title: "Not logged in", words: SIGN_IN, status: 401 });
  const brought = broughtSchema.safeParse(c.req.query());
  if (!brought.success) return page(c, { title: "Not logged in", words: NOT_BROUGHT, status: 400 });
  const { deps } = c.var;
  const { state, code, error, iss } = brought.data;
  const by = { actor: actorOf(caller.value), signIn: caller.value.id };
  const parts = { ...deps.loginParts, find: deps.connectors.find };
  const done = await endLogin(parts, { state, code, error, iss }, by);
  if (!done.ok) return page(c, { title: "Not logged in", words: done.detail, to: done.connector, status: 422 });
  const { id, name, status, status_detail } = await checked(deps, done.value);
  // Whoever has begun it in the pages comes back to where they were, and that page says how it stands.
  if (caller.value.kind === "web") return c.redirect(`${pageOf(id)}?login=done`, 303);
  const words =
    status === "ready"
      ? `The connector ${name} is logged in. This page can be closed.`
      : `The connector ${name} is logged in, but can't be used yet. ${status_detail ?? ""}`;
  return page(c, { title: "Logged in", words });
}

const SIGN_IN = "This browser is not signed in to Reveille. Sign in here, and begin the login of the connector again.";
const NOT_BROUGHT = "What the browser has brought is no answer of an authorization server's. Begin the login again.";

function pageOf(connectorId: string): string {
  return `/connectors/${connectorId}`;
}

interface Told {
  title: string;
  words: string;
  /** Where the browser is sent on to. */
  next?: string;
  /** The connector that it is about, where that is known. */
  to?: string | undefined;
  status?: 200 | 400 | 401 | 422;
}

/** A page without scripts or styles: it says one thing, or sends the browser on. */
function page(c: HttpContext, { title, words, next, to, status = 200 }: Told) {
  const refresh = next === undefined ? "" : html`<meta http-equiv="refresh" content="0; url=${next}" />`;
  const back =
    to === undefined ? html`<a href="/">To Reveille</a>` : html`<a href="${pageOf(to)}">Back to the connector</a>`;
  const more = next === undefined ? back : html`<a href="${next}">Go on</a>`;
  return c.html(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width" />
          <meta name="color-scheme" content="light dark" />
          <title>${title} · Reveille</title>
          ${refresh}
        </head>
        <body>
          <main>
            <h1>${title}</h1>
            <p>${words}</p>
            <p>${more}</p>
          </main>
        </body>
      </html>`,
    status,
  );
}
