/** Events of the owner's own: handled at once, told once, and never lost; and what triggers would make of an event. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { Delivery } from "#protocol/delivery.ts";
import type { Occurrence } from "#protocol/occurrence.ts";
import { buildRoutine, call, readRun, readTranscript } from "#test/support/api.ts";
import { deliverGithub, pullRequest, readDelivery, someRepository } from "#test/support/deliver.ts";
import { ownerOf } from "#test/support/objects.ts";
import { depsOf } from "#worker/deps.ts";

let names = 0;

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function waitingFor(more: object = {}) {
  names += 1;
  const name = `file.changed ${names}`;
  return { name, routine: await buildRoutine({ triggers: [{ type: "event", name, ...more }] }) };
}

/** A number as it is to be sent. */
function asWritten(number: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(number);
}

function tell(event: object) {
  return call<Delivery>("POST", "/api/v1/events", event);
}

async function outcomes(id: string): Promise<string[]> {
  const { body } = await call<Page<Occurrence>>("GET", `/api/v1/routines/${id}/occurrences`);
  return body.data.map(({ outcome, reason }) => `${outcome}: ${reason}`).toReversed();
}

async function sweep(): Promise<void> {
  const made = depsOf(env);
  if (!made.ok) return expect.unreachable();
  await made.deps.inbox.sweep(Date.now());
}

