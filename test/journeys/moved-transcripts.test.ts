/** Transcripts of sessions that rest lie in R2, and are read at the same address as before. */
import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { MovedTranscripts } from "#durable-objects/routine/transcript/moved-transcripts.ts";
import type { Tx } from "#durable-objects/routine/work.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import { CLOSE_CODES } from "#protocol/viewer.ts";
import { buildRoutine, call, eventsOf, fired, OWNER_TOKEN, readTranscript, watch } from "#test/support/api.ts";
import { agentSays, FakeRunner, RUNNING } from "#test/support/fake-runner.ts";
import { fail, first, hang, r2 } from "#test/support/hang.ts";
import { evictOwnerOf, ownerOf } from "#test/support/objects.ts";
import { countOf, keysUnder, kill, passDays, ring, rowsOf, settle, walk } from "#test/support/retention.ts";
import type { TestSocket } from "#test/support/test-socket.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});

afterEach(() => {
  vi.useRealTimers();
});

interface Session {
  routine: { id: string; token: string };
  id: string;
  /** The whole transcript, as it was before anything was moved. */
  events: TranscriptEvent[];
}

/** A session whose only run has ended, with so many messages of its agent's, of so many characters each. */
async function ended(messages = 40, length = 100): Promise<Session> {
  const routine = await buildRoutine();
  using runner = await FakeRunner.join();
  const { claude_code_session_id: id } = await fired(routine);
  const work = await runner.work(await runner.accept());
  await work.report(RUNNING);
  for (let n = 0; n < messages; n += 20) {
    const some = Array.from({ length: Math.min(20, messages - n) }, (_frame, index) => n + index);
    await work.report(...some.map((number) => agentSays(`${number} ${"é".repeat(length)}`)));
  }
  await work.report({
    kind: "event",
    event: { type: "tool.call", tool_call_id: "toolu_1", name: "Bash", input: { command: "ls" } },
  });
  await work.finish();
  const events = await readTranscript(id);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, index) => index + 1));
  return { routine, id, events };
}

const folder = ({ routine, id }: Session) => `transcripts/${routine.id}/${id}/`;
const here = ({ routine, id }: Session) => countOf(routine.id, "transcript", `session_id = '${id}' AND key IS NULL`);

/** It has rested for eight days, and the object has looked. */
async function move(session: Session): Promise<void> {
  passDays(8);
  await walk(session.routine.id);
  await settle(session.routine.id);
}

async function moved(messages?: number, length?: number): Promise<Session> {
  const session = await ended(messages, length);
  await move(session);
  expect(await here(session)).toBe(0);
  return session;
}

async function caughtUp(viewer: TestSocket): Promise<TranscriptEvent[]> {
  await viewer.until(() => viewer.messages.some(({ type }) => type === "caught_up"));
  return eventsOf(viewer);
}

it("stays in the object for a week, and lies in R2 after it", async () => {
  const session = await ended();
  passDays(6);
  await ring(session.routine.id);
  expect(await keysUnder(folder(session))).toEqual([]);
  passDays(2);
  await walk(session.routine.id);
  await settle(session.routine.id);
  expect(await here(session)).toBe(0);
  const last = session.events.length;
  expect(await keysUnder(folder(session))).toEqual([`${folder(session)}1-${last}.jsonl.gz`]);
  // All that is left of it in the object is one row.
  expect(await rowsOf(session.routine.id, "SELECT first_seq, last_seq FROM transcript")).toEqual([
    { first_seq: 1, last_seq: last },
  ]);
});

it("stays for as long after an upgrade as well, because the version before can't read what is moved", async () => {
  const session = await ended();
  passDays(20);
  // The object has been asleep, and the new version opens it today.
  await rowsOf(
    session.routine.id,
    "UPDATE __drizzle_migrations SET created_at = ? WHERE hash = '0038_retention'",
    Date.now(),
  );
  await evictOwnerOf(session.id);
  for (const [days, keys] of [
    [0.5, 0],
    [6, 0],
    [1, 1],
  ] as const) {
    passDays(days);
    await walk(session.routine.id);
    await settle(session.routine.id);
    expect([days, (await keysUnder(folder(session))).length]).toEqual([days, keys]);
  }
  expect(await readTranscript(session.id)).toEqual(session.events);
});

