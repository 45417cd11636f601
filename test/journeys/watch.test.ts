/** Watches: what a connector gives is looked at again and again, and each item that differs wakes the routine once. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { ErrorBody } from "#protocol/errors.ts";
import type { Notification } from "#protocol/notification.ts";
import type { Routine } from "#protocol/routine.ts";
import type { WatchPreview, WatchState } from "#protocol/watch.ts";
import { buildRoutine, call } from "#test/support/api.ts";
import { countsOf, dueRowOf, occurrencesOf, passTo, tick, toldOf } from "#test/support/clock.ts";
import { FakeMcp, MCP_URL } from "#test/support/fake-mcp.ts";
import { ownerOf } from "#test/support/objects.ts";

interface Issue {
  id?: string;
  title: string;
  [more: string]: unknown;
}

let server = new FakeMcp();
let issues: Issue[] = [];
/** In place of the list. */
let answer: () => object | Promise<object> = listed;
let looks = 0;
let minute = 0;

function listed(): object {
  return { content: [{ type: "text", text: JSON.stringify({ issues }) }] };
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2031-11-23T09:00:00.000Z") });
  server = new FakeMcp();
  [issues, answer, looks, minute] = [[{ id: "A", title: "one" }], listed, 0, 0];
  server.instead = async (_request, { id, method }) => {
    if (method !== "tools/call") return null;
    looks += 1;
    return Response.json({ jsonrpc: "2.0", id, result: await answer() });
  };
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    const body = new Uint8Array(await request.arrayBuffer());
    const { method, url, headers } = request;
    return server.answer({ method, url, headers, body, text: new TextDecoder().decode(body) });
  });
  await call("POST", "/api/v1/connectors", { name: "linear", url: MCP_URL });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const WATCH = {
  type: "watch",
  connector: "linear",
  tool: "list_issues",
  arguments: { state: "triage" },
  items: "issues",
};

async function watching(more: object = {}, trigger: object = {}) {
  const routine = await buildRoutine({ connectors: ["linear"], triggers: [{ ...WATCH, ...trigger }], ...more });
  await until(routine.id, ({ looked_at }) => looked_at !== null);
  return routine;
}

async function stateOf(id: string): Promise<WatchState & { trigger: string }> {
  const { body } = await call<Routine>("GET", `/api/v1/routines/${id}`);
  const [trigger] = body.triggers;
  if (trigger?.look === undefined) throw new Error(JSON.stringify(body));
  return { ...trigger.look, trigger: trigger.id };
}

/** The alarm rings, as often as it takes. */
async function until(id: string, isSo: (state: WatchState) => boolean): Promise<void> {
  await runDurableObjectAlarm(ownerOf(id));
  await vi.waitFor(async () => expect(await stateOf(id)).toSatisfy(isSo), 20_000);
}

/** Within the minute: waiting moves the clock on. */
function isIn(at: string | null, time: string): boolean {
  return at?.slice(0, "2031-11-23T09:05".length) === time.slice(0, "2031-11-23T09:05".length);
}

/** Some minutes pass, and the watch looks. */
async function nextLook(id: string, minutes = 6): Promise<void> {
  minute += minutes;
  const at = new Date(Date.parse("2031-11-23T09:00:00.000Z") + minute * 60_000).toISOString();
  passTo(at);
  await until(id, ({ looked_at }) => isIn(looked_at, at));
}

/** The object is reset in the midst of its work, as at a deploy. */
async function restart(id: string): Promise<void> {
  const stopped = runInDurableObject(ownerOf(id), async (_object, state) => {
    await state.storage.sync();
    state.abort("Durable Object reset because its code was updated.");
  });
  await stopped.catch(() => undefined);
}

async function patch(id: string, change: object): Promise<void> {
  expect((await call("PATCH", `/api/v1/routines/${id}`, change)).status).toBe(200);
}

/** Lists in lists, as text: no serializer goes so deep. */
const DEEP = "deep";
const deep = (levels: number) => `${DEEP}${levels}`;
const textOf = (json: object) =>
  JSON.stringify(json).replace(
    /"deep(\d+)"/,
    (_whole, levels) => "[".repeat(Number(levels)) + "]".repeat(Number(levels)),
  );

const triggerPath = async (id: string) => `/api/v1/routines/${id}/triggers/${(await stateOf(id)).trigger}`;

