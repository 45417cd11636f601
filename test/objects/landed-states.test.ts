/** What every landed version has stored is this version's too: readable, in its lists, and it goes on from there. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { Routine } from "#protocol/routine.ts";
import { isSettled, type Run, runSchema } from "#protocol/run.ts";
import { call, fire, fired, readRun, readTranscript } from "#test/support/api.ts";
import { passTo, tick, toldOf } from "#test/support/clock.ts";
import { FakeRunner } from "#test/support/fake-runner.ts";
import { LANDED, openState } from "#test/support/landed-states.ts";
import { defaultPool, ownerOf } from "#test/support/objects.ts";

const later = (at: string, ms: number) => new Date(Date.parse(at) + ms).toISOString();
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const idsOf = (page: unknown) => (page as Page<{ id: string }>).data.map(({ id }) => id);

it("there is a state of each landing", () => {
  expect(LANDED.map(({ name }) => name)).toEqual([
    "0001-fired-routine",
    "0002-triggers",
    "0003-first-aid",
    "0004-sessions",
    "0005-connectors",
    "0006-gates",
    "0007-retention",
    "0008-routine-spares",
    "0009-shared-commits",
  ]);
});

describe.each(LANDED)("the state of $name", ({ name, shown }) => {
  const { routines, answers, transcripts } = shown;
  const watched = { id: routines["watched"]?.id ?? "", token: routines["watched"]?.token ?? "" };
  const busy = routines["busy"]?.id ?? "";
  // The instance has moved since.
  const told = (path: string): object =>
    JSON.parse(JSON.stringify(answers[path]).replaceAll(/http:..localhost:\d+/g, "http://reveille.test"));
  const toldOfKind = (kind: "routines" | "runs") =>
    Object.keys(answers).filter((path) => new RegExp(`^/api/v1/${kind}/[^/]+$`).test(path));
  beforeAll(async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse(later(shown.at, HOUR_MS)) });
    await openState(name);
  });

  afterAll(() => {
    vi.useRealTimers();
  });

  it("shows its routines as they were", async () => {
    const list = await call<Page<Routine>>("GET", "/api/v1/routines");
    expect(idsOf(list.body)).toEqual(idsOf(told("/api/v1/routines")));
    for (const path of toldOfKind("routines")) {
      expect((await call<Routine>("GET", path)).body, path).toMatchObject(told(path));
    }
    expect((await call("GET", `/api/v1/routines/${routines["deleted"]?.id}`)).status).toBe(404);
  });

  it("shows its runs as they were, one by one, in the routine's list, and in that of all", async () => {
    const all = await call<Page<Run>>("GET", "/api/v1/runs");
    expect(idsOf(all.body)).toEqual(expect.arrayContaining(idsOf(told("/api/v1/runs"))));
    expect(toldOfKind("runs").length).toBeGreaterThan(1);
    for (const path of toldOfKind("runs")) {
      const run = await call<Run>("GET", path);
      expect(runSchema.parse(run.body)).toMatchObject(told(path));
      const { prompt: _prompt, ...routine } = run.body.routine;
      const listed = { ...run.body, routine };
      expect(all.body.data.find(({ id }) => id === run.body.id)).toMatchObject(listed);
      const own = await call<Page<Run>>("GET", `/api/v1/routines/${run.body.routine_id}/runs`);
      expect(own.body.data.find(({ id }) => id === run.body.id)).toMatchObject(listed);
    }
  });

  it("has its transcripts, occurrences and deliveries", async () => {
    for (const [session, types] of Object.entries(transcripts)) {
      expect((await readTranscript(session)).map(({ type }) => type)).toEqual(types);
      expect((await call("GET", `/api/v1/sessions/${session}`)).status).toBe(200);
    }
    const paths = Object.keys(answers).filter((path) => /occurrences|deliveries|notes|connectors/.test(path));
    for (const path of paths) expect((await call("GET", path)).body, path).toMatchObject(told(path));
  });

  it("lets in whoever had a token, a key, a cookie or a webhook's secret", async () => {
    const again = await fire(watched, { text: "Go." }, { "idempotency-key": "deploy-7" });
    expect(again).toMatchObject({ status: 200, body: { duplicate: true } });
    expect((await fire({ ...watched, token: `${watched.token}0` })).status).toBe(401);
    const paused = { id: routines["paused"]?.id ?? "", token: routines["paused"]?.token ?? "" };
    expect(await fire(paused)).toMatchObject({ status: 400 });
    if (shown.webhook === null) return;
    const { path, secret } = shown.webhook;
    const headers = { authorization: `Bearer ${secret}`, "idempotency-key": "d-9" };
    expect((await call("POST", path, { type: "deploy.finished" }, headers)).status).toBe(202);
    const cookie = { authorization: "", cookie: shown.cookie };
    // A sign-in of before sign-ins were bound to the owner's token ends once.
    const isBound = name !== "0002-triggers";
    expect((await call("GET", "/api/v1/routines", undefined, cookie)).status).toBe(isBound ? 200 : 401);
  });

  it("runs what it is fired for", async () => {
    const { run_id: runId, claude_code_session_id: sessionId } = await fired(watched);
    await playOut(watched.id, shown.at);
    expect(await readRun(runId)).toMatchObject({ status: "succeeded", routine: { name: "Watched" } });
    expect((await readTranscript(sessionId)).at(-1)).toMatchObject({ type: "run.finished" });
  });

  it.skipIf(routines["connected"] === undefined)("has the routine that looks at a connector", async () => {
    const { status, body } = await call("GET", `/api/v1/routines/${routines["connected"]?.id}`);
    expect({ status, body }).toMatchObject({
      status: 200,
      body: {
        connectors: ["away"],
        session: "keyed",
        triggers: [{ type: "api" }, { type: "watch", connector: "away", look: { failures: expect.any(Number) } }],
      },
    });
  });

  it.skipIf(routines["gated"] === undefined)("decides what waited for a gate", async () => {
    const id = routines["gated"]?.id ?? "";
    const { body } = await call<Routine>("GET", `/api/v1/routines/${id}`);
    expect(body).toMatchObject({ gate: { connector: "away", when: "count > 0" }, gate_state: { waiting: 1 } });
    expect((await call("PATCH", `/api/v1/routines/${id}`, { revision: body.revision, gate: null })).status).toBe(200);
    await vi.waitFor(async () => {
      await runDurableObjectAlarm(ownerOf(id));
      expect(await toldOf(id)).toEqual(["started admitted: deploy.finished from outside"]);
    }, 5_000);
  });

  it.skipIf(followed(shown) === null)("goes on with a session that had ended", async () => {
    const { routineId, sessionId, count } = followed(shown) ?? { routineId: "", sessionId: "", count: 0 };
    const sent = await call("POST", `/api/v1/sessions/${sessionId}/messages`, { text: "And a third time." });
    expect(sent.status).toBe(200);
    await playOut(routineId, shown.at);
    const { body } = await call<Page<Run>>("GET", `/api/v1/routines/${routineId}/runs`);
    const runs = body.data.filter(({ session_id: id }) => id === sessionId);
    expect(runs.map(({ status }) => status)).toEqual(Array(count + 1).fill("succeeded"));
  });

  it("ends what was on and what waited when the instance ended", async () => {
    await playOut(busy, shown.at);
    const { body } = await call<Page<Run>>("GET", `/api/v1/routines/${busy}/runs`);
    expect(body.data.map(({ status }) => status).sort()).toEqual(["failed", "succeeded", "succeeded"]);
    // D1 is told a moment later.
    await vi.waitFor(async () => {
      const all = await call<Page<Run>>("GET", "/api/v1/runs");
      for (const run of body.data) expect(all.body.data.find(({ id }) => id === run.id)).toEqual(run);
    }, 5_000);
  });

  it.skipIf(shown.webhook === null)("fires its schedule when the time comes", async () => {
    await tick("2027-01-01T10:00:00Z");
    // The same sweep offers what was delivered in the meantime, in whatever order.
    expect(await toldOf(watched.id)).toContain("started admitted: Scheduled for 1 Jan 2027, 10:00 (UTC)");
  });
});

/** The session that a message took up again, where the version had that. */
function followed({ answers, routines }: (typeof LANDED)[number]["shown"]) {
  const runs = (answers["/api/v1/runs"] as Page<Run>).data.filter((run) => run.routine_id === routines["demo"]?.id);
  const sessionId = runs.find(({ session_id: id }, at) =>
    runs.slice(at + 1).some((run) => run.session_id === id),
  )?.session_id;
  if (sessionId === undefined) return null;
  const count = runs.filter(({ session_id: id }) => id === sessionId).length;
  return { routineId: runs[0]?.routine_id ?? "", sessionId, count };
}

/** Lets the runner do whatever is offered, minute by minute, until all of the routine's runs have settled. */
async function playOut(routineId: string, at: string): Promise<void> {
  for (let minute = 1; minute <= 10; minute += 1) {
    passTo(later(at, HOUR_MS + minute * MINUTE_MS));
    await runDurableObjectAlarm(defaultPool());
    await runDurableObjectAlarm(ownerOf(routineId));
    const { body } = await call<Page<Run>>("GET", `/api/v1/routines/${routineId}/runs`);
    const open = body.data.filter((run) => !isSettled(run));
    if (open.length === 0) return;
    if (open.some(({ status }) => status === "starting")) {
      // A new one each time: while the clock jumps, a runner is silent for too long. It takes one offer, and gets no other.
      using runner = await FakeRunner.join({ capacity: 1 });
      const work = await runner.work(await runner.accept());
      await work.finish();
    }
  }
}
