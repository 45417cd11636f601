/** Environments: making, listing, reading, changing and archiving them. */
import { z } from "zod";
import type { Actor } from "#protocol/actor.ts";
import { pageSchema } from "#protocol/api.ts";
import {
  archivedEnvironmentSchema,
  DEFAULT_ENVIRONMENT,
  DEFAULT_ENVIRONMENT_ID,
  ENVIRONMENT_LIMIT,
  type Environment,
  type EnvironmentPatch,
  environmentInputSchema,
  environmentPatchSchema,
  environmentSchema,
} from "#protocol/environment.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { drawOwnerKey, environmentIdSchema, IdMaker } from "#protocol/ids.ts";
import { timestamp } from "#protocol/time.ts";
import { actorOf } from "../auth/authenticate.ts";
import type { Deps } from "../deps.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { pageQuery, toPageRequest } from "./inputs.ts";

const environmentPage = pageSchema(environmentSchema).meta({ id: "EnvironmentPage" });
const many = { path: "/api/v1/environments", tag: "Environments", needs: "environments:write" } as const;
/** In the path: an id or a name. */
const key = z
  .string()
  .regex(/^(?:env_[0-9A-HJKMNP-TV-Z]{26}|[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?)$/, "is no id or name");
const one = { ...many, path: "/api/v1/environments/{id}", params: z.object({ id: key }) } as const;
/** So many routines are named. */
const NAMED = { in_use: 10, archived: 100 } as const;
/** A change that others come before is made again on what they have left, so often. */
const TRIES = 5;

export function mountEnvironments(app: App): void {
  mountCollection(app);
  mountOne(app);
}

function mountCollection(app: App): void {
  endpoint(
    app,
    {
      ...many,
      method: "get",
      needs: "environments:read",
      id: "listEnvironments",
      summary: "List environments",
      description: "`default` comes first, then the newest; archived ones are among them.",
      query: pageQuery(environmentIdSchema),
      answer: { status: 200, schema: environmentPage },
    },
    async ({ c, query }) => {
      const { environments } = c.var.deps;
      const page = await environments.list(toPageRequest(query));
      const first = query.cursor === undefined ? await environments.find(DEFAULT_ENVIRONMENT_ID) : null;
      return success({ ...page, data: first === null ? page.data : [first, ...page.data] });
    },
  );
  endpoint(
    app,
    {
      ...many,
      method: "post",
      id: "createEnvironment",
      refuses: ["environment_exists", "environment_refused"],
      summary: "Make an environment",
      body: { schema: environmentInputSchema, optional: false },
      answer: { status: 201, schema: environmentSchema },
    },
    async ({ c, principal, body }) => {
      if (principal === null) return refuse("authentication_required");
      if (body.name === DEFAULT_ENVIRONMENT) return refuse("environment_exists", { field: "name" });
      const nowMs = Date.now();
      const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes);
      const id = new IdMaker(drawOwnerKey(random), random).make("environment", nowMs);
      const [at, by] = [timestamp(nowMs), actorOf(principal)];
      const changes = { revision: 1, created_at: at, created_by: by, updated_at: at, updated_by: by };
      const environment: Environment = { ...body, id, status: "active", ...changes };
      const added = await c.var.deps.environments.add(environment);
      if (added === "taken") return refuse("environment_exists", { field: "name" });
      return added === "too_many" ? refuse("environment_refused", TOO_MANY) : success(environment);
    },
  );
}

function mountOne(app: App): void {
  endpoint(
    app,
    {
      ...one,
      method: "get",
      needs: "environments:read",
      id: "readEnvironment",
      summary: "Read an environment, by its id or its name",
      answer: { status: 200, schema: environmentSchema },
    },
    async ({ c, params: { id } }) => {
      const found = await c.var.deps.environments.find(id);
      return found === null ? refuse("not_found") : success(found);
    },
  );
  endpoint(
    app,
    {
      ...one,
      method: "patch",
      id: "changeEnvironment",
      refuses: ["environment_exists", "environment_in_use", "environment_refused", "revision_conflict"],
      summary: "Change an environment",
      description:
        "Only the keys that are given change; network and variables are replaced as a whole. Attempts that have begun keep what they had.",
      body: { schema: environmentPatchSchema, optional: false },
      answer: { status: 200, schema: environmentSchema },
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
      id: "archiveEnvironment",
      refuses: ["environment_refused", "revision_conflict"],
      summary: "Archive an environment",
      description: "It stays, to be read and to be brought back by `status: active`; no run gets it any more.",
      answer: { status: 200, schema: archivedEnvironmentSchema },
    },
    async ({ c, principal, params: { id } }) => {
      if (principal === null) return refuse("authentication_required");
      const { environments } = c.var.deps;
      const found = await environments.find(id);
      if (found === null) return refuse("not_found");
      const archived = await change(c.var.deps, found.id, { status: "archived" }, actorOf(principal));
      if (!archived.ok) return archived;
      const routines = await environments.routinesOf(found.name, NAMED.archived);
      return success({ ...archived.value, routines });
    },
  );
}

const TOO_MANY = {
  message: `This instance has ${ENVIRONMENT_LIMIT} environments in use, as many as it can.`,
  hint: "Archive one that no routine names: GET /api/v1/environments lists them.",
};

/** Changes it as it is now: a change that comes meanwhile is kept, unless the caller has named the revision. */
async function change(deps: Deps, id: string, patch: EnvironmentPatch, actor: Actor): Promise<Result<Environment>> {
  const { if_revision, ...given } = patch;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const before = await deps.environments.find(id);
    if (before === null) return refuse("not_found");
    if (if_revision !== undefined && if_revision !== before.revision) return staleRefusal();
    if (given.status === "archived" && before.status === "archived" && Object.keys(given).length === 1) {
      return success(before);
    }
    const after = changed(before, given, actor);
    if (before.id === DEFAULT_ENVIRONMENT_ID && (after.name !== before.name || after.status !== before.status)) {
      return refuse("environment_refused", { field: after.name === before.name ? "status" : "name" });
    }
    const saved = await deps.environments.save(before, after);
    if (saved === "saved") return success(after);
    if (saved === "taken") return refuse("environment_exists", { field: "name" });
    if (saved === "too_many") return refuse("environment_refused", TOO_MANY);
    if (saved === "in_use") return inUse(deps, before.name);
  }
  return staleRefusal();
}

function changed(before: Environment, given: Omit<EnvironmentPatch, "if_revision">, actor: Actor): Environment {
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const stamp = { updated_at: timestamp(Date.now()), updated_by: actor };
  return { ...before, ...set, revision: before.revision + 1, ...stamp };
}

function staleRefusal(): Result<never> {
  return refuse("revision_conflict", {
    field: "if_revision",
    message: "The environment has changed since the revision that you named.",
    hint: "Read the environment again and repeat the change on its newest revision.",
  });
}

async function inUse(deps: Deps, name: string): Promise<Result<never>> {
  const ids = await deps.environments.routinesOf(name, NAMED.in_use);
  const issues = ids.map((field) => ({ field, message: `names the environment ${name}` }));
  return refuse("environment_in_use", { field: "name", issues });
}
