/** What an instance keeps, for how long, and how it takes out the rest: in small steps, whatever happens meanwhile. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import { ARTIFACT_NAME_HEADER } from "#protocol/artifact.ts";
import { ownerKeyOf } from "#protocol/ids.ts";
import type { Routine } from "#protocol/routine.ts";
import type { ListedRun, Run } from "#protocol/run.ts";
import { runnerCallPath } from "#protocol/runner-calls.ts";
import type { Session } from "#protocol/session.ts";
import { buildRoutine, call, fire, fired, readRun, readTranscript, watch } from "#test/support/api.ts";
import { occurrencesOf, realDeps } from "#test/support/clock.ts";
import { agentSays, FakeRunner, RUNNING } from "#test/support/fake-runner.ts";
import { d1, fail } from "#test/support/hang.ts";
import { listen } from "#test/support/log-lines.ts";
import { ownerOf } from "#test/support/objects.ts";
import { countOf, keysUnder, kill, passDays, rowsOf, settle, walk, walkKeeping } from "#test/support/retention.ts";
import type { ClockMessage } from "#worker/bindings.ts";
import { lookAt } from "#worker/clock/look-at.ts";
import { sweep } from "#worker/clock/sweep.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});

afterEach(() => {
  vi.useRealTimers();
});

type Made = Awaited<ReturnType<typeof buildRoutine>>;

/** A run that has said something, shown a file, and ended. */
async function ran(routine: Made, body: Record<string, unknown> = { text: "Go." }, headers = {}) {
  using runner = await FakeRunner.join({ id: crypto.randomUUID() });
  const { run_id: runId, claude_code_session_id: sessionId } = await fired(routine, body, headers);
  const work = await runner.work(await runner.accept());
  await work.report(RUNNING, agentSays("Said."));
  const { link_token } = work.offer;
  const file = runnerCallPath(runId, `artifacts/art_${"0a".repeat(12)}`);
  const shown = {
    authorization: `Bearer ${link_token}`,
    "content-type": "text/plain",
    [ARTIFACT_NAME_HEADER]: "a.txt",
  };
  await call("PUT", file, "bytes", shown);
  await work.finish();
  await settle(routine.id);
  return { runId, sessionId };
}

/** All that the routine's object has to look at and to tell is done. */
async function look(routine: { id: string }): Promise<void> {
  await walk(routine.id);
  await settle(routine.id);
}

async function listed(routine: { id: string }): Promise<string[]> {
  const { body } = await call<Page<ListedRun>>("GET", "/api/v1/runs?limit=200");
  return body.data.filter(({ routine_id }) => routine_id === routine.id).map(({ id }) => id);
}

it("is begun by a sweep where an object has long not been opened, and has no alarm", async () => {
  const [forgotten, young] = [await buildRoutine({}), await buildRoutine({})];
  const old = await ran(forgotten);
  passDays(92);
  const { runId } = await ran(young);
  await runInDurableObject(ownerOf(forgotten.id), (_object, { storage }) => storage.deleteAlarm());
  await kill(forgotten.id);
  const sent: ClockMessage[] = [];
  const sendDue = async (messages: readonly ClockMessage[]) => void sent.push(...messages);
  const due = { ...realDeps().due, unsettled: async () => [], due: async () => [] };
  const sweepAt = (nowMs: number) => sweep({ ...realDeps(), due, sendDue }, nowMs);
  const hourMs = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS;
  await sweepAt(hourMs + 2 * MINUTE_MS);
  expect(sent).toEqual([]);
  await sweepAt(hourMs);
  expect(sent).toContainEqual({ routine_id: forgotten.id });
  expect(sent).not.toContainEqual({ routine_id: young.id });
  await lookAt(realDeps(), sent);
  expect(await runInDurableObject(ownerOf(forgotten.id), (_object, { storage }) => storage.getAlarm())).not.toBeNull();
  await look(forgotten);
  expect((await call("GET", `/api/v1/runs/${old.runId}`)).status).toBe(404);
  expect(await readRun(runId)).toMatchObject({ status: "succeeded" });
});

