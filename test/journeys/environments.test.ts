/** Environments: how they are made, changed and archived, and what of them an attempt gets. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import { ENVIRONMENT_LIMIT, type Environment } from "#protocol/environment.ts";
import type { ErrorBody } from "#protocol/errors.ts";
import type { OwnedId } from "#protocol/ids.ts";
import type { Routine } from "#protocol/routine.ts";
import { buildRoutine, call, fired, readRun, readTranscript } from "#test/support/api.ts";
import { FakeRunner } from "#test/support/fake-runner.ts";
import { listen } from "#test/support/log-lines.ts";
import { ownerOf } from "#test/support/objects.ts";

const ALL = "/api/v1/environments";
const OWNER = { kind: "owner", id: null, name: "owner" };
/** As many more as there can be. */
const FILL = `WITH RECURSIVE filled(n) AS (
    SELECT count(*) + 1 FROM environments WHERE status = 'active' UNION ALL SELECT n + 1 FROM filled WHERE n < ?1)
  INSERT INTO environments (id, name, status, revision, doc) SELECT 'filled-' || n, 'filled-' || n, 'active', 1, '{}' FROM filled`;
let made = 0;

async function make(input: Record<string, unknown> = {}): Promise<Environment & { path: string }> {
  made += 1;
  const { status, body } = await call<Environment>("POST", ALL, { name: `ci-${made}`, ...input });
  expect(status).toBe(201);
  return { ...body, path: `${ALL}/${body.id}` };
}

const codeOf = ({ status, body }: { status: number; body: ErrorBody }) => [status, body.error.details?.code];

describe("an environment", () => {
  it("is made, read by id and by name, listed after the default, and changed key by key", async () => {
    const first = await make({ variables: { LOG_LEVEL: "debug" } });
    const second = await make();
    expect(first).toMatchObject({
      ...{ status: "active", revision: 1, created_by: OWNER, updated_by: OWNER, setup: null, instance: null },
      ...{ network: { level: "trusted", allow: [] }, variables: { LOG_LEVEL: "debug" } },
    });
    const { path, ...shown } = first;
    expect((await call("GET", path)).body).toEqual(shown);
    expect((await call("GET", `${ALL}/${first.name}`)).body).toEqual(shown);

    const page = await call<Page<Environment>>("GET", `${ALL}?limit=1`);
    expect(page.body.data.map(({ name }) => name)).toEqual(["default", second.name]);
    const next = await call<Page<Environment>>("GET", `${ALL}?limit=1&cursor=${page.body.next_cursor}`);
    expect(next.body.data.map(({ name }) => name)).toEqual([first.name]);

    const change = { setup: "apt-get update", network: { level: "custom", allow: ["registry.acme.test"] } };
    const changed = await call<Environment>("PATCH", path, { ...change, if_revision: 1 });
    expect(changed).toMatchObject({ status: 200, body: { ...change, revision: 2, variables: { LOG_LEVEL: "debug" } } });
    expect(codeOf(await call("PATCH", path, { setup: null, if_revision: 1 }))).toEqual([409, "revision_conflict"]);
  });

  it("keeps both of two changes that come at once", async () => {
    const { path } = await make();
    const changes = [{ setup: "one" }, { instance: "lite" }, { variables: { A: "1" } }, { network: { level: "full" } }];
    const answers = await Promise.all(changes.map((change) => call("PATCH", path, change)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await call<Environment>("GET", path)).body).toMatchObject({
      ...{ revision: 5, setup: "one", instance: "lite", variables: { A: "1" }, network: { level: "full" } },
    });
    const named = [{ setup: "x" }, { setup: "y" }].map((change) => call("PATCH", path, { ...change, if_revision: 5 }));
    expect((await Promise.all(named)).map(({ status }) => status).toSorted()).toEqual([200, 409]);
  });

  it.each<[string, object, string[]]>([
    [
      "all that is wrong at once",
      { nmae: "x", variables: { PATH: "/bin" }, network: { level: "opne" } },
      ["network.level", "nmae", "variables.PATH"],
    ],
    ["a level that is not said", { network: { allow: ["a.test"] } }, ["network.level"]],
    ["nothing to change", {}, ["body"]],
  ])("refuses %s", async (_sentence, change, fields) => {
    const { body, status } = await call<ErrorBody>("PATCH", `${ALL}/default`, change);
    expect(status).toBe(400);
    const issues = body.error.details?.["issues"] as { field: string; message: string }[];
    expect(issues.map(({ field }) => field).toSorted()).toEqual(fields);
    if (fields.includes("nmae")) expect(JSON.stringify(issues)).toContain('did you mean \\"name\\"?');
  });

  it("has a name of its own among those in use, and keeps it while routines name it", async () => {
    const [one, two] = [await make(), await make()];
    expect(codeOf(await call("POST", ALL, { name: one.name }))).toEqual([409, "environment_exists"]);
    expect(codeOf(await call("PATCH", two.path, { name: one.name }))).toEqual([409, "environment_exists"]);
    expect(await call("PATCH", two.path, { name: `${two.name}-new` })).toMatchObject({ status: 200 });
    const { id } = await buildRoutine({ environment: one.name });
    const refused = await call<ErrorBody>("PATCH", one.path, { name: "other" });
    expect(codeOf(refused)).toEqual([409, "environment_in_use"]);
    expect(refused.body.error.details).toMatchObject({ issues: [{ field: id }] });
    await call("DELETE", `/api/v1/routines/${id}`);
    expect(await call("PATCH", one.path, { name: `${one.name}-new` })).toMatchObject({ status: 200 });
  });

  it("is archived with the names of its routines, and brought back unless its name is taken", async () => {
    const one = await make();
    const { id } = await buildRoutine({ environment: one.name });
    const archived = await call("DELETE", `${ALL}/${one.name}`);
    expect(archived).toMatchObject({ status: 200, body: { id: one.id, status: "archived", routines: [id] } });
    expect(await call("DELETE", one.path)).toMatchObject({ status: 200, body: { revision: 2, routines: [id] } });
    const another = await make({ name: one.name });
    expect((await call<Environment>("GET", `${ALL}/${one.name}`)).body.id).toBe(another.id);
    expect(codeOf(await call("PATCH", one.path, { status: "active" }))).toEqual([409, "environment_exists"]);
    await call("DELETE", another.path);
    expect(await call("PATCH", one.path, { status: "active" })).toMatchObject({ status: 200, body: { revision: 3 } });
  });

  it("is not brought back where there are as many in use as there can be, and can be changed there", async () => {
    const [used, archived] = [await make(), await make()];
    await call("DELETE", archived.path);
    const filled = await env.DB.prepare(FILL).bind(ENVIRONMENT_LIMIT).run();
    expect(filled.meta.changes).toBeGreaterThan(900);
    const refused = await call<ErrorBody>("PATCH", archived.path, { status: "active" });
    expect(codeOf(refused)).toEqual([409, "environment_refused"]);
    expect(refused.body.error.message).toContain(`${ENVIRONMENT_LIMIT} environments in use`);
    expect(codeOf(await call("POST", ALL, { name: "one-more" }))).toEqual([409, "environment_refused"]);
    expect((await call("PATCH", archived.path, { setup: "true" })).status).toBe(200);
    expect((await call("PATCH", used.path, { setup: "true" })).status).toBe(200);
    await call("DELETE", used.path);
    expect((await call("PATCH", archived.path, { status: "active" })).status).toBe(200);
    await env.DB.prepare("DELETE FROM environments WHERE id LIKE 'filled-%'").run();
  });
});

