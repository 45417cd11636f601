/** A viewer that stops acknowledging costs the object nothing, and misses nothing when it goes on. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { expect, it, vi } from "vitest";
import type { Database } from "#durable-objects/routine/database.ts";
import { TranscriptLog } from "#durable-objects/routine/transcript/transcript-log.ts";
import { TranscriptParts } from "#durable-objects/routine/transcript/transcript-parts.ts";
import { Work } from "#durable-objects/routine/work.ts";
import type { FrameBody } from "#protocol/runner-link.ts";
import { buildRoutine, eventsOf, fired, readTranscript, watch } from "#test/support/api.ts";
import { agentSays, FakeRunner, type FakeWork, RUNNING, SUCCEEDED } from "#test/support/fake-runner.ts";
import { evictOwnerOf, ownerOf } from "#test/support/objects.ts";
import type { TestSocket } from "#test/support/test-socket.ts";

const EVENTS = 10_000;

async function sayMuch(work: FakeWork, count: number, body: (index: number) => FrameBody): Promise<void> {
  for (let sent = 0; sent < count; sent += 500) {
    await work.report(...Array.from({ length: Math.min(500, count - sent) }, (_, index) => body(sent + index)));
  }
}

/** Acknowledges everything that comes from here on, and resolves when the run has finished. */
async function acknowledgeAll(viewer: TestSocket): Promise<void> {
  const lastSeq = () => eventsOf(viewer).at(-1)?.seq ?? 0;
  for (let acked = -1; !eventsOf(viewer).some(({ type }) => type === "run.finished"); ) {
    acked = lastSeq();
    viewer.send({ type: "ack", seq: acked });
    await viewer.until(() => lastSeq() > acked);
  }
}

/** A run that has begun, with its runner. */
async function runningRun(): Promise<{ sessionId: string; work: FakeWork } & Disposable> {
  const routine = await buildRoutine();
  const runner = await FakeRunner.join();
  const { claude_code_session_id: sessionId } = await fired(routine);
  const work = await runner.work(await runner.accept());
  await work.report(RUNNING);
  return { sessionId, work, [Symbol.dispose]: () => runner[Symbol.dispose]() };
}

it("sends no more than the window, and then all of it, once", async () => {
  using run = await runningRun();
  const { sessionId, work } = run;
  const silent = await watch(sessionId);
  await sayMuch(work, EVENTS, (index) => agentSays(`event ${index}`));
  await work.finish(SUCCEEDED);

  expect(eventsOf(silent)).toHaveLength(512);
  await acknowledgeAll(silent);
  const events = await readTranscript(sessionId);
  expect(events.length).toBeGreaterThan(EVENTS);
  expect(eventsOf(silent)).toEqual(events);
  await silent.next(({ type }) => type === "caught_up");
});

it("sends everybody all of it, once, whatever each has acknowledged", async () => {
  using run = await runningRun();
  const { sessionId, work } = run;
  const here = [await watch(sessionId), await watch(sessionId), await watch(sessionId)];
  // So long that a full window takes several messages.
  await sayMuch(work, 2_000, (index) => agentSays(`event ${index} ${"x".repeat(700)}`));
  const beginnings = [0, 0, 0, 0, 3, 700];
  const viewers = [
    ...here,
    ...(await Promise.all(beginnings.slice(here.length).map((after) => watch(sessionId, after)))),
  ];
  await work.finish(SUCCEEDED);

  // The second says that it has a few events fewer than it was sent, so its window ends elsewhere.
  const halting = here[1] ?? expect.unreachable();
  halting.send({ type: "ack", seq: (eventsOf(halting).at(-1)?.seq ?? 0) - 100 });
  await Promise.all(viewers.map((viewer) => acknowledgeAll(viewer)));
  const events = await readTranscript(sessionId);
  for (const [index, viewer] of viewers.entries()) {
    expect(eventsOf(viewer)).toEqual(events.slice(beginnings[index]));
    await viewer.next(({ type }) => type === "caught_up");
  }
});

/** What a log reads for a viewer that acknowledges half of its window at a time, in an object that has just been opened. */
function readBy256(
  storage: DurableObjectStorage,
  sessionId: string,
): { asked: number; rows: number; rowsRead: number } {
  const cursors: { rowsRead: number }[] = [];
  const counted = {
    exec: (...query: Parameters<SqlStorage["exec"]>) => {
      const cursor = storage.sql.exec(...query);
      cursors.push(cursor);
      return cursor;
    },
  } as unknown as SqlStorage;
  const parts = new TranscriptParts({ get: () => Promise.resolve(null) });
  const log = new TranscriptLog(counted, new Work(storage, {} as Database), parts);
  const lastSeq = log.end(sessionId)?.lastSeq ?? 0;
  for (let seq = 0; seq < lastSeq; seq += 256) {
    const bounds = { maxSeq: seq + 512, maxEndBytes: Number.POSITIVE_INFINITY };
    expect(log.read(sessionId, seq, bounds).length).toBeGreaterThan(0);
  }
  const [stored] = storage.sql.exec<{ count: number }>("SELECT COUNT(*) AS count FROM transcript").toArray();
  const rowsRead = cursors.reduce((sum, cursor) => sum + cursor.rowsRead, 0);
  return { rows: stored?.count ?? 0, asked: cursors.length, rowsRead };
}

