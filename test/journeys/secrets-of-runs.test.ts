/** What becomes of a run whose variables name secrets: given to its runner alone, or failed by name before there is one. */
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { KeyRing } from "#instance/key-ring.ts";
import { placeOfSecret } from "#instance/secrets/kept-secrets.ts";
import { SecretsOfRuns } from "#instance/secrets/secrets-of-runs.ts";
import type { Page } from "#protocol/api.ts";
import { RUNNER_CLOSE } from "#protocol/runner-link.ts";
import type { SecretUse } from "#protocol/secret.ts";
import { buildRoutine, call, fired, readRun, readTranscript } from "#test/support/api.ts";
import { FakeRunner, RUNNING } from "#test/support/fake-runner.ts";
import { answerLate, d1, fail, hang, method, pool, type Trouble } from "#test/support/hang.ts";

const VALUE = "canary-of-the-runs-secret";
const FIND = /FROM secrets WHERE name IN/;
let made = 0;

const put = (name: string, body: unknown) => call("PUT", `/api/v1/secrets/${name}`, body);
const remove = (name: string) => call("DELETE", `/api/v1/secrets/${name}`);
const usesOf = async (name: string) => (await call<Page<SecretUse>>("GET", `/api/v1/secrets/${name}/uses`)).body.data;

/** A routine of its own, whose variable names a secret of its own that there is. */
async function prepare() {
  made += 1;
  const name = `RUN_SECRET_${made}`;
  await put(name, { value: VALUE });
  const { id } = (await call<{ id: string }>("POST", "/api/v1/environments", { name: `secrets-${made}` })).body;
  const environment = `secrets-${made}`;
  const variables = { TOKEN: `Bearer {{${name}}}`, PLAIN: "text" };
  const routine = await buildRoutine({ environment, variables, retry: { max: 0 } });
  return { name, routine, environmentId: id };
}

const spoilRow = (name: string, column: "scope" | "source", text: string) =>
  env.DB.prepare(`UPDATE secrets SET ${column} = ?2 WHERE name = ?1`).bind(name, text).run();

async function ended(runId: string) {
  await vi.waitFor(async () => expect((await readRun(runId)).status).toBe("failed"));
  return await readRun(runId);
}