describe("an internal event", () => {
  it("wakes who waits for its name, with its payload as untrusted context", async () => {
    const { name, routine } = await waitingFor({
      filters: [{ field: "path", operator: "starts_with", value: "docs/" }],
    });
    const told = await tell({ name, payload: { path: "docs/a.md" } });
    expect(told).toMatchObject({ status: 200, body: { source: "event", status: "handled", event: name } });
    expect(told.body.outcomes).toMatchObject([{ routine_id: routine.id, outcome: "started" }]);
    const run = await readRun(told.body.outcomes[0]?.run_id ?? "");
    expect(run.trigger.delivery_id).toBe(told.body.id);
    const texts = (await readTranscript(run.session_id)).flatMap((event) =>
      event.type === "user.message" && event.source === "trigger" ? [event.text] : [],
    );
    expect(texts).toEqual([expect.stringContaining("docs/a.md")]);
    const other = await tell({ name, payload: { path: "src/a.ts" } });
    expect(other.body.outcomes).toMatchObject([
      { matched: false, outcome: null, why: expect.stringContaining("path") },
    ]);
    expect((await tell({ name: "nobody waits for this" })).body).toMatchObject({ status: "handled", outcomes: [] });
  });

  it.each([
    ["in an object", (id: unknown) => ({ payload: { build: { id } } }), "build.id"],
    ["in a list", (id: unknown) => ({ payload: { ids: [1, id] } }), "ids.1"],
  ])(
    "keeps the digits of a number %s, in filters, in what is told and in what is shown",
    async (_where, event, field) => {
      const digits = "7654321098765432101";
      const { name, routine } = await waitingFor({ filters: [{ field, operator: "equals", value: digits }] });
      const sent = { name, ...event(asWritten(digits)) };
      const told = await tell(sent);
      expect(told.body.outcomes).toMatchObject([{ routine_id: routine.id, outcome: "started" }]);
      const shown = await readDelivery(told.body.id);
      expect(shown.body).toBe(JSON.stringify(sent));
      const run = await readRun(told.body.outcomes[0]?.run_id ?? "");
      const texts = (await readTranscript(run.session_id)).flatMap((one) =>
        one.type === "user.message" ? [one.text] : [],
      );
      expect(texts.join()).toMatch(new RegExp(`[^"]${digits}[^"]`));
      const tried = { source: "event", event: name, ...event(asWritten(digits)) };
      const judged = await call<{ data: object[] }>("POST", `/api/v1/routines/${routine.id}/triggers/test`, tried);
      expect(judged.body.data).toMatchObject([{ matched: true }]);
    },
  );

  it("that is one long number keeps its digits too", async () => {
    const { name } = await waitingFor();
    const { body } = await tell({ name, payload: asWritten("7654321098765432101") });
    expect((await readDelivery(body.id)).body).toBe(`{"name":"${name}","payload":7654321098765432101}`);
  });

  it("is not written and read once more to be judged, where no number is long", async () => {
    const { name } = await waitingFor();
    const dedupe_key = crypto.randomUUID();
    const stringify = vi.spyOn(JSON, "stringify");
    const { status } = await tell({ name, dedupe_key, payload: { number: 7 } });
    expect(status).toBe(200);
    const written = stringify.mock.calls.filter(([value]) => value?.dedupe_key === dedupe_key && "payload" in value);
    // The test's own, which sends it.
    expect(written).toHaveLength(1);
  });

  it.each(["name", "dedupe_key"])("whose %s is a number is refused, however long that is", async (key) => {
    for (const number of ["7", "7654321098765432101"]) {
      const told = await tell({ name: "a", [key]: asWritten(number) });
      const message = expect.stringMatching(/number/);
      expect(told).toMatchObject({ status: 400, body: { error: { details: { field: key }, message } } });
    }
  });

  it.each([
    ["two blanks", "deploy  finished"],
    ["a blank that does not break", "deploy\u00a0finished"],
    ["a mark of direction", "\u05e0\u05e4\u05e8\u05e1\u200f! deploy"],
  ])("wakes who waits for a name with %s, which is shown as it was sent", async (_what, of) => {
    const name = `${of} ${crypto.randomUUID()}`;
    const routine = await buildRoutine({ triggers: [{ type: "event", name }] });
    const { body } = await tell({ name });
    expect(body).toMatchObject({ event: name, outcomes: [{ routine_id: routine.id, outcome: "started" }] });
  });

  it("wakes who waits for its name since a version that kept names as they are written", async () => {
    const name = `cafe\u0301.opened ${crypto.randomUUID()}`;
    const routine = await buildRoutine({ triggers: [{ type: "event", name }] });
    const kept = await env.DB.prepare("UPDATE subscriptions SET key = ?1 WHERE routine_id = ?2")
      .bind(`event:${name}`, routine.id)
      .run();
    expect(kept.meta.changes).toBe(1);
    expect((await tell({ name })).body.outcomes).toMatchObject([{ routine_id: routine.id, outcome: "started" }]);
  });

  it("is told once under one dedupe_key, also when it is told ten times at once", async () => {
    const { name, routine } = await waitingFor();
    const same = Array.from({ length: 10 }, () => tell({ name, dedupe_key: "k".repeat(255) }));
    const answers = await Promise.all(same);
    expect(answers.map(({ body }) => body.status).toSorted()).toEqual([...Array(9).fill("duplicate"), "handled"]);
    await tell({ name, dedupe_key: "another" });
    await tell({ name });
    await tell({ name });
    const started = (await outcomes(routine.id)).filter((one) => one.startsWith("started"));
    expect(started).toHaveLength(4);
  });

  it("happens again when it is replayed", async () => {
    const { name, routine } = await waitingFor();
    const { body } = await tell({ name, dedupe_key: "1" });
    expect(await call("POST", `/api/v1/deliveries/${body.id}/replay`)).toMatchObject({
      status: 200,
      body: { status: "handled" },
    });
    expect(await outcomes(routine.id)).toEqual(["started: admitted", "started: admitted"]);
    const again = () => call("POST", `/api/v1/deliveries/${body.id}/replay`, undefined, { "idempotency-key": "once" });
    expect((await Promise.all([again(), again()])).map(({ status }) => status)).toEqual([200, 200]);
    expect(await again()).toMatchObject({ status: 200, body: { status: "handled" } });
    const started = (await outcomes(routine.id)).filter((one) => one.startsWith("started"));
    expect(started).toHaveLength(3);
    expect((await call("POST", `/api/v1/deliveries/dlv_${"0".repeat(26)}/replay`)).status).toBe(404);
  });

  it("whose routine can't take it in is kept, and handled later", async () => {
    const { name, routine } = await waitingFor();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const break_ = "CREATE TRIGGER fault BEFORE INSERT ON occurrences BEGIN SELECT RAISE(ABORT, 'storage fault'); END";
    const sql = (statement: string) =>
      runInDurableObject(ownerOf(routine.id), (_object, state) => {
        state.storage.sql.exec(statement);
      });
    await sql(break_);
    const told = await tell({ name, payload: { n: 1 } });
    expect(told).toMatchObject({ status: 200, body: { status: "stored", note: expect.stringMatching(/tried again/) } });
    const replay = await call("POST", `/api/v1/deliveries/${told.body.id}/replay`);
    expect(replay).toMatchObject({ status: 503, body: { error: { details: { code: "delivery_not_handled" } } } });
    await sql("DROP TRIGGER fault");
    expect(await outcomes(routine.id)).toEqual([]);
    vi.setSystemTime(Date.now() + 600_000);
    await sweep();
    expect(await outcomes(routine.id)).toEqual(["started: admitted"]);
    expect((await readDelivery(told.body.id)).status).toBe("handled");
  });

  it("is refused when it is none", async () => {
    const wrong = [{}, { name: "" }, { name: "x".repeat(201) }, { name: "a", dedupe_key: "" }, { name: "a", extra: 1 }];
    for (const event of [...wrong, { name: "a", dedupe_key: "k".repeat(256) }]) {
      expect((await tell(event)).status).toBe(400);
    }
    const deep: unknown = JSON.parse(`${"[".repeat(500)}${"]".repeat(500)}`);
    expect((await tell({ name: "deep", payload: deep })).body).toMatchObject({
      status: "ignored",
      note: expect.stringMatching(/nested/),
    });
  });

  it("may hold half of a character, which comes back as a whole one", async () => {
    const { name } = await waitingFor({ filters: [{ field: "text", operator: "equals", value: "x" }] });
    const told = await tell({ name, payload: { text: "\ud83c" } });
    expect(told.body.outcomes).toMatchObject([{ matched: false }]);
    expect((await call("GET", `/api/v1/deliveries/${told.body.id}`)).status).toBe(200);
  });
});