it.each([
  [100, 9_000],
  [256, 3_600],
])("goes on for one that acknowledges each %i events of %i bytes, and nothing between", async (each, bytes) => {
  using run = await runningRun();
  const { sessionId, work } = run;
  const viewer = await watch(sessionId);
  // Few at a time, so that its acknowledgements fall into the middle of messages.
  for (let sent = 0; sent < 700; sent += 7) {
    await work.report(...Array.from({ length: 7 }, () => agentSays("x".repeat(bytes))));
  }
  const came = () => eventsOf(viewer).length;
  for (let acked = 0; acked < 700 - each; acked += each) {
    await viewer.until(() => came() >= acked + each);
    viewer.send({ type: "ack", seq: acked + each });
  }
  await viewer.until(() => came() >= 700);
  await work.finish(SUCCEEDED);
});

it("has each row read once for a viewer that catches up, and asks for many at once", async () => {
  using run = await runningRun();
  const { sessionId, work } = run;
  await sayMuch(work, 2_000, (index) => agentSays(`event ${index} ${"x".repeat(700)}`));

  const readBy = () => runInDurableObject(ownerOf(sessionId), (_object, { storage }) => readBy256(storage, sessionId));
  const { rows, asked, rowsRead } = await readBy();
  await work.finish(SUCCEEDED);

  expect(rows).toBeGreaterThan(4);
  // Where the session ends, and then a mebi of characters at a time, of less than two.
  expect(asked).toBeLessThanOrEqual(3);
  expect(rowsRead).toBeLessThanOrEqual(rows + 4);

  // An agent that says little has a row for each event.
  await runInDurableObject(ownerOf(sessionId), (_object, { storage }) => {
    const [end] = storage.sql.exec("SELECT MAX(last_seq) AS seq, MAX(end_bytes) AS bytes FROM transcript").toArray();
    const line = JSON.stringify({ type: "agent.message", text: "x".repeat(400) });
    storage.transactionSync(() => {
      for (let n = 1; n <= 2_000; n += 1) {
        storage.sql.exec(
          `INSERT INTO transcript (session_id, last_seq, first_seq, end_bytes, run_id, attempt, frame, tool_calls, body)
            SELECT session_id, last_seq + ?, last_seq + ?, end_bytes + ?, run_id, attempt, frame, tool_calls, ?
            FROM transcript WHERE session_id = ? AND last_seq = ?`,
          ...[n, n, n * line.length, line, sessionId, Number(end?.["seq"])],
        );
      }
    });
  });
  const small = await readBy();
  expect(small.rows).toBeGreaterThan(rows + 2_000);
  expect(small.asked).toBeLessThanOrEqual(20);
  expect(small.rowsRead).toBeLessThanOrEqual(2 * small.rows);
});

it("keeps at most 1 MiB under way", async () => {
  using run = await runningRun();
  const { sessionId, work } = run;
  const silent = await watch(sessionId);
  const text = "x".repeat(200_000);
  for (let count = 0; count < 10; count += 1) await work.report(agentSays(text));
  await work.finish(SUCCEEDED);
  const underWay = eventsOf(silent).reduce((sum, event) => sum + JSON.stringify(event).length, 0);
  expect(underWay).toBeLessThanOrEqual(1_048_576);
  expect(underWay).toBeGreaterThan(800_000);
  await acknowledgeAll(silent);
  expect(eventsOf(silent)).toEqual(await readTranscript(sessionId));
});

it("closes with 4408 after a minute, and a reconnection gets the rest", async () => {
  const routine = await buildRoutine();
  using runner = await FakeRunner.join();
  const { run_id, claude_code_session_id: sessionId } = await fired(routine);
  const work = await runner.work(await runner.accept());
  const silent = await watch(sessionId);
  const diligent = await watch(sessionId);
  await work.report(RUNNING);
  await sayMuch(work, 1_000, (index) => agentSays(`event ${index}`));
  diligent.send({ type: "ack", seq: eventsOf(diligent).at(-1)?.seq });
  await diligent.until(() => eventsOf(diligent).length > 512);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 59_000 });
  diligent.send({ type: "ack", seq: eventsOf(diligent).at(-1)?.seq });
  await work.finish(SUCCEEDED);
  vi.setSystemTime(Date.now() + 2_000);
  await runDurableObjectAlarm(ownerOf(run_id));
  vi.useRealTimers();
  await silent.until(() => silent.closed !== null);
  expect(silent.closed?.code).toBe(4408);
  expect(diligent.closed).toBeNull();

  const again = await watch(sessionId, eventsOf(silent).at(-1)?.seq);
  await acknowledgeAll(again);
  expect([...eventsOf(silent), ...eventsOf(again)]).toEqual(await readTranscript(sessionId));
});

it("goes on where it stood when its object was taken out of memory just after it was sent something", async () => {
  using run = await runningRun();
  const { sessionId, work } = run;
  const viewer = await watch(sessionId);
  await viewer.next(({ type }) => type === "caught_up");
  await sayMuch(work, 40, (index) => agentSays(`before ${index}`));
  await evictOwnerOf(sessionId);
  await sayMuch(work, 40, (index) => agentSays(`after ${index}`));
  viewer.send({ type: "ack", seq: eventsOf(viewer).at(-1)?.seq ?? 0 });
  await work.finish(SUCCEEDED);
  await viewer.until(() => eventsOf(viewer).some(({ type }) => type === "run.finished"));
  expect(eventsOf(viewer)).toEqual(await readTranscript(sessionId));
});
