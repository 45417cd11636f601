/** A secret from its setting to its uses: encrypted at rest, shown to nobody, given to those alone who may have it. */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { requireConfig } from "#instance/config.ts";
import { KeyRing } from "#instance/key-ring.ts";
import { secretsOfRuns } from "#instance/secrets/assemble.ts";
import { placeOfSecret } from "#instance/secrets/kept-secrets.ts";
import type { Page } from "#protocol/api.ts";
import type { EncryptAnewStep } from "#protocol/encrypt-anew.ts";
import { DEFAULT_ENVIRONMENT_ID } from "#protocol/environment.ts";
import type { Secret, SecretUse } from "#protocol/secret.ts";
import { call } from "#test/support/api.ts";
import { listen } from "#test/support/log-lines.ts";
import { depsOf } from "#worker/deps.ts";

const VALUE = "canary-of-the-secrets-journey";
const ROUTINE = "rtn_00000000000000000000000001";
const ENVIRONMENT = DEFAULT_ENVIRONMENT_ID;
const RUN = "run_00000000000000000000000001";
const runs = secretsOfRuns(env.DB, requireConfig(env));
const use = (attempt = 1) => ({ routineId: ROUTINE, environmentId: ENVIRONMENT, runId: RUN, attempt });
let made = 0;

afterEach(() => void vi.restoreAllMocks());

async function put(body: unknown, name = `SECRET_${++made}`) {
  const { status, body: secret } = await call<Secret>("PUT", `/api/v1/secrets/${name}`, body);
  expect({ status, secret }).toMatchObject({ status: 200 });
  return { name, secret, path: `/api/v1/secrets/${name}`, variables: { TOKEN: `Bearer {{${name}}}` } };
}

const sealedIn = (name: string) =>
  env.DB.prepare("SELECT sealed FROM secrets WHERE name = ?1").bind(name).first("sealed");

describe("a secret", () => {
  it("is kept encrypted, shown without its value, and gone when it is deleted", async () => {
    const log = listen();
    const { name, secret, path } = await put({ value: VALUE, scope: { routines: [ROUTINE] } });
    const owner = { kind: "owner", id: null, name: "owner" };
    const scope = { routines: [ROUTINE] };
    expect(secret).toMatchObject({ name, from: null, scope, created_by: owner, updated_by: owner, last_used_at: null });
    const list = await call<Page<Secret>>("GET", "/api/v1/secrets");
    expect(list.body.data[0]).toEqual(secret);
    expect((await call("GET", path)).body).toEqual(secret);
    expect(String(await sealedIn(name))).toMatch(/^rk1\./);
    const { results } = await env.DB.prepare("SELECT * FROM secrets").all();
    expect(JSON.stringify([list.body, secret, results]) + log.text()).not.toContain(VALUE);
    expect((await call("DELETE", path)).status).toBe(204);
    for (const method of ["GET", "DELETE"]) expect((await call(method, path)).status).toBe(404);
    expect((await call("GET", `${path}/uses`)).status).toBe(404);
  });

  it("keeps its scope when it gets another value, until it is given another scope", async () => {
    const { name, secret } = await put({ value: VALUE, scope: { environments: [ENVIRONMENT] } });
    expect((await put({ value: "another-value" }, name)).secret).toMatchObject({
      scope: secret.scope,
      created_at: secret.created_at,
    });
    expect((await put({ value: "another-value", scope: {} }, name)).secret.scope).toEqual({});
  });

  it.each([
    ["scope", "scope", "no JSON"],
    ["scope", "scope", '{"routines":7}'],
    ["from", "source", '{"safe":{}}'],
    ["created_by", "created_by", "{"],
    ["updated_by", "updated_by", "null"],
  ])("is listed, with others, though its %s can't be read: %s is %j", async (field, column, text) => {
    listen();
    const [other, spoiled] = [await put({ value: VALUE }), await put({ value: VALUE })];
    const spoil = `UPDATE secrets SET ${column} = ?2 WHERE name = ?1`;
    await env.DB.prepare(spoil).bind(spoiled.name, text).run();
    const { status, body } = await call<Page<Secret>>("GET", "/api/v1/secrets?limit=2");
    expect(status).toBe(200);
    expect(body.data).toEqual([{ ...spoiled.secret, [field]: null, unreadable: [field] }, other.secret]);
    expect((await call("GET", spoiled.path)).body).toEqual(body.data[0]);
    // Set without a scope it keeps what can't be read; with one it is as any other.
    expect((await put({ value: VALUE }, spoiled.name)).secret.unreadable).toEqual(
      field === "scope" || field === "created_by" ? [field] : [],
    );
    const again = await put({ value: VALUE, scope: {} }, spoiled.name);
    expect(again.secret.unreadable).toEqual(field === "created_by" ? [field] : []);
    expect((await call("DELETE", spoiled.path)).status).toBe(204);
  });

  it("is listed page by page, the newest first", async () => {
    const [first, second] = [await put({ value: VALUE }), await put({ value: VALUE })];
    const page = await call<Page<Secret>>("GET", "/api/v1/secrets?limit=1");
    expect(page.body.data.map(({ name }) => name)).toEqual([second.name]);
    const next = await call<Page<Secret>>("GET", `/api/v1/secrets?limit=1&cursor=${page.body.next_cursor}`);
    expect(next.body.data.map(({ name }) => name)).toEqual([first.name]);
  });

  it.each([
    ["another type", { value: [VALUE] }],
    ["a key beside it", { value: VALUE, valeu: VALUE }],
    ["NUL in it", { value: `${VALUE}\0` }],
    ["too much", { value: VALUE.repeat(4_000) }],
    ["a wrong scope", { value: VALUE, scope: [VALUE] }],
    ["the value alone", VALUE],
    ["connectors", { value: VALUE, scope: { connectors: ["slack"] } }],
    ["a source and a value", { value: VALUE, from: { vault: { path: "a", key: "b" } } }],
  ])("is refused with %s, in words that do not quote it", async (_what, body) => {
    const log = listen();
    const answer = await call("PUT", "/api/v1/secrets/REFUSED", body);
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body) + log.text()).not.toContain(VALUE);
    expect((await call("GET", "/api/v1/secrets/REFUSED")).status).toBe(404);
  });

  it("is refused as what is no JSON without being quoted", async () => {
    const { body } = await call("PUT", "/api/v1/secrets/REFUSED", undefined, { "content-type": "application/json" });
    expect(body).toMatchObject({ error: { details: { code: "invalid_json" } } });
  });
});

