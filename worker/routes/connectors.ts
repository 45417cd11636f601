/** Connectors: made, changed, looked at and deleted by people. */
import { z } from "zod";
import type { Actor } from "#protocol/actor.ts";
import { pageSchema } from "#protocol/api.ts";
import {
  type Connector,
  type ConnectorPatch,
  connectorInputSchema,
  connectorPatchSchema,
  connectorSchema,
  UNCHECKED,
} from "#protocol/connector.ts";
import { type Refusal, type Result, refuse, success } from "#protocol/errors.ts";
import { connectorIdSchema, drawOwnerKey, IdMaker } from "#protocol/ids.ts";
import { outsideAddressFault } from "#protocol/outside-address.ts";
import { timestamp } from "#protocol/time.ts";
import { actorOf } from "../auth/authenticate.ts";
import { checked } from "../connectors/checked.ts";
import type { Deps } from "../deps.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { pageQuery, toPageRequest } from "./inputs.ts";

const connectorPage = pageSchema(connectorSchema).meta({ id: "ConnectorPage" });
const many = { path: "/api/v1/connectors", tag: "Connectors", needs: "connectors:write" } as const;
/** In the path: an id or a name. */
export const connectorKey = z
  .string()
  .regex(/^(?:con_[0-9A-HJKMNP-TV-Z]{26}|[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?)$/, "is no id or name");
const one = { ...many, path: "/api/v1/connectors/{id}", params: z.object({ id: connectorKey }) } as const;
/** So many routines are named. */
const NAMED = 10;
/** A change that others come before is made again on what they have left, so often. */
const TRIES = 5;

export function mountConnectors(app: App): void {
  mountReads(app);
  mountCreate(app);
  mountChanges(app);
}

function mountReads(app: App): void {
  endpoint(
    app,
    {
      ...many,
      method: "get",
      needs: "connectors:read",
      id: "listConnectors",
      summary: "List connectors",
      query: pageQuery(connectorIdSchema),
      answer: { status: 200, schema: connectorPage },
    },
    async ({ c, query }) => success(await c.var.deps.connectors.list(toPageRequest(query))),
  );
  endpoint(
    app,
    {
      ...one,
      method: "get",
      needs: "connectors:read",
      id: "readConnector",
      summary: "Read a connector, by its id or its name",
      answer: { status: 200, schema: connectorSchema },
    },
    async ({ c, params: { id } }) => found(await c.var.deps.connectors.find(id)),
  );
}

function mountCreate(app: App): void {
  endpoint(
    app,
    {
      ...many,
      method: "post",
      id: "createConnector",
      refuses: ["connector_exists", "too_many_connectors"],
      summary: "Make a connector, and look whether its server answers",
      description: "It is kept also where the server does not answer: `status` and `status_detail` tell.",
      body: { schema: connectorInputSchema, optional: false },
      answer: { status: 201, schema: connectorSchema },
    },
    async ({ c, principal, body }) => {
      if (principal === null) return refuse("authentication_required");
      const { deps } = c.var;
      const fault = addressRefusal(deps, body.url);
      if (fault !== null) return { ok: false, refusal: fault };
      const nowMs = Date.now();
      const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes);
      const id = new IdMaker(drawOwnerKey(random), random).make("connector", nowMs);
      const [at, by] = [timestamp(nowMs), actorOf(principal)];
      const stamps = { revision: 1, created_at: at, created_by: by, updated_at: at, updated_by: by };
      const connector: Connector = { id, ...body, ...UNCHECKED, login: null, last_used_at: null, ...stamps };
      const added = await deps.connectors.add(connector);
      if (added === "taken") return refuse("connector_exists", { field: "name" });
      return added === "too_many" ? refuse("too_many_connectors") : success(await checked(deps, connector));
    },
  );
}

