/** Secrets that variables can name: set, listed without their values, deleted; and who used them. */
import { z } from "zod";
import { placeOfSecret } from "#instance/secrets/kept-secrets.ts";
import type { SecretStores } from "#instance/secrets/store-variables.ts";
import { actorSchema } from "#protocol/actor.ts";
import { pageSchema } from "#protocol/api.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { logTrouble } from "#protocol/log.ts";
import { nullable } from "#protocol/schema.ts";
import {
  SECRET_LIMIT,
  type Secret,
  type SecretSource,
  type SecretUse,
  secretInputSchema,
  secretNameSchema,
  secretSchema,
  secretScopeSchema,
  secretSourceSchema,
  secretUseSchema,
  type UnreadableField,
} from "#protocol/secret.ts";
import { timestamp } from "#protocol/time.ts";
import { actorOf } from "../auth/authenticate.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import type { SecretRow, SecretUseRow } from "../store/secrets.ts";
import { pageQuery, toPageRequest } from "./inputs.ts";

const secretPage = pageSchema(secretSchema).meta({ id: "SecretPage" });
const usePage = pageSchema(secretUseSchema).meta({ id: "SecretUsePage" });
const many = { path: "/api/v1/secrets", tag: "Secrets", needs: "instance:admin" } as const;
const one = { ...many, path: "/api/v1/secrets/{name}", params: z.object({ name: secretNameSchema }) } as const;
const cursor = z.string().regex(/^[0-9]{1,16}$/);

const TOO_MANY = {
  message: `This instance has ${SECRET_LIMIT} secrets, as many as it can.`,
  hint: "Delete one that no variable names: GET /api/v1/secrets lists them.",
};

export function mountSecrets(app: App): void {
  mountReads(app);
  mountWrites(app);
}

function mountReads(app: App): void {
  endpoint(
    app,
    {
      ...many,
      method: "get",
      id: "listSecrets",
      summary: "List secrets: names, scopes, who and when, last use; never values",
      query: pageQuery(cursor),
      answer: { status: 200, schema: secretPage },
    },
    async ({ c, query }) => {
      const page = await c.var.deps.secrets.list(toPageRequest(query));
      return success({ ...page, data: page.data.map(shown) });
    },
  );
  endpoint(
    app,
    {
      ...one,
      method: "get",
      id: "readSecret",
      summary: "Read a secret, without its value",
      answer: { status: 200, schema: secretSchema },
    },
    async ({ c, params: { name } }) => {
      const row = await c.var.deps.secrets.find(name);
      return row === null ? refuse("not_found") : success(shown(row));
    },
  );
  endpoint(
    app,
    {
      ...one,
      path: `${one.path}/uses`,
      method: "get",
      id: "listSecretUses",
      summary: "List which runs were given a secret",
      description: "One entry for each attempt of a run; kept for 90 days, also when the secret has been deleted.",
      query: pageQuery(cursor),
      answer: { status: 200, schema: usePage },
    },
    async ({ c, params: { name }, query }) => {
      const { secrets } = c.var.deps;
      const page = await secrets.uses(name, toPageRequest(query));
      const isKnown = page.data.length > 0 || (await secrets.find(name)) !== null;
      return isKnown ? success({ ...page, data: page.data.map(shownUse) }) : refuse("not_found");
    },
  );
}

function mountWrites(app: App): void {
  endpoint(
    app,
    {
      ...one,
      method: "put",
      id: "setSecret",
      refuses: ["secret_refused", "secret_source_not_configured"],
      summary: "Set a secret: a new one, or another value for one that there is",
      description:
        "The value is encrypted and shown to nobody again. Attempts of runs that begin from now on are given it; those that are on keep the one before.",
      body: { schema: secretInputSchema, optional: false },
      answer: { status: 200, schema: secretSchema },
    },
    async ({ c, principal, params: { name }, body: { value, from, scope } }): Promise<Result<Secret>> => {
      if (principal === null) return refuse("authentication_required");
      if (from !== undefined && !isKnown(c.var.deps.config.secretStores, from)) {
        return refuse("secret_source_not_configured", { field: "from" });
      }
      const { secrets, keyRing } = c.var.deps;
      const sealed = value === undefined ? null : await keyRing.seal(placeOfSecret(name), value);
      const given = { name, sealed, source: from ?? null, scope, actor: actorOf(principal) };
      const row = await secrets.keep(given, Date.now());
      return row === "too_many" ? refuse("secret_refused", TOO_MANY) : success(shown(row));
    },
  );
  endpoint(
    app,
    {
      ...one,
      method: "delete",
      id: "deleteSecret",
      summary: "Delete a secret",
      description: "Runs whose variables name it fail from then on, by name, before anything is started for them.",
      answer: { status: 204 },
    },
    async ({ c, params: { name } }) => ((await c.var.deps.secrets.remove(name)) ? success(null) : refuse("not_found")),
  );
}

function isKnown(stores: SecretStores, source: SecretSource): boolean {
  return "vault" in source ? stores.vault !== null : stores.aws !== null;
}

/** One whose row can't be read is listed too, and named in the log: nobody else's list breaks with it. */
function shown(row: SecretRow): Secret {
  const unreadable: UnreadableField[] = [];
  const read = <Value>(field: UnreadableField, schema: z.ZodType<Value>, text: string | null): Value | null => {
    try {
      return schema.parse(JSON.parse(text ?? "null"));
    } catch {
      unreadable.push(field);
      return null;
    }
  };
  const { name } = row;
  const fields = {
    from: read("from", nullable(secretSourceSchema), row.source),
    scope: read("scope", secretScopeSchema, row.scope),
    created_by: read("created_by", actorSchema, row.createdBy),
    updated_by: read("updated_by", actorSchema, row.updatedBy),
  };
  if (unreadable.length > 0) {
    logTrouble("secret_unreadable", { kind: "secret", id: name }, `its row has no ${unreadable.join(", ")}`);
  }
  return {
    name,
    ...fields,
    created_at: timestamp(row.createdAt),
    updated_at: timestamp(row.updatedAt),
    last_used_at: row.lastUsedAt === null ? null : timestamp(row.lastUsedAt),
    unreadable,
  };
}

function shownUse({ at, routineId, runId, attempt, environmentId, variables }: SecretUseRow): SecretUse {
  const of = { routine_id: routineId, run_id: runId, attempt, environment_id: environmentId };
  return { at: timestamp(at), ...of, variables };
}