it("keeps a session for 90 days after its last run, and nothing of it after that", async () => {
  const routine = await buildRoutine({ limits: { monthly_budget_usd: 5 } });
  const old = await ran(routine);
  expect(await call("PUT", `/api/v1/routines/${routine.id}/notes/plan`, { text: "Kept." })).toMatchObject({
    status: 200,
  });
  passDays(88);
  await look(routine);
  expect(await readRun(old.runId)).toMatchObject({ status: "succeeded" });
  expect((await readTranscript(old.sessionId)).at(-1)).toMatchObject({ type: "run.finished" });
  expect(await listed(routine)).toEqual([old.runId]);
  expect(await keysUnder(`transcripts/${routine.id}/`)).toHaveLength(1);
  const viewer = await watch(old.sessionId, 1);
  const young = await ran(routine);

  passDays(3);
  await look(routine);
  await viewer.until(() => viewer.closed !== null);
  const paths = [
    `runs/${old.runId}`,
    `sessions/${old.sessionId}`,
    `sessions/${old.sessionId}/events`,
    `sessions/${old.sessionId}/diff`,
  ];
  for (const path of paths) expect((await call("GET", `/api/v1/${path}`)).status, path).toBe(404);
  expect(await listed(routine)).toEqual([young.runId]);
  const { body: own } = await call<Page<Session>>("GET", `/api/v1/routines/${routine.id}/sessions`);
  expect(own.data.map(({ id }) => id)).toEqual([young.sessionId]);
  expect((await occurrencesOf(routine.id)).map(({ run_id }) => run_id)).toEqual([young.runId]);
  for (const place of ["transcripts", "conversations", "artifacts"]) {
    expect(await keysUnder(`${place}/${routine.id}/${old.sessionId}`), place).toEqual([]);
  }
  const ofOld = await runInDurableObject(ownerOf(routine.id), (_object, { storage }) =>
    storage.sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
      )
      .toArray()
      .filter(({ name }) => {
        const text = JSON.stringify(storage.sql.exec(`SELECT * FROM "${name}"`).toArray());
        return text.includes(old.runId) || text.includes(old.sessionId);
      }),
  );
  expect(ofOld).toEqual([]);
  // What is the routine's own stays.
  expect((await call("GET", `/api/v1/routines/${routine.id}/notes/plan`)).body).toMatchObject({ text: "Kept." });
  expect((await call<Page<unknown>>("GET", `/api/v1/routines/${routine.id}/revisions`)).body.data).toHaveLength(1);
  expect((await call<Routine>("GET", `/api/v1/routines/${routine.id}`)).status).toBe(200);
});

it("touches nothing of a run that is on, however long ago it began, nor what its session has said before", async () => {
  const routine = await buildRoutine();
  const { runId, sessionId } = await ran(routine);
  const said = await call<{ run_id: string }>("POST", `/api/v1/sessions/${sessionId}/messages`, { text: "Go on." });
  await vi.waitFor(async () => expect(await readRun(said.body.run_id)).toMatchObject({ status: "starting" }));
  passDays(200);
  await look(routine);
  expect((await readTranscript(sessionId))[0]).toMatchObject({ seq: 1 });
  const { body: session } = await call<Session>("GET", `/api/v1/sessions/${sessionId}`);
  // The run that ended 200 days ago is gone; the one that has waited for a runner since is there.
  expect(session.runs.map(({ id }) => id)).not.toContain(runId);
  expect(session.runs).toMatchObject([{ id: said.body.run_id }]);
  expect(await keysUnder(`transcripts/${routine.id}/`)).toEqual([]);
  // No runner of another test is to get it.
  await call("POST", `/api/v1/runs/${said.body.run_id}/cancel`);
});

it("keeps the last run of a session with it, and takes out those before it by their own age", async () => {
  const routine = await buildRoutine();
  const first = await ran(routine);
  passDays(60);
  using runner = await FakeRunner.join({ id: "fake-again" });
  const said = await call<{ run_id: string }>("POST", `/api/v1/sessions/${first.sessionId}/messages`, {
    text: "Again.",
  });
  await (await runner.work(await runner.accept())).finish();
  passDays(40);
  await look(routine);
  const { body: session } = await call<Session>("GET", `/api/v1/sessions/${first.sessionId}`);
  expect(session.runs.map(({ id }) => id)).toEqual([said.body.run_id]);
  expect((await call("GET", `/api/v1/runs/${first.runId}`)).status).toBe(404);
  // Its transcript is one, and whole.
  const events = await readTranscript(first.sessionId);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, index) => index + 1));
  expect(new Set(events.map(({ run_id }) => run_id))).toEqual(new Set([first.runId, said.body.run_id]));
});

it("keeps what a repeat is known by, and what is still owed", async () => {
  const routine = await buildRoutine();
  const old = await ran(routine, { text: "One." });
  const key = { "idempotency-key": "same" };
  passDays(100);
  const again = await ran(routine, { text: "Two." }, key);
  {
    // D1 is away: the run that is old is still owed to nobody, but the end of the young one is.
    using _away = fail(d1(/runs/));
    await walk(routine.id);
  }
  expect(await fire(routine, { text: "Two." }, key)).toMatchObject({ body: { duplicate: true, run_id: again.runId } });
  await settle(routine.id);
  expect(await listed(routine)).toEqual([again.runId]);
  expect((await call("GET", `/api/v1/runs/${old.runId}`)).status).toBe(404);
  // The key counts for a day, whatever else goes.
  passDays(1.1);
  await look(routine);
  expect(await countOf(routine.id, "idempotency_keys")).toBe(0);
});