function mountChanges(app: App): void {
  endpoint(
    app,
    {
      ...one,
      method: "patch",
      id: "changeConnector",
      refuses: ["connector_exists", "connector_in_use", "revision_conflict"],
      summary: "Change a connector",
      description:
        "Only the keys that are given change; auth is replaced as a whole. With another address or credential, its server is looked at anew.",
      body: { schema: connectorPatchSchema, optional: false },
      answer: { status: 200, schema: connectorSchema },
    },
    async ({ c, principal, params: { id }, body }) => {
      if (principal === null) return refuse("authentication_required");
      return change(c.var.deps, id, body, actorOf(principal));
    },
  );
  endpoint(
    app,
    {
      ...one,
      method: "delete",
      id: "deleteConnector",
      refuses: ["connector_in_use"],
      summary: "Delete a connector that no routine names",
      answer: { status: 204 },
    },
    async ({ c, params: { id } }) => {
      const { deps } = c.var;
      const connector = await deps.connectors.find(id);
      if (connector === null) return refuse("not_found");
      const removed = await deps.connectors.remove(connector.id);
      if (removed === "in_use") return inUse(deps, connector.name);
      return removed === "missing" ? refuse("not_found") : success(null);
    },
  );
  endpoint(
    app,
    {
      ...one,
      path: `${one.path}/check`,
      method: "post",
      id: "checkConnector",
      summary: "Look whether a connector's server answers, and which tools it has",
      description: "Answers within 20 seconds, whatever the server does.",
      answer: { status: 200, schema: connectorSchema },
    },
    async ({ c, params: { id } }) => {
      const connector = await c.var.deps.connectors.find(id);
      return connector === null ? refuse("not_found") : success(await checked(c.var.deps, connector));
    },
  );
}

function found(connector: Connector | null): Result<Connector> {
  return connector === null ? refuse("not_found") : success(connector);
}

function addressRefusal({ outside }: Deps, url: string): Refusal | null {
  const fault = outsideAddressFault(URL.parse(url), outside.hasLoopback);
  if (fault === null) return null;
  const hint = "docs/connectors.md says which addresses can be called, and how a local instance opens its own.";
  return {
    code: "invalid_request",
    message: `url: ${fault}`,
    hint,
    field: "url",
    issues: [{ field: "url", message: fault }],
  };
}

/** Changes it as it is now: a change that comes meanwhile is kept, unless the caller has named the revision. */
async function change(deps: Deps, id: string, patch: ConnectorPatch, actor: Actor): Promise<Result<Connector>> {
  const { if_revision, ...given } = patch;
  const fault = given.url === undefined ? null : addressRefusal(deps, given.url);
  if (fault !== null) return { ok: false, refusal: fault };
  for (let tries = 0; tries < TRIES; tries += 1) {
    const before = await deps.connectors.find(id);
    if (before === null) return refuse("not_found");
    if (if_revision !== undefined && if_revision !== before.revision) return stale();
    const { after, isElsewhere } = changed(before, given, actor);
    const saved = await deps.connectors.save(before, after);
    if (saved === "saved") return success(isElsewhere ? await checked(deps, after) : after);
    if (saved === "taken") return refuse("connector_exists", { field: "name" });
    if (saved === "in_use") return inUse(deps, before.name);
  }
  return stale();
}

/** Of another server, or with another credential, nothing is known that was seen before. */
function changed(before: Connector, given: Omit<ConnectorPatch, "if_revision">, actor: Actor) {
  const { name = before.name, url = before.url, auth = before.auth } = given;
  const isElsewhere = url !== before.url || JSON.stringify(auth) !== JSON.stringify(before.auth);
  const stamp = { revision: before.revision + 1, updated_at: timestamp(Date.now()), updated_by: actor };
  const seen = isElsewhere ? { ...UNCHECKED, login: null } : {};
  return { after: { ...before, name, url, auth, ...seen, ...stamp }, isElsewhere };
}

function stale(): Result<never> {
  return refuse("revision_conflict", {
    field: "if_revision",
    message: "The connector has changed since the revision that you named.",
    hint: "Read the connector again and repeat the change on its newest revision.",
  });
}

async function inUse(deps: Deps, name: string): Promise<Result<never>> {
  const ids = await deps.connectors.routinesOf(name, NAMED);
  const issues = ids.map((field) => ({ field, message: `names the connector ${name}` }));
  return refuse("connector_in_use", { field: "name", issues });
}