describe("a watch", () => {
  it("takes its first look as a baseline, and wakes once for each item that is new or has changed", async () => {
    const routine = await watching();
    expect(server.messages.find(({ method }) => method === "tools/call")?.params).toMatchObject({
      name: "list_issues",
      arguments: { state: "triage" },
    });
    expect(await stateOf(routine.id)).toMatchObject({ items: 1, failures: 0, fault: null });
    expect(await occurrencesOf(routine.id)).toEqual([]);

    // Another order, of items and of properties, and a repeat: nothing of it is a change.
    issues = [
      { title: "one", id: "A" },
      { id: "A", title: "one" },
    ];
    await nextLook(routine.id);
    expect(await occurrencesOf(routine.id)).toEqual([]);

    issues = [
      { id: "B", title: "two" },
      { id: "A", title: "one" },
    ];
    await nextLook(routine.id);
    // What changes twice between two looks counts once; what goes and comes back as it was is no change.
    issues = [{ id: "B", title: "three" }];
    issues = [{ id: "B", title: "four" }];
    await nextLook(routine.id);
    issues = [
      { id: "A", title: "one" },
      { id: "B", title: "two" },
    ];
    await nextLook(routine.id);
    expect(await toldOf(routine.id)).toEqual([
      "started admitted: linear: B is new",
      "started admitted: linear: B has changed",
      "started admitted: linear: B has changed",
    ]);
    const [first] = await occurrencesOf(routine.id);
    expect(first?.trigger).toMatchObject({ type: "watch", id: (await stateOf(routine.id)).trigger });
  });

  it("tells 1,000 changes one by one, over restarts, lost answers and an object that is asked twice", async () => {
    issues = Array.from({ length: 1_000 }, (_one, place) => ({ id: `I-${place}`, title: "as it was" }));
    const routine = await watching({ max_concurrent: 1 });
    issues = issues.toReversed().map(({ id = "" }) => ({ id, title: "changed" }));
    // The object is evicted while the server is asked: the look is made again, and what the first one brings is too late.
    const held = Promise.withResolvers<void>();
    let isHeld = true;
    answer = async () => {
      if (isHeld) await held.promise;
      return listed();
    };
    minute = 6;
    passTo("2031-11-23T09:06:00.000Z");
    const before = looks;
    await runDurableObjectAlarm(ownerOf(routine.id));
    await vi.waitFor(() => expect(looks).toBe(before + 1), 20_000);
    await restart(routine.id);
    isHeld = false;
    await until(routine.id, ({ looked_at }) => isIn(looked_at, "2031-11-23T09:06:00.000Z"));
    held.resolve();
    await runDurableObjectAlarm(ownerOf(routine.id));
    expect(looks).toBe(before + 2);
    const all = await occurrencesOf(routine.id);
    expect(new Set(all.map(({ trigger }) => trigger.summary)).size).toBe(1_000);
    expect(await countsOf(routine.id)).toEqual({ "started admitted": 1, "queued at_max_concurrent": 999 });
    await nextLook(routine.id);
    expect(await occurrencesOf(routine.id)).toHaveLength(1_000);
  });

  it.each<[string, (id: string) => Promise<unknown>, string[]]>([
    ["is reset", async (id) => call("POST", `${await triggerPath(id)}/reset`), []],
    ["sees something else", (id) => patch(id, { triggers: [{ ...WATCH, key: "title" }] }), []],
    [
      "is paused, and resumed when it is over",
      async (id) => {
        await call("POST", `/api/v1/routines/${id}/pause`);
        return async () => call("POST", `/api/v1/routines/${id}/resume`);
      },
      ["started admitted: linear: A has changed"],
    ],
  ])(
    "looks anew at once where it %s in the midst of a look, whose answer comes too late",
    async (_what, change, told) => {
      const routine = await watching({}, { every: "24h" });
      const held = Promise.withResolvers<void>();
      answer = async () => {
        await held.promise;
        return listed();
      };
      passTo("2031-11-24T09:00:30.000Z");
      const before = looks;
      await runDurableObjectAlarm(ownerOf(routine.id));
      await vi.waitFor(() => expect(looks).toBe(before + 1), 20_000);
      const after = await change(routine.id);
      await runDurableObjectAlarm(ownerOf(routine.id));
      answer = listed;
      issues = [{ id: "A", title: "changed" }];
      held.resolve();
      await vi.waitFor(async () => {
        const owed = await runInDurableObject(ownerOf(routine.id), (_object, { storage }) =>
          storage.sql
            .exec<{ tries: number }>("SELECT tries FROM outbox WHERE kind = 'look_at_watch' AND stamp = 1")
            .toArray(),
        );
        expect(owed).toEqual([]);
      }, 20_000);
      if (typeof after === "function") await after();
      await until(routine.id, ({ looked_at }) => isIn(looked_at, "2031-11-24T09:00:30.000Z"));
      expect(looks).toBe(before + 2);
      expect(await toldOf(routine.id)).toEqual(told);
    },
  );

  it("knows items again by whatever key, and sees all that changes where more comes than may wait", async () => {
    const odd = ["A\u0000B", "A\u0000C", "\ud800", "'; --", "__proto__", "k".repeat(300), "%_?1"];
    issues = odd.map((id) => ({ id, title: "one" }));
    const routine = await watching({ max_concurrent: 1 });
    expect((await stateOf(routine.id)).items).toBe(odd.length);
    await nextLook(routine.id);
    expect(await occurrencesOf(routine.id)).toEqual([]);
    const path = await triggerPath(routine.id);
    const preview = await call<WatchPreview>("POST", `${path}/preview`);
    expect(preview.body.would_wake).toBe(0);

    issues = Array.from({ length: 1_200 }, (_one, place) => ({ id: `I-${place}`, title: "new" }));
    await nextLook(routine.id);
    expect(await countsOf(routine.id)).toEqual({ "started admitted": 1, "queued at_max_concurrent": 999 });
    await patch(routine.id, { overlap: "queue_latest" });
    await nextLook(routine.id);
    expect(await countsOf(routine.id)).toEqual({
      "started admitted": 1,
      "queued at_max_concurrent": 999,
      "queued overlap_queue_latest": 200,
    });
  });

  it.each<[string, () => Response | object, RegExp]>([
    [
      "without an end",
      () => new Response(new ReadableStream({ pull: (sink) => sink.enqueue(new Uint8Array(65_536)) })),
      /answered with more than 4 MiB/,
    ],
    [
      "too deep",
      () => ({ content: [{ type: "text", text: `${"[".repeat(200_000)}${"]".repeat(200_000)}` }] }),
      /deeper than 100/,
    ],
    ["too deep, as structured content", () => ({ structuredContent: deep(20_000) }), /deeper than 100|can't be read/],
    [
      "with too many items",
      () => ({ content: [{ type: "text", text: JSON.stringify({ issues: Array(10_000).fill({}) }) }] }),
      /10000 items/,
    ],
  ])("says what is wrong with an answer %s", async (_what, given, words) => {
    const routine = await watching();
    const json = given();
    server.instead = async (_request, { id, method }) => {
      if (method !== "tools/call") return null;
      return json instanceof Response
        ? json
        : new Response(`{"jsonrpc": "2.0", "id": ${id}, "result": ${textOf(json)}}`, {
            headers: { "content-type": "application/json" },
          });
    };
    minute += 6;
    passTo("2031-11-23T09:06:00.000Z");
    await until(routine.id, ({ failures }) => failures === 1);
    expect((await stateOf(routine.id)).fault).toMatch(words);
  });

  it("says why it can't see, looks again later each time, tells it once, and loses nothing", async () => {
    const notify = [{ on: ["missed"], webhook: "https://hooks.acme.dev/watch" }];
    const routine = await watching({ notify });
    issues = [{ id: "A", title: "changed meanwhile" }];
    answer = () => ({ isError: true, content: [{ type: "text", text: "rate limited" }] });
    const failed = async (at: string, failures: number) => {
      passTo(at);
      await until(routine.id, (state) => state.failures === failures);
      return (await stateOf(routine.id)).next_look_at?.slice(11, 16);
    };
    expect(await failed("2031-11-23T09:05:30.000Z", 1)).toBe("09:06");
    expect((await stateOf(routine.id)).fault).toBe("The tool answers with an error: rate limited");
    answer = () => ({ content: [{ type: "text", text: '{"data": {"issues": []}}' }] });
    expect(await failed("2031-11-23T09:06:40.000Z", 2)).toBe("09:08");
    expect((await stateOf(routine.id)).fault).toBe('There is no "issues" in the answer. Its lists: data.issues.');
    server.instead = () => new Response(null, { status: 401 });
    expect(await failed("2031-11-23T09:08:50.000Z", 3)).toBe("09:12");
    expect((await stateOf(routine.id)).fault).toMatch(/^The server wants a credential: it answered 401/);
    await vi.waitFor(async () => {
      const { body } = await call<Page<Notification>>("GET", `/api/v1/notifications?routine=${routine.id}`);
      expect(body.data.map(({ kind }) => kind)).toEqual(["missed"]);
    }, 20_000);
    expect(await occurrencesOf(routine.id)).toEqual([]);

    server.instead = async (_request, { id, method }) =>
      method === "tools/call" ? Response.json({ jsonrpc: "2.0", id, result: listed() }) : null;
    minute = 10;
    await nextLook(routine.id);
    expect(await stateOf(routine.id)).toMatchObject({ failures: 0, fault: null });
    expect(await toldOf(routine.id)).toEqual(["started admitted: linear: A has changed"]);
  });

  it("does not look while the routine is paused, and then compares with what it knew", async () => {
    const routine = await watching();
    await call("POST", `/api/v1/routines/${routine.id}/pause`);
    expect((await stateOf(routine.id)).next_look_at).toBeNull();
    issues = [
      { id: "A", title: "changed" },
      { id: "B", title: "new" },
    ];
    const before = looks;
    minute = 30;
    passTo("2031-11-23T09:30:00.000Z");
    await runDurableObjectAlarm(ownerOf(routine.id));
    expect(looks).toBe(before);
    await call("POST", `/api/v1/routines/${routine.id}/resume`);
    await until(routine.id, ({ looked_at }) => isIn(looked_at, "2031-11-23T09:30:00.000Z"));
    expect(looks).toBe(before + 1);
    expect((await toldOf(routine.id)).toSorted()).toEqual([
      "started admitted: linear: A has changed",
      "started admitted: linear: B is new",
    ]);
  });

  it("shows what it would do, and begins anew when it is reset or sees something else", async () => {
    const routine = await watching();
    issues = [
      { id: "A", title: "one" },
      { id: "B", title: "two" },
    ];
    const path = await triggerPath(routine.id);
    const preview = await call<WatchPreview>("POST", `${path}/preview`);
    expect(preview).toMatchObject({ status: 200, body: { fault: null, has_baseline: true, count: 2, would_wake: 1 } });
    expect(preview.body.items.map(({ key, change }) => [key, change])).toEqual([
      ["B", "new"],
      ["A", "same"],
    ]);
    expect((await call("POST", `${path}/reset`)).status).toBe(204);
    await until(routine.id, ({ looked_at, items }) => looked_at !== null && items === 2);
    issues = [{ id: "C", title: "three" }];
    const changed = await call<Routine>("PATCH", `/api/v1/routines/${routine.id}`, {
      triggers: [{ ...WATCH, key: "title" }],
    });
    expect(changed.body.triggers[0]?.id).toBe(path.split("/").at(-1));
    await until(routine.id, ({ looked_at, items }) => looked_at !== null && items === 1);
    expect(await occurrencesOf(routine.id)).toEqual([]);
    expect((await call("POST", `/api/v1/routines/${routine.id}/triggers/trg_${"0".repeat(26)}/preview`)).status).toBe(
      404,
    );
    server.instead = () => new Response(null, { status: 503 });
    const away = await call<WatchPreview>("POST", `${path}/preview`);
    expect(away.body).toMatchObject({ fault: expect.stringContaining("503"), count: 0, items: [] });
  });

  it("keeps time by the sweep too, should the object's alarm be lost", async () => {
    const routine = await watching();
    expect(await dueRowOf(routine.id)).toBe("2031-11-23T09:15:00.000Z");
    await tick("2031-11-23T09:15:00.000Z");
    expect(await dueRowOf(routine.id)).toBe("2031-11-23T09:30:00.000Z");
  });

  it("puts all that happens to an item into one session, where the routine says so", async () => {
    const routine = await watching({ session: "keyed", session_key: "{{watch.key}}" });
    issues = [{ id: "A", title: "two" }];
    await nextLook(routine.id);
    expect((await occurrencesOf(routine.id)).map(({ session_key }) => session_key)).toEqual(["A"]);
  });

  it.each<[string, object, object, string]>([
    ["without a tool and a resource", { tool: undefined, arguments: undefined }, {}, "triggers[0]"],
    ["with both", { resource: "file:///a" }, {}, "triggers[0]"],
    ["of a connector that the routine does not have", { connector: "other" }, {}, "triggers[0].connector"],
    ["more often than each minute", { every: "30s" }, {}, "triggers[0].every"],
  ])("is refused %s", async (_what, trigger, more, field) => {
    const input = { name: "w", prompt: "p", connectors: ["linear"], triggers: [{ ...WATCH, ...trigger }], ...more };
    const { status, body } = await call<ErrorBody>("POST", "/api/v1/routines", input);
    expect([status, body.error.details?.issues?.map((issue) => issue.field)]).toEqual([400, [field]]);
  });
});