/** Rows as those of a run that has ended, so many, a minute after each other, the newest now. */
async function seedRuns(routine: Made, runId: string, count: number): Promise<void> {
  await runInDurableObject(ownerOf(routine.id), (_object, { storage }) => {
    const [row] = storage.sql
      .exec<{ doc: string; session_id: string }>("SELECT doc, session_id FROM runs WHERE id = ?", runId)
      .toArray();
    if (row === undefined) throw new Error("there is no such run");
    const template: Run = JSON.parse(row.doc);
    const owner = ownerKeyOf(runId);
    const idOf = (prefix: string, n: number) =>
      `${prefix}_${runId.slice(4, 13)}${owner}${n.toString().padStart(5, "0")}`;
    for (let n = 1; n <= count; n += 1) {
      const [id, session, occurrence] = [idOf("run", n), idOf("session", n), idOf("occ", n)];
      const doc = JSON.stringify({ ...template, id, session_id: session });
      storage.sql.exec("INSERT INTO sessions (id, title, created_at) VALUES (?, 'seeded', ?)", session, Date.now());
      storage.sql.exec(
        `INSERT INTO runs (id, session_id, status, doc, phase, features, version) VALUES (?, ?, 'succeeded', ?, 'running', '[]', 1)`,
        ...[id, session, doc],
      );
      storage.sql.exec(
        "INSERT INTO occurrences (id, doc) VALUES (?, ?)",
        occurrence,
        JSON.stringify({ id: occurrence }),
      );
      storage.sql.exec(
        `INSERT INTO transcript (session_id, last_seq, first_seq, end_bytes, run_id, attempt, frame, tool_calls, body)
          VALUES (?, 1, 1, 2, ?, 1, 0, 0, '{}')`,
        ...[session, id],
      );
    }
  });
}

/** The alarm rings so often, a second after each other. @returns how many runs were there after each. */
function ringTimes(routine: Made, times: number): Promise<number[]> {
  return runInDurableObject(ownerOf(routine.id), async (object, { storage }) => {
    const counts: number[] = [];
    for (let ringing = 0; ringing < times; ringing += 1) {
      vi.setSystemTime(Date.now() + 1_000);
      await (object as unknown as { alarm(): Promise<void> }).alarm();
      counts.push(storage.sql.exec<{ count: number }>("SELECT COUNT(*) AS count FROM runs").one().count);
    }
    return counts;
  });
}

it("goes through 3,000 runs in small steps, also where the object is killed and D1 is away in between", async () => {
  const routine = await buildRoutine();
  const { runId } = await ran(routine);
  await settle(routine.id);
  await seedRuns(routine, runId, 3_000);
  const before = await countOf(routine.id, "runs");
  expect(before).toBe(3_001);
  passDays(100);
  const counts = [before];
  const ringOften = async () => {
    counts.push(...(await ringTimes(routine, 10)));
    await new Promise((resolve) => setTimeout(resolve));
  };
  const away = fail(d1(/DELETE FROM runs/));
  for (let times = 0; times < 30; times += 1) {
    await ringOften();
    if (times === 5 || times === 20) await kill(routine.id);
  }
  // While D1 is not told, it takes out no more than a bounded number.
  expect(counts.at(-1)).toBeLessThan(before);
  expect(await countOf(routine.id, "outbox", "kind = 'forget_run'")).toBeLessThanOrEqual(600);
  away.end();
  await vi.waitFor(
    async () => {
      vi.setSystemTime(Date.now() + 60_000);
      await ringOften();
      expect(counts.at(-1)).toBe(0);
    },
    { timeout: 120_000, interval: 1 },
  );
  const steps = counts.slice(1).map((count, index) => (counts[index] ?? 0) - count);
  expect(Math.max(...steps)).toBeLessThanOrEqual(100);
  await look(routine);
  const left = ["runs", "sessions", "occurrences", "transcript", "outbox"];
  expect(await Promise.all(left.map((table) => countOf(routine.id, table)))).toEqual(left.map(() => 0));
  const { count } = (await env.DB.prepare("SELECT COUNT(*) AS count FROM runs WHERE routine_id = ?")
    .bind(routine.id)
    .first<{ count: number }>()) ?? { count: -1 };
  expect(count).toBe(0);
}, 240_000);