it("an environment whose row can't be read is left out of the list, named in the log, and fails its own runs alone", async () => {
  const [spoiled, other] = [await make(), await make()];
  const routine = await buildRoutine({ environment: spoiled.name, retry: { max: 0 } });
  await env.DB.prepare("UPDATE environments SET doc = ?2 WHERE id = ?1").bind(spoiled.id, '{"network":7}').run();
  const log = listen();
  const { status, body } = await call<Page<Environment>>("GET", `${ALL}?limit=2`);
  expect([status, body.data.map(({ name }) => name)]).toEqual([200, ["default", other.name]]);
  expect(log.text()).toContain(spoiled.id);
  for (const key of [spoiled.id, spoiled.name]) expect((await call("GET", `${ALL}/${key}`)).status).toBe(404);
  const { run_id } = await fired(routine);
  await vi.waitFor(async () => expect((await readRun(run_id)).status).toBe("failed"));
  const { error, runner } = await readRun(run_id);
  expect([runner, error]).toMatchObject([null, { code: "environment_unreadable", phase: "provisioning" }]);
  expect(error?.message).toContain(`"${spoiled.name}"`);
  await env.DB.prepare("DELETE FROM environments WHERE id = ?1").bind(spoiled.id).run();
  vi.restoreAllMocks();
});

describe("the environment default", () => {
  it("is always there, is changed by the first change, and is neither archived nor renamed", async () => {
    const read = () => call<Environment>("GET", `${ALL}/default`);
    const before = (await read()).body;
    expect(before).toMatchObject({ name: "default", revision: 0, created_at: null, network: { level: "trusted" } });
    expect(codeOf(await call("DELETE", `${ALL}/default`))).toEqual([409, "environment_refused"]);
    expect(codeOf(await call("PATCH", `${ALL}/${before.id}`, { name: "main" }))).toEqual([409, "environment_refused"]);
    expect(codeOf(await call("POST", ALL, { name: "default" }))).toEqual([409, "environment_exists"]);
    const change = { variables: { A: "1" }, if_revision: 0 };
    expect(await call("PATCH", `${ALL}/default`, change)).toMatchObject({ status: 200, body: { revision: 1 } });
    expect((await read()).body).toMatchObject({ id: before.id, created_at: null, variables: { A: "1" }, revision: 1 });
    expect((await call("PATCH", `${ALL}/default`, { variables: {} })).status).toBe(200);
    await env.DB.prepare("DELETE FROM environments WHERE name = 'default'").run();
  });
});