describe("a run whose variables name a secret", () => {
  it("is given its value of this moment, and each attempt is noted once", async () => {
    const { name, path, variables } = await put({ value: VALUE });
    expect(await runs.check(variables, use())).toBeNull();
    expect((await call<Page<SecretUse>>("GET", `${path}/uses`)).body.data).toEqual([]);
    const filled = { ok: true, variables: { TOKEN: `Bearer ${VALUE}` }, secret_values: [VALUE] };
    expect(await runs.fill(variables, use())).toEqual(filled);
    expect(await runs.fill(variables, use())).toEqual(filled);
    await put({ value: "rotated-value" }, name);
    expect(await runs.fill(variables, use(2))).toMatchObject({ variables: { TOKEN: "Bearer rotated-value" } });
    const of = { routine_id: ROUTINE, run_id: RUN, environment_id: ENVIRONMENT, variables: ["TOKEN"] };
    const uses = await call<Page<SecretUse>>("GET", `${path}/uses`);
    expect(uses.body.data).toMatchObject([
      { ...of, attempt: 2 },
      { ...of, attempt: 1 },
    ]);
    expect((await call<Secret>("GET", path)).body.last_used_at).toBe(uses.body.data[0]?.at);
    // The record outlives the secret.
    await call("DELETE", path);
    expect((await call<Page<SecretUse>>("GET", `${path}/uses`)).body.data).toHaveLength(2);
  });

  it("is told by name which are missing, out of scope, or can't be decrypted, and nothing is noted", async () => {
    const good = await put({ value: VALUE });
    const foreign = await put({ value: VALUE, scope: { environments: [`env_${"1".repeat(26)}`] } });
    const lost = await put({ value: VALUE });
    const sealed = await new KeyRing(["a-key-that-is-not-in-force-any-more"]).seal(placeOfSecret(lost.name), VALUE);
    await env.DB.prepare("UPDATE secrets SET sealed = ?2 WHERE name = ?1").bind(lost.name, sealed).run();
    const log = listen();
    const of = (...names: string[]) => runs.fill({ V: names.map((name) => `{{${name}}}`).join() }, use());
    expect(await of(good.name, "NOT_THERE", "ALSO_NOT", foreign.name)).toEqual({
      ok: false,
      fault: {
        code: "secret_missing",
        detail: "ALSO_NOT: there is none of this name. NOT_THERE: there is none of this name.",
      },
    });
    expect(await of(foreign.name)).toMatchObject({ fault: { code: "secret_out_of_scope" } });
    expect(await of(lost.name)).toMatchObject({
      fault: { code: "secret_value_unreadable", detail: `${lost.name}: It can't be decrypted (key_unknown).` },
    });
    expect(log.troubles("secret_unreadable")).toEqual([{ kind: "secret", id: lost.name }]);
    expect((await call<Page<SecretUse>>("GET", `${good.path}/uses`)).body.data).toEqual([]);
    // Another's encrypted value in its row opens nothing.
    await env.DB.prepare("UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE name = ?2) WHERE name = ?1")
      .bind(foreign.name, good.name)
      .run();
    await put({ value: VALUE }, lost.name);
    await env.DB.prepare("UPDATE secrets SET scope = '{}' WHERE name = ?1").bind(foreign.name).run();
    expect(await of(foreign.name)).toMatchObject({ fault: { code: "secret_value_unreadable" } });
    await call("DELETE", foreign.path);
  });

  it("gets nothing where it can't be noted", async () => {
    const { variables } = await put({ value: VALUE });
    const log = listen();
    await env.DB.prepare("ALTER TABLE secret_uses RENAME TO secret_uses_away").run();
    const filled = await runs.fill(variables, use());
    await env.DB.prepare("ALTER TABLE secret_uses_away RENAME TO secret_uses").run();
    expect(filled).toMatchObject({ ok: false, fault: { code: "secret_source_unreachable" } });
    expect(log.troubles("secrets_not_asked")).toEqual([{}]);
    expect(log.text()).not.toContain(VALUE);
  });

  it("needs no database for variables without secrets", async () => {
    const away = secretsOfRuns({} as D1Database, requireConfig(env));
    expect(await away.check({ A: "b" }, use())).toBeNull();
    expect(await away.fill({ A: "b" }, use())).toEqual({ ok: true, variables: { A: "b" }, secret_values: [] });
  });
});