it("forgets what was said long ago when no run of the session is on, and not before", async () => {
  const routine = await buildRoutine();
  const { sessionId } = await ran(routine);
  const said = await call<{ run_id: string }>("POST", `/api/v1/sessions/${sessionId}/messages`, { text: "Go on." });
  await rowsOf(routine.id, "UPDATE messages SET taken_at = ?", Date.now());
  passDays(100);
  await walkKeeping(routine, {});
  expect(await countOf(routine.id, "runs", "status = 'starting'")).toBe(1);
  expect(await countOf(routine.id, "messages")).toBe(1);
  await call("POST", `/api/v1/runs/${said.body.run_id}/cancel`);
  await vi.waitFor(async () => expect(await readRun(said.body.run_id)).toMatchObject({ status: "canceled" }));
  await walkKeeping(routine, {});
  expect(await countOf(routine.id, "messages")).toBe(0);
});

it("takes out a long session whole, also where its transcript was never to be moved", async () => {
  const routine = await buildRoutine();
  const { runId, sessionId } = await ran(routine);
  await runInDurableObject(ownerOf(routine.id), (_object, { storage }) => {
    for (let seq = 1_001; seq <= 2_500; seq += 1) {
      storage.sql.exec(
        `INSERT INTO transcript (session_id, last_seq, first_seq, end_bytes, run_id, attempt, frame, tool_calls, body)
          VALUES (?, ?, ?, ?, ?, 1, 0, 0, '{}')`,
        ...[sessionId, seq, seq, seq * 2, runId],
      );
    }
  });
  await seedRuns(routine, runId, 3);
  passDays(100);
  await walkKeeping(routine, { transcriptsHereForMs: 400 * 24 * 3_600_000 });
  const left = ["sessions", "runs", "transcript"];
  expect(await Promise.all(left.map((table) => countOf(routine.id, table)))).toEqual([0, 0, 0]);
  await settle(routine.id);
  expect(await listed(routine)).toEqual([]);
});

it.each([
  ["", false],
  [", also where it is evicted after each slice", true],
])(
  "takes out the oldest where there are more than the instance keeps, but none of the last two days%s",
  async (_how, isEvicted) => {
    const routine = await buildRoutine();
    const { runId } = await ran(routine);
    await seedRuns(routine, runId, 150);
    passDays(1.9);
    await walkKeeping(routine, { runs: 100, occurrences: 120 }, isEvicted);
    expect(await countOf(routine.id, "runs")).toBe(151);
    passDays(1.1);
    await walkKeeping(routine, { runs: 100, occurrences: 120 }, isEvicted);
    expect(await countOf(routine.id, "runs")).toBe(100);
    expect(await countOf(routine.id, "sessions")).toBe(100);
    expect(await countOf(routine.id, "occurrences")).toBe(120);
    const [oldest] = await rowsOf<{ id: string }>(routine.id, "SELECT MIN(id) AS id FROM runs");
    // The run that was really made is the newest of all.
    expect(Number(oldest?.id.slice(-5))).toBe(52);
  },
);

it("goes past a run that can't be read, which stays with its session, and is told of", async () => {
  const routine = await buildRoutine();
  const { runId, sessionId } = await ran(routine);
  await seedRuns(routine, runId, 7);
  const seeded = await rowsOf<{ id: string }>(routine.id, "SELECT id FROM runs WHERE id <> ? ORDER BY id", runId);
  const [cut = "", empty = "", other = "", list = "", later = ""] = seeded.map(({ id }) => id);
  await rowsOf(routine.id, "UPDATE runs SET doc = substr(doc, 1, 20) WHERE id = ?", cut);
  await rowsOf(routine.id, "UPDATE runs SET doc = 'null' WHERE id = ?", empty);
  await rowsOf(routine.id, "UPDATE runs SET doc = '[]' WHERE id = ?", list);
  // Of a version that knows more states, and has been taken back.
  await rowsOf(routine.id, "UPDATE runs SET doc = json_set(doc, '$.v', 99, '$.status', 'parked') WHERE id = ?", later);
  // One that is not the last of its session.
  await rowsOf(routine.id, "DELETE FROM sessions WHERE id = (SELECT session_id FROM runs WHERE id = ?)", other);
  await rowsOf(routine.id, "UPDATE runs SET doc = '', session_id = ? WHERE id = ?", sessionId, other);
  await kill(routine.id);
  passDays(100);
  const log = listen();
  await walk(routine.id);
  const left = await rowsOf<{ id: string }>(routine.id, "SELECT id FROM runs ORDER BY id");
  expect(left.map(({ id }) => id).sort()).toEqual([cut, empty, other, list, later, runId].sort());
  expect(await countOf(routine.id, "sessions")).toBe(5);
  const told = new Set(log.troubles("run_unreadable").map(({ run_id }) => run_id));
  expect(told).toEqual(new Set([cut, empty, other, list, later]));
});
