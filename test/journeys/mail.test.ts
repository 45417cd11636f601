/** From what happens to a mailbox: once for each, again when somebody asks, and refused where the instance sends none. */
import { createExecutionContext, runDurableObjectAlarm, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { ErrorBody } from "#protocol/errors.ts";
import type { FailingDestination, Notification } from "#protocol/notification.ts";
import { buildRoutine, call, fired } from "#test/support/api.ts";
import { playRun } from "#test/support/chains.ts";
import { FakeRunner } from "#test/support/fake-runner.ts";
import { ownerOf } from "#test/support/objects.ts";
import type { Env } from "#worker/bindings.ts";
import worker from "#worker/index.ts";

interface Sent {
  key: string | null;
  mail: { from: string; to: string[]; subject: string; text: string; html: string };
}
let sent: Sent[] = [];
let status = 200;

beforeEach(() => {
  sent = [];
  status = 200;
  vi.mocked(globalThis.fetch).mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    if (request.url !== "https://api.resend.com/emails") throw new TypeError(`no such host: ${request.url}`);
    expect(request.headers.get("authorization")).toBe(`Bearer ${env.RESEND_API_KEY}`);
    sent.push({ key: request.headers.get("idempotency-key"), mail: await request.json() });
    return new Response("{}", { status });
  });
});
afterEach(() => void vi.useRealTimers());

const listed = async (routineId: string) =>
  (await call<Page<Notification>>("GET", `/api/v1/notifications?routine=${routineId}`)).body.data;
const untilListed = (routineId: string, expected: Partial<Notification>) =>
  vi.waitFor(async () => {
    const [one] = await listed(routineId);
    expect(one).toMatchObject(expected);
    return one as Notification;
  });

async function ended(to: string): Promise<{ id: string; runId: string }> {
  const routine = await buildRoutine({ notify: [{ on: ["succeeded"], email: to }] });
  using runner = await FakeRunner.join();
  const { run_id } = await fired(routine);
  await playRun(runner, run_id);
  return { id: routine.id, runId: run_id };
}

it("a run's end is told to a mailbox once, and again under another key when somebody asks for it", async () => {
  const { id, runId } = await ended("team@example.com");
  const one = await untilListed(id, {
    status: "sent",
    tries: 1,
    destination: { by: "email", address: "team@example.com" },
  });
  expect(one.run_id).toBe(runId);
  expect(sent).toMatchObject([{ key: one.id, mail: { from: env.EMAIL_FROM, to: ["team@example.com"] } }]);
  expect(sent[0]?.mail.subject).toMatch(/^A run of .* has succeeded$/);
  expect((await call("POST", `/api/v1/notifications/${one.id}/redeliver`)).status).toBe(200);
  await vi.waitFor(() => expect(sent).toHaveLength(2));
  expect(sent[1]).toEqual({ key: expect.stringMatching(new RegExp(`^${one.id}/.`)), mail: sent[0]?.mail });
});

it("is tried again under its key; what fails for the instance's own reasons counts against no address", async () => {
  status = 403;
  const { id } = await ended("later@example.com");
  const one = await untilListed(id, { status: "pending", tries: 1 });
  expect(one.error).toContain("RESEND_API_KEY");
  const failing = await call<{ data: FailingDestination[] }>("GET", "/api/v1/notifications/destinations");
  expect(failing.body.data.filter(({ by }) => by === "email")).toEqual([]);
  status = 422;
  await call("POST", `/api/v1/notifications/${one.id}/redeliver`);
  await untilListed(id, { status: "pending", error: "Answered 422." });
  const refused = await call<{ data: FailingDestination[] }>("GET", "/api/v1/notifications/destinations");
  expect(refused.body.data).toContainEqual(
    expect.objectContaining({ by: "email", address: "later@example.com", error: "Answered 422." }),
  );
  status = 200;
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_600_000 });
  await runDurableObjectAlarm(ownerOf(id));
  vi.useRealTimers();
  await untilListed(id, { status: "sent", error: null });
  expect(new Set(sent.map(({ key }) => key))).toEqual(new Set([one.id]));
});

it("a rule that names a mailbox is refused, by what to set, where the instance sends none", async () => {
  const asked = async (request: Request) => {
    const context = createExecutionContext();
    const without: Env = { ...env, EMAIL_FROM: "" };
    const answer = await worker.fetch(request as Parameters<typeof worker.fetch>[0], without, context);
    await waitOnExecutionContext(context);
    return answer;
  };
  const rule = { on: ["failed"], email: "team@example.com" };
  const draft = { name: "mailing", prompt: "Do it.", triggers: [{ type: "api" }], notify: [rule] };
  const refused = await call<ErrorBody>("POST", "/api/v1/routines", draft, {}, asked);
  expect([refused.status, refused.body.error.details?.field]).toEqual([400, "notify[0].email"]);
  expect(refused.body.error.message).toContain("EMAIL_FROM");
  const forAll = await call<ErrorBody>("PUT", "/api/v1/notifications/rules", { rules: [rule] }, {}, asked);
  expect([forAll.status, forAll.body.error.details?.field]).toEqual([400, "rules[0].email"]);
  const validated = await call<{ faults: object[] }>("POST", "/api/v1/routines/validate", draft, {}, asked);
  expect(validated.body.faults).toMatchObject([{ field: "notify[0].email" }]);
});