it("is encrypted anew with the present key, and named where no key decrypts it", async () => {
  const keys = requireConfig(env).signingKeys;
  const { name } = await put({ value: VALUE });
  const lost = await put({ value: VALUE });
  const keep = async (of: string, key: string) => {
    const sealed = await new KeyRing([key]).seal(placeOfSecret(of), VALUE);
    await env.DB.prepare("UPDATE secrets SET sealed = ?2 WHERE name = ?1").bind(of, sealed).run();
  };
  await keep(name, keys[1] ?? "");
  await keep(lost.name, "a-key-that-is-not-in-force-any-more");
  const step = () => call<EncryptAnewStep>("POST", "/api/v1/instance/secrets/encrypt-anew");
  expect((await step()).body).toMatchObject({ encrypted_anew: 1, unreadable_secrets: [lost.name] });
  expect((await step()).body).toMatchObject({ encrypted_anew: 0, unreadable_secrets: [lost.name] });
  const opened = await new KeyRing([keys[0]]).open(placeOfSecret(name), String(await sealedIn(name)));
  expect(opened).toEqual({ ok: true, text: VALUE, isStale: false });
});

it("has its uses forgotten after 90 days, and the oldest of too many", async () => {
  const { name, path, variables } = await put({ value: VALUE });
  for (const attempt of [1, 2, 3, 4]) await runs.fill(variables, use(attempt));
  const found = depsOf(env);
  if (!found.ok) throw new Error("misconfigured");
  const { secrets } = found.deps;
  const attempts = async () =>
    (await call<Page<SecretUse>>("GET", `${path}/uses`)).body.data.map(({ attempt }) => attempt);
  await env.DB.prepare("UPDATE secret_uses SET at = 5 WHERE name = ?1 AND attempt = 1").bind(name).run();
  expect(await secrets.forgetUses(5, 1_000)).toBe(false);
  expect(await attempts()).toEqual([4, 3, 2]);
  await secrets.forgetUses(5, 2);
  expect(await attempts()).toEqual([4, 3]);
});
