/** A worker whose schema, bindings or secrets are not those that it needs says so, and loses nothing meanwhile. */
import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { realDeps } from "#test/support/clock.ts";
import { deliverGithub, readDelivery } from "#test/support/deliver.ts";
import { d1, hang } from "#test/support/hang.ts";
import { readinessFaults } from "#worker/health/readiness.ts";
import worker from "#worker/index.ts";
import { ask, errorOf } from "./support.ts";

const BINDINGS = ["DB", "ROUTINE", "POOL", "GATE", "ROSTER", "BUDGET", "CLOCK", "USAGE", "BODIES", "ASSETS"];

it("is ready, also beside a newer schema", async () => {
  await env.DB.prepare("INSERT INTO d1_migrations (name) VALUES ('9999_newer.sql')").run();
  const answer = await ask("/readyz", { token: null });
  expect([answer.status, await answer.json()]).toEqual([200, { ok: true, version: expect.any(String) }]);
});

it.each([...BINDINGS, "SIGNING_KEY"])("names %s when it is missing", async (name) => {
  const faulty = { ...env, [name]: undefined };
  const request = new Request("http://reveille.test/readyz") as Parameters<typeof worker.fetch>[0];
  const answer = await errorOf(await worker.fetch(request, faulty, createExecutionContext()));
  expect(answer).toMatchObject({ status: 503, type: "overloaded_error", details: { code: "not_ready" } });
  expect(answer.details?.issues?.map(({ field }) => field)).toContain(name);
});

it("answers when the database does not", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  using silent = hang(d1(/d1_migrations/));
  const asked = readinessFaults(env);
  await silent.untilMet();
  vi.advanceTimersByTime(2_000);
  expect(await asked).toEqual([{ field: "DB", message: expect.stringContaining("does not answer") }]);
  vi.useRealTimers();
});

it("names the migrations that are not applied, and their command; a webhook is kept meanwhile", async () => {
  await env.DB.prepare("DELETE FROM d1_migrations WHERE name LIKE '0001%'").run();
  const { status, details } = await errorOf(await ask("/readyz", { token: null }));
  expect(status).toBe(503);
  expect(details?.issues).toEqual([
    {
      field: "schema",
      message: expect.stringMatching(/^0001_triggers is not applied: npm run deploy, with the --name of this instance/),
    },
  ]);
  vi.spyOn(console, "error").mockImplementation(() => {});
  await env.DB.prepare("ALTER TABLE deliveries RENAME TO gone").run();
  expect((await ask("/api/v1/deliveries")).status).toBe(503);
  const kept = await deliverGithub({ event: "push", payload: {} });
  expect(kept.status).toBe(202);
  await env.DB.prepare("ALTER TABLE gone RENAME TO deliveries").run();
  await realDeps().deliveries.takeInPending();
  expect(await readDelivery(kept.deliveryId)).toMatchObject({ status: "stored", event: "push" });
});