describe("a test of triggers", () => {
  const test = (id: string, input: object) =>
    call<{ data: { matched: boolean; why: string }[] }>("POST", `/api/v1/routines/${id}/triggers/test`, input);

  it("tells for each kind of source what would follow, and nothing follows", async () => {
    const { name, routine } = await waitingFor();
    expect((await test(routine.id, { source: "event", event: name, payload: {} })).body.data).toMatchObject([
      { matched: true },
    ]);
    const webhook = await buildRoutine({
      triggers: [
        {
          type: "webhook",
          source: "linear",
          events: ["Issue"],
          filters: [{ field: "data.title", operator: "exists" }],
        },
      ],
    });
    const trigger_id = webhook.triggers[0]?.id;
    const linear = { source: "linear", trigger_id, headers: { "Linear-Delivery": "1" } };
    const issue = { type: "Issue", action: "create", data: { title: "A title" } };
    expect((await test(webhook.id, { ...linear, payload: issue })).body.data).toMatchObject([{ matched: true }]);
    const comment = await test(webhook.id, { ...linear, payload: { ...issue, type: "Comment" } });
    expect(comment.body.data).toMatchObject([{ matched: false, why: "The event is Comment, not Issue." }]);
    expect((await test(webhook.id, { ...linear, payload: {} })).status).toBe(400);
    expect([await outcomes(routine.id), await outcomes(webhook.id)]).toEqual([[], []]);
  });

  it("takes a stored delivery", async () => {
    const repository = someRepository();
    const { deliveryId } = await deliverGithub({ event: "pull_request", payload: pullRequest(repository) });
    const triggers = [{ type: "github", event: "pull_request", actions: ["closed"] }];
    const routine = await buildRoutine({ repositories: [{ url: repository.html_url }], triggers });
    const told = await test(routine.id, { delivery_id: deliveryId });
    expect(told.body.data).toMatchObject([{ matched: false, why: "The action is opened, not closed." }]);
  });

  it.each([
    ["no such delivery", { delivery_id: `dlv_${"0".repeat(26)}` }, 404],
    ["a webhook without its trigger", { source: "slack", payload: {} }, 400],
    ["GitHub without an event", { source: "github", payload: {} }, 400],
    ["a header's name that is none", { source: "event", event: "a", headers: { "a b": "c" }, payload: {} }, 400],
    ["a header with a line of its own", { source: "event", event: "a", headers: { a: "b\r\nc: d" }, payload: {} }, 400],
    ["a source that does not exist", { source: "nobody", payload: {} }, 400],
  ])("of %s is refused", async (_title, input, status) => {
    const { routine } = await waitingFor();
    expect((await test(routine.id, input)).status).toBe(status);
  });
});