it("is read the same, in pages of any length, by viewers, as a stream and as an export", async () => {
  const session = await moved(600, 2_000);
  expect((await keysUnder(folder(session))).length).toBeGreaterThan(3);
  for (const _time of ["at once", "after an eviction"]) {
    for (const limit of [1_000, 97]) expect(await readTranscript(session.id, limit)).toEqual(session.events);
    await evictOwnerOf(session.id);
  }
  const tail = `/api/v1/sessions/${session.id}/events?after=${session.events.length}`;
  expect((await call("GET", tail)).body).toEqual({ data: [], next_cursor: null });
  expect(
    (
      await call(
        "GET",
        tail.replace(/\d+$/, (n) => String(Number(n) + 1)),
      )
    ).status,
  ).toBe(400);
  for (const after of [0, 333, session.events.length]) {
    const viewer = await watch(session.id, after);
    // The window is smaller than the transcript: it goes on as the viewer acknowledges.
    const acks = setInterval(() => {
      const seq = eventsOf(viewer).at(-1)?.seq;
      if (seq !== undefined) viewer.send({ type: "ack", seq });
    }, 5);
    expect(await caughtUp(viewer)).toEqual(session.events.slice(after));
    clearInterval(acks);
    viewer.close();
  }
  const headers = { authorization: `Bearer ${OWNER_TOKEN}` };
  const ask = (path: string, more = {}) =>
    exports.default.fetch(
      new Request(`http://reveille.test/api/v1/sessions/${session.id}/${path}`, { headers: { ...headers, ...more } }),
    );
  const exported = (await (await ask("export")).text())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(exported.slice(2)).toEqual(session.events);
  const stream = await (await ask("events?after=590", { accept: "text/event-stream" })).text();
  expect([...stream.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))).toEqual(
    session.events.slice(590).map(({ seq }) => seq),
  );
});

it("goes on where it was when the session is taken up again, and later lies there as well", async () => {
  const session = await moved();
  await call("POST", `/api/v1/sessions/${session.id}/messages`, { text: "And now?" });
  {
    using runner = await FakeRunner.join({ id: "fake-2" });
    const work = await runner.work(await runner.accept());
    await work.report(RUNNING, agentSays("Going on."));
    const viewer = await watch(session.id);
    expect((await caughtUp(viewer)).slice(0, session.events.length)).toEqual(session.events);
    // A week has passed for the part that is there; what is on is not touched.
    await walk(session.routine.id);
    expect(await here(session)).toBeGreaterThan(0);
    await work.report(agentSays("More."));
    await work.finish();
    await viewer.until(() => eventsOf(viewer).at(-1)?.type === "run.finished");
    const all = await readTranscript(session.id);
    expect(eventsOf(viewer)).toEqual(all);
    expect(all.slice(0, session.events.length)).toEqual(session.events);
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_event, index) => index + 1));
    viewer.close();
  }
  const all = await readTranscript(session.id, 7);
  await move(session);
  expect([await here(session), (await keysUnder(folder(session))).length]).toEqual([0, 2]);
  await evictOwnerOf(session.id);
  expect(await readTranscript(session.id, 7)).toEqual(all);
});

it("loses nothing where R2 fails, hangs, or has something else than was written", async () => {
  const session = await ended();
  passDays(8);
  {
    using failing = fail(r2("put"));
    await walk(session.routine.id);
    await failing.untilMet();
  }
  expect(await here(session)).toBeGreaterThan(0);
  expect(await readTranscript(session.id)).toEqual(session.events);
  {
    // What is read back is not there: the rows stay.
    using failing = fail(r2("get"));
    vi.setSystemTime(Date.now() + 61_000);
    await ring(session.routine.id);
    await failing.untilMet();
  }
  expect(await here(session)).toBeGreaterThan(0);
  await settle(session.routine.id);
  expect(await here(session)).toBe(0);
  expect(await readTranscript(session.id)).toEqual(session.events);
});

it("is moved once where the object is killed between writing and noting it", async () => {
  const session = await ended();
  passDays(8);
  const hanging = hang(first(1, r2("get")));
  await walk(session.routine.id);
  await hanging.untilMet();
  expect(await keysUnder(folder(session))).toHaveLength(1);
  await kill(session.routine.id);
  hanging.end();
  expect(await readTranscript(session.id)).toEqual(session.events);
  await settle(session.routine.id);
  expect([await here(session), (await keysUnder(folder(session))).length]).toEqual([0, 1]);
  expect(await readTranscript(session.id)).toEqual(session.events);
});

it("leaves nothing in R2 where the session or the routine is deleted while it is being moved", async () => {
  for (const what of ["session", "routine"] as const) {
    const session = await ended();
    passDays(8);
    const hanging = hang(first(1, r2("put")));
    await walk(session.routine.id);
    await hanging.untilMet();
    const path = what === "session" ? `/api/v1/sessions/${session.id}` : `/api/v1/routines/${session.routine.id}`;
    expect((await call("DELETE", path)).status).toBe(204);
    hanging.end();
    await settle(session.routine.id);
    expect(await keysUnder(folder(session)), what).toEqual([]);
    expect((await call("GET", `/api/v1/sessions/${session.id}/events`)).status).toBe(404);
  }
});

