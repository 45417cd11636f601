/** When a routine was updated: what its owner has set moves that, and nothing that comes or is made beside it does. */
import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import type { Routine } from "#protocol/routine.ts";
import { buildRoutine, call, fire } from "#test/support/api.ts";
import { deliverGithub, post, someRepository } from "#test/support/deliver.ts";

const HOUR_MS = 3_600_000;

const SECRET = { secret: `secret_${"b".repeat(43)}` };

async function someRoutine() {
  const repository = someRepository(true);
  const routine = await buildRoutine({
    repositories: [{ url: `https://github.com/${repository.full_name}` }],
    triggers: [{ type: "github", event: "push" }, { type: "webhook", source: "notion" }, { type: "api" }],
  });
  const path = `/api/v1/routines/${routine.id}`;
  const webhook = routine.triggers.find(({ type }) => type === "webhook")?.id ?? "";
  return { routine, path, webhook, repository };
}

type Known = Awaited<ReturnType<typeof someRoutine>>;

const learn = async ({ repository, path }: Known) => {
  await deliverGithub({ event: "push", payload: { ref: "refs/heads/main", after: "2".repeat(40), repository } });
  const answer = await call<Routine>("GET", path);
  expect(answer.body.triggers.find(({ type }) => type === "github")).toMatchObject({ repository_ids: {} });
  return answer;
};
const handOver = ({ webhook }: Known) =>
  post(`/webhooks/notion/${webhook}`, JSON.stringify({ verification_token: `secret_${"a".repeat(43)}` }), {});

it.each<[string, (known: Known) => Promise<{ status: number }>, boolean]>([
  ["is renamed", ({ path }) => call("PATCH", path, { name: "other" }), true],
  ["is paused", ({ path }) => call("POST", `${path}/pause`), true],
  ["is resumed", ({ path }) => call("POST", `${path}/resume`), true],
  ["learns the number of its repository", learn, false],
  ["gets a new token", ({ path }) => call("POST", `${path}/token`), false],
  ["loses its token", ({ path }) => call("DELETE", `${path}/token`), false],
  ["gets a webhook's secret", ({ path, webhook }) => call("POST", `${path}/triggers/${webhook}/secret`, SECRET), false],
  ["loses a webhook's secret", ({ path, webhook }) => call("DELETE", `${path}/triggers/${webhook}/secret`), false],
  ["is brought a secret", handOver, false],
  ["is fired", ({ routine }) => fire(routine), false],
])("a routine that %s", async (_what, happen, isUpdate) => {
  const known = await someRoutine();
  const before = await call<Routine>("GET", known.path);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + HOUR_MS });
  const answer = await happen(known);
  const after = await call<Routine>("GET", known.path);
  vi.useRealTimers();
  expect(answer.status).toBeLessThan(300);
  expect(Date.parse(after.body.updated_at) - Date.parse(before.body.updated_at) >= HOUR_MS).toBe(isUpdate);
  const row = await env.DB.prepare("SELECT doc FROM routines WHERE id = ?")
    .bind(known.routine.id)
    .first<{ doc: string }>();
  expect(JSON.parse(row?.doc ?? "{}")).toMatchObject({ updated_at: after.body.updated_at });
});

it("a secret that was brought and is confirmed makes its routine no newer", async () => {
  const known = await someRoutine();
  await handOver(known);
  const at = `${known.path}/triggers/${known.webhook}/secret/handed-over`;
  const [brought] = (await call<{ data: { id: string }[] }>("GET", at)).body.data;
  const before = await call<Routine>("GET", known.path);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + HOUR_MS });
  expect((await call("POST", at, { id: brought?.id })).status).toBe(201);
  const after = await call<Routine>("GET", known.path);
  vi.useRealTimers();
  expect(after.body.updated_at).toBe(before.body.updated_at);
});