describe("a routine", () => {
  it("names an environment that there is, and is told the nearest", async () => {
    const { name } = await make();
    const wrong = { name: "x", prompt: "y", environment: `${name}0` };
    const refused = await call<ErrorBody>("POST", "/api/v1/routines", wrong);
    expect(refused).toMatchObject({ status: 400, body: { error: { details: { field: "environment" } } } });
    expect(refused.body.error.message).toContain(`did you mean "${name}`);
    const routine = await buildRoutine({ environment: name });
    const path = `/api/v1/routines/${routine.id}`;
    expect((await call("PATCH", path, { environment: "nowhere-at-all" })).status).toBe(400);
    await call("DELETE", `${ALL}/${name}`);
    // What is shown can be sent back, also when its environment has been archived.
    expect((await call("PATCH", path, { environment: name, prompt: "z" })).status).toBe(200);
    expect((await call<Routine>("GET", path)).body).toMatchObject({ environment: name, variables: {} });
  });

  it("has its attempts get what the environment is when each begins, and what it adds itself", async () => {
    const { name, path, id } = await make({ network: { level: "none" }, variables: { A: "one", B: "b" } });
    const additions = { variables: { A: "routine" }, network: { allow: ["a.test"] } };
    const routine = await buildRoutine({ environment: name, ...additions });
    const run = await fired(routine);
    await vi.waitFor(async () => expect((await readRun(run.run_id)).environment).toEqual({ id, name, revision: 1 }));
    const steps = (await readTranscript(run.claude_code_session_id)).filter(({ type }) => type === "run.step");
    const message = `Allocating a runner in the environment ${name} (revision 1): network custom and 1 host, 2 variables`;
    expect(steps[0]).toMatchObject({ phase: "provisioning", message });
    await call("PATCH", path, { instance: "lite", network: { level: "full" } });
    const sandboxFor = (runId: string, generation: number) =>
      runInDurableObject(ownerOf(runId), (object) =>
        object.sandboxFor(runId as OwnedId, { run_id: runId, generation }),
      );
    const network = { level: "custom", allow: ["a.test"] };
    expect(await sandboxFor(run.run_id, 1)).toEqual({ network, size: null });
    const next = await fired(routine);
    await vi.waitFor(async () => expect((await readRun(next.run_id)).environment?.revision).toBe(2));
    const then = { network: { level: "full", allow: ["a.test"] }, size: "lite" };
    expect(await sandboxFor(next.run_id, 1)).toEqual(then);
    await call("POST", `/api/v1/runs/${run.run_id}/cancel`);
    await vi.waitFor(async () => expect((await readRun(run.run_id)).status).toBe("canceled"));
    expect(await sandboxFor(run.run_id, 1)).toBeNull();
    await call("POST", `/api/v1/runs/${next.run_id}/cancel`);
  });

  it.each(["environment_archived", "environment_unknown"])("fails by %s before a runner is asked for", async (code) => {
    const { name, path } = await make();
    const routine = await buildRoutine({ environment: name });
    if (code === "environment_archived") await call("DELETE", path);
    else await env.DB.prepare("DELETE FROM environments WHERE name = ?").bind(name).run();
    const { run_id } = await fired(routine);
    await vi.waitFor(async () => expect((await readRun(run_id)).status).toBe("failed"));
    const run = await readRun(run_id);
    expect(run).toMatchObject({ runner: null, environment: null, error: { code, phase: "provisioning" } });
    expect(run.error?.message).toContain(`"${name}"`);
  });

  it.each(["environments", "secrets"])(
    "waits and says so while D1 gives no %s, and goes on when it does",
    async (table) => {
      await call("PUT", "/api/v1/secrets/AWAITED", { value: "canary-that-is-waited-for" });
      const { name } = await make({ variables: { TOKEN: "{{AWAITED}}" } });
      const routine = await buildRoutine({ environment: name, retry: { max: 0 } });
      using runner = await FakeRunner.join({ id: `after-the-wait-${table}` });
      await env.DB.exec(`ALTER TABLE ${table} RENAME TO ${table}_away`);
      const run = await fired(routine);
      const told = async () =>
        (await readTranscript(run.claude_code_session_id)).flatMap((event) =>
          event.type === "run.step" && event.message.includes("The run waits.") ? [event.message] : [],
        );
      await vi.waitFor(async () => expect(await told()).toHaveLength(1));
      const later = async (ms: number) => {
        vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
        await runDurableObjectAlarm(ownerOf(run.run_id));
        vi.useRealTimers();
      };
      await later(600_000);
      expect(await readRun(run.run_id)).toMatchObject({ status: "starting", environment: null });
      await env.DB.exec(`ALTER TABLE ${table}_away RENAME TO ${table}`);
      await later(1_200_000);
      expect((await runner.accept()).lease.run_id).toBe(run.run_id);
      expect(await told()).toHaveLength(1);
    },
  );
});
