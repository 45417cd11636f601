/** Dead letters, notifications, marks of pushes and large objects, as they come of age. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { DeadLetter } from "#protocol/dead-letter.ts";
import type { Delivery } from "#protocol/delivery.ts";
import type { Notification } from "#protocol/notification.ts";
import { runError } from "#protocol/run-errors.ts";
import type { FrameBody } from "#protocol/runner-link.ts";
import { buildRoutine, call, fired, readTranscript } from "#test/support/api.ts";
import { occurrencesOf, playRun } from "#test/support/chains.ts";
import { realDeps } from "#test/support/clock.ts";
import { FakeRunner } from "#test/support/fake-runner.ts";
import { countOf, keysUnder, passDays, rowsOf, settle, walk, walkKeeping } from "#test/support/retention.ts";
import { sweep } from "#worker/clock/sweep.ts";

const HOUR_MS = 3_600_000;
const BROKEN: FrameBody = {
  kind: "finished",
  outcome: { status: "failed", error: runError("runner_failed", "setup") },
  report: null,
  seen: { turns: 0, tool_calls: 0, files_changed: 0, commits_pushed: 0, cost_usd: 0 },
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
});

afterEach(() => {
  vi.useRealTimers();
});

type Named = { id: string; token: string };

/** All that the routine's object has to look at and to tell is done. */
async function look({ id }: Named): Promise<void> {
  await walk(id);
  await settle(id);
}

async function endRun(routine: Named, ending?: FrameBody): Promise<string> {
  using runner = await FakeRunner.join();
  const { run_id, claude_code_session_id: sessionId } = await fired(routine);
  await playRun(runner, run_id, ending);
  await settle(routine.id);
  return sessionId;
}

describe("a dead letter", () => {
  /** Of an event that came while the routine was paused. */
  async function deadLetter() {
    const name = `old ${crypto.randomUUID()}`;
    const routine = await buildRoutine({ triggers: [{ type: "api" }, { type: "event", name }] });
    await call("POST", `/api/v1/routines/${routine.id}/pause`);
    await call<Delivery>("POST", "/api/v1/events", { name, payload: { n: 1 } });
    await settle(routine.id);
    const [letter] = await lettersOf(routine);
    expect(letter).toMatchObject({ reason: "routine_paused", input: { text: expect.stringContaining('"n": 1') } });
    return { routine, id: letter?.id ?? "" };
  }

  async function lettersOf({ id }: Named): Promise<DeadLetter[]> {
    return (await call<Page<DeadLetter>>("GET", `/api/v1/dead-letters?routine=${id}`)).body.data;
  }

  it("is kept for 90 days with its occurrence, and nothing of it after that", async () => {
    const { routine, id } = await deadLetter();
    passDays(89);
    await look(routine);
    expect(await lettersOf(routine)).toMatchObject([{ id }]);
    expect(await occurrencesOf(routine.id)).toMatchObject([{ id }]);
    passDays(2);
    await look(routine);
    expect(await lettersOf(routine)).toEqual([]);
    expect((await call("POST", `/api/v1/dead-letters/${id}/fire`)).status).toBe(404);
    expect(await countOf(routine.id, "dead_letters")).toBe(0);
    // Its occurrence stood as long as the letter did, and goes with the next look.
    passDays(1);
    await look(routine);
    expect(await occurrencesOf(routine.id)).toEqual([]);
  });

  it("keeps its occurrence also where there are more than the instance keeps, and can be fired", async () => {
    const { routine, id } = await deadLetter();
    await call("POST", `/api/v1/routines/${routine.id}/resume`);
    for (let n = 0; n < 3; n += 1) await endRun(routine);
    passDays(3);
    await walkKeeping(routine, { occurrences: 1 });
    expect(await occurrencesOf(routine.id)).toMatchObject([{ outcome: "started" }, { id }]);
    expect(await call("POST", `/api/v1/dead-letters/${id}/fire`)).toMatchObject({ status: 200 });
  });
});

it("a notification is kept for 90 days, and longer while it is still to be sent", async () => {
  vi.mocked(globalThis.fetch).mockImplementation(async () => new Response("taken"));
  const notify = [{ on: ["failed"], webhook: "https://old.example.com/hook" }];
  const routine = await buildRoutine({ notify, retry: { max: 0 } });
  const listed = async () =>
    (await call<Page<Notification>>("GET", `/api/v1/notifications?routine=${routine.id}`)).body.data;
  await endRun(routine, BROKEN);
  passDays(1);
  await endRun(routine, BROKEN);
  await vi.waitFor(async () => expect((await listed()).map(({ status }) => status)).toEqual(["sent", "sent"]));
  passDays(88);
  await look(routine);
  expect(await listed()).toHaveLength(2);
  const [kept] = await listed();
  const far = Date.now() + 400 * 24 * HOUR_MS;
  await rowsOf(routine.id, "UPDATE notifications SET due_at = ? WHERE id = ?", far, kept?.id ?? "");
  passDays(10);
  await look(routine);
  expect((await listed()).map(({ id }) => id)).toEqual([kept?.id]);
  await rowsOf(routine.id, "UPDATE notifications SET due_at = NULL");
  passDays(1);
  await look(routine);
  expect(await listed()).toEqual([]);
  expect(await countOf(routine.id, "notifications")).toBe(0);
});

it("a transcript goes to R2 two days after its session's last run where the object is large", async () => {
  const routine = await buildRoutine();
  // For so long a version that reads none there may be brought back.
  passDays(8);
  const sessionId = await endRun(routine);
  const events = await readTranscript(sessionId);
  const isMoved = async () => (await keysUnder(`transcripts/${routine.id}/`)).length > 0;
  const here = () => countOf(routine.id, "transcript", "key IS NULL");
  const large = { transcriptsHereBytes: 1 };
  passDays(1.9);
  await walkKeeping(routine, large);
  await settle(routine.id);
  expect(await isMoved()).toBe(false);
  passDays(0.2);
  await walkKeeping(routine, {});
  await settle(routine.id);
  expect(await isMoved()).toBe(false);
  await walkKeeping(routine, large);
  await settle(routine.id);
  expect([await isMoved(), await here()]).toEqual([true, 0]);
  expect(await readTranscript(sessionId)).toEqual(events);
});

it("the mark of a push is kept for 30 days", async () => {
  const mark = `push:${crypto.randomUUID()}`;
  const deps = realDeps();
  const due = { ...deps.due, unsettled: async () => [], due: async () => [], withRunsBefore: async () => [] };
  const sweepAfter = async (days: number) => {
    passDays(days);
    const hourMs = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS;
    await sweep({ ...deps, due, sendDue: async () => undefined }, hourMs);
    const count = env.DB.prepare("SELECT COUNT(*) AS count FROM push_marks WHERE mark = ?").bind(mark);
    return (await count.first<{ count: number }>())?.count;
  };
  await deps.matching.notePush([mark], { routine_id: "rtn_old", run_id: "run_old", depth: 0 }, Date.now());
  expect(await sweepAfter(29)).toBe(1);
  expect(await sweepAfter(2)).toBe(0);
});