it("is gone from R2 with its session, and parts that are nobody's go with a later look", async () => {
  const session = await moved();
  expect(await keysUnder(folder(session))).toHaveLength(1);
  expect((await call("DELETE", `/api/v1/sessions/${session.id}`)).status).toBe(204);
  await settle(session.routine.id);
  expect(await keysUnder(folder(session))).toEqual([]);
  await env.BODIES.put(`${folder(session)}1-9.jsonl.gz`, "left by an object that was killed");
  passDays(1.1);
  await walk(session.routine.id);
  await settle(session.routine.id);
  expect(await keysUnder(folder(session))).toEqual([]);
});

it("is moved beneath a viewer who is in the midst of it", async () => {
  const session = await ended(600, 2_000);
  passDays(8);
  const viewer = await watch(session.id);
  await viewer.until(() => eventsOf(viewer).length > 100);
  expect(eventsOf(viewer).length).toBeLessThan(session.events.length);
  await walk(session.routine.id);
  await vi.waitFor(
    async () => {
      await ring(session.routine.id);
      expect(await here(session)).toBe(0);
    },
    { timeout: 20_000, interval: 100 },
  );
  for (let seen = 0; seen < session.events.length; ) {
    seen = eventsOf(viewer).at(-1)?.seq ?? 0;
    viewer.send({ type: "ack", seq: seen });
    await viewer.until(() => (eventsOf(viewer).at(-1)?.seq ?? 0) > seen || seen === session.events.length);
  }
  expect(await caughtUp(viewer)).toEqual(session.events);
  viewer.close();
});

it("makes viewers wait for R2, and dial again where it does not come", async () => {
  const session = await moved();
  await evictOwnerOf(session.id);
  const hanging = hang(first(1, r2("get")));
  const waiting = await watch(session.id, 3);
  await hanging.untilMet();
  expect(eventsOf(waiting)).toEqual([]);
  hanging.end();
  expect(await caughtUp(waiting)).toEqual(session.events.slice(3));
  waiting.close();

  await evictOwnerOf(session.id);
  const failing = fail(r2("get"));
  const failed = await watch(session.id, 3);
  await failed.until(() => failed.closed !== null);
  expect(failed.closed?.code).toBe(CLOSE_CODES.restarting);
  expect((await call("GET", `/api/v1/sessions/${session.id}/events`)).status).toBe(503);
  failing.end();
  expect(await readTranscript(session.id)).toEqual(session.events);
});

it("reads as many rows to move a part as the part has, however long the session is", async () => {
  const session = await moved();
  const seqs = Array.from({ length: 3_000 }, (_row, index) => session.events.length + 1 + index);
  const [key] = await keysUnder(folder(session));
  const read = await runInDurableObject(ownerOf(session.routine.id), (_object, { storage }) => {
    const { sql } = storage;
    for (const seq of seqs) {
      sql.exec(
        `INSERT INTO transcript (session_id, last_seq, first_seq, end_bytes, run_id, attempt, frame, tool_calls, body)
          SELECT session_id, ?, ?, end_bytes, run_id, attempt, frame, tool_calls, '{}' FROM transcript LIMIT 1`,
        ...[seq, seq],
      );
    }
    const cursors: { rowsRead: number }[] = [];
    const counted = {
      exec: (...asked: Parameters<SqlStorage["exec"]>) => {
        const cursor = sql.exec(...asked);
        cursors.push(cursor);
        return cursor;
      },
    } as unknown as SqlStorage;
    const transcripts = new MovedTranscripts(counted);
    expect([...transcripts.named([key ?? "", `${folder(session)}1-9.jsonl.gz`, "transcripts/else"])]).toEqual([key]);
    const [first = 0] = seqs;
    const part = {
      first,
      last: first + 9,
      rows: 10,
      text: seqs
        .slice(0, 10)
        .map(() => "{}")
        .join("\n"),
    };
    expect(transcripts.moved({ sql: counted } as Tx, session.id, part, "transcripts/next")).toBe(true);
    return cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0);
  });
  expect(read).toBeLessThan(100);
});

it("tells a run that goes on what the last one had called", async () => {
  const session = await moved();
  const bodies = await rowsOf<{ body: string }>(session.routine.id, "SELECT body FROM transcript");
  expect(bodies.map(({ body }) => JSON.parse(body))).toEqual([session.events.find(({ type }) => type === "tool.call")]);
});