describe("a run that names a secret", () => {
  it("has its runner told the value of this moment, and nobody else; each attempt is noted once", async () => {
    const { name, routine, environmentId } = await prepare();
    using runner = await FakeRunner.join({ id: "reader" });
    const first = await fired(routine);
    const work = await runner.work(await runner.accept());
    const told = { variables: { TOKEN: `Bearer ${VALUE}`, PLAIN: "text" }, secret_values: [VALUE] };
    expect(work.order).toMatchObject({ environment: told });
    // The connection breaks before a frame: it is read again, and is the same use.
    await put(name, { value: `${VALUE}-rotated` });
    await work.connect();
    const again = work.link.messages.find(({ type }) => type === "welcome");
    expect(again).toMatchObject({ order: { environment: { secret_values: [`${VALUE}-rotated`] } } });
    await work.report(RUNNING);
    // It goes on with what it has, also when the secret is gone.
    await remove(name);
    await work.connect();
    await work.finish();
    expect(await readRun(first.run_id)).toMatchObject({ status: "succeeded" });
    const of = { routine_id: routine.id, run_id: first.run_id, environment_id: environmentId, variables: ["TOKEN"] };
    expect(await usesOf(name)).toEqual([{ ...of, attempt: 1, at: expect.any(String) }]);
    expect(JSON.stringify(await readTranscript(first.claude_code_session_id))).not.toContain(VALUE);
  });

  it.each<[string, (name: string) => Promise<unknown>, string]>([
    ["is not there", remove, "secret_missing"],
    [
      "is for another routine",
      (name) => put(name, { value: VALUE, scope: { routines: [`rtn_${"0".repeat(26)}`] } }),
      "secret_out_of_scope",
    ],
    [
      "is for another environment",
      (name) => put(name, { value: VALUE, scope: { environments: [`env_${"1".repeat(26)}`] } }),
      "secret_out_of_scope",
    ],
    [
      "no key decrypts",
      async (name) => {
        const sealed = await new KeyRing(["a-key-that-is-in-force-nowhere"]).seal(placeOfSecret(name), VALUE);
        await env.DB.prepare("UPDATE secrets SET sealed = ?2 WHERE name = ?1").bind(name, sealed).run();
      },
      "secret_value_unreadable",
    ],
    [
      "is in a store that the instance does not know",
      (name) =>
        env.DB.prepare("UPDATE secrets SET sealed = NULL, source = ?2 WHERE name = ?1")
          .bind(name, JSON.stringify({ aws: { secret_id: "acme" } }))
          .run(),
      "secret_source_refused",
    ],
    ["has a scope that can't be read", (name) => spoilRow(name, "scope", '{"routines":7}'), "secret_value_unreadable"],
    ["has a place that can't be read", (name) => spoilRow(name, "source", '{"safe":{}}'), "secret_value_unreadable"],
  ])("fails by name when that %s, and no runner is asked for", async (_what, spoil, code) => {
    const { name, routine } = await prepare();
    await spoil(name);
    using asked = answerLate(pool("request"));
    const { run_id } = await fired(routine);
    const run = await ended(run_id);
    expect(run).toMatchObject({ runner: null, environment: null, error: { code, phase: "provisioning" } });
    expect(run.error?.message).toContain(name);
    expect(asked.met).toBe(0);
    if (code !== "secret_missing") expect(await usesOf(name)).toEqual([]);
  });

  it("fails by name when the secret is deleted between the look and the runner's hello", async () => {
    const { name, routine } = await prepare();
    using runner = await FakeRunner.join({ id: "too-late" });
    const { run_id } = await fired(routine);
    const offer = await runner.accept();
    await remove(name);
    await expect(runner.work(offer)).rejects.toThrow(`closed with ${RUNNER_CLOSE.refused}`);
    expect((await ended(run_id)).error).toMatchObject({ code: "secret_missing", phase: "provisioning" });
  });

  it("asks for no runner while the database is silent, and does when it speaks again", async () => {
    const { routine } = await prepare();
    using runner = await FakeRunner.join({ id: "patient" });
    using asked = answerLate(pool("request"));
    using silent = hang(d1(FIND));
    const { run_id } = await fired(routine);
    await silent.untilMet();
    expect(await readRun(run_id)).toMatchObject({ status: "starting", environment: null });
    expect(asked.met).toBe(0);
    asked.end();
    silent.end();
    await runner.work(await runner.accept());
    await call("POST", `/api/v1/runs/${run_id}/cancel`);
  });

  it.each<[string, () => Trouble]>([
    ["looked up", () => fail(d1(FIND))],
    ["noted", () => fail(d1(/INSERT INTO secret_uses/))],
  ])("is given nothing when that can't be %s at the runner's hello", async (_what, begin) => {
    const { name, routine } = await prepare();
    using runner = await FakeRunner.join({ id: "without" });
    const { run_id } = await fired(routine);
    const offer = await runner.accept();
    using _away = begin();
    await expect(runner.work(offer)).rejects.toThrow(`closed with ${RUNNER_CLOSE.refused}`);
    expect((await ended(run_id)).error).toMatchObject({ code: "secret_source_unreachable" });
    expect(await usesOf(name)).toEqual([]);
  });

  it("has its attempt ended, and no runner dial for ever, when there is no answer in time at the hello", async () => {
    const { routine } = await prepare();
    using runner = await FakeRunner.join({ id: "not-in-time" });
    const { run_id } = await fired(routine);
    const offer = await runner.accept();
    // As when the time is over: an object's timers can't be set from here.
    using _late = fail(method(SecretsOfRuns.prototype, "fill"), "no answer in time");
    await expect(runner.work(offer)).rejects.toThrow(`closed with ${RUNNER_CLOSE.refused}`);
    expect((await ended(run_id)).error).toMatchObject({ code: "secret_source_unreachable", phase: "provisioning" });
  });
});
