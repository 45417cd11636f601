/** The sweep asks what is due itself: what answers is done at once, and the queue has what does not, or what is too much. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DueAnswer } from "#instance/object-contracts.ts";
import { type Result, success } from "#protocol/errors.ts";
import { buildRoutine } from "#test/support/api.ts";
import { countsOf, dueRowOf, occurrencesOf, realDeps, tick } from "#test/support/clock.ts";
import type { ClockMessage } from "#worker/bindings.ts";
import { lookAt } from "#worker/clock/look-at.ts";
import { reachDue } from "#worker/clock/reach-due.ts";

const NINE = "2026-11-23T09:00:00.000Z";
const NINE_MS = Date.parse(NINE);
const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NINE_MS - 30_000 });
});
afterEach(async () => {
  vi.useRealTimers();
  await env.DB.exec("DELETE FROM due_routines");
});

/** Rows of routines whose objects are the test's own: `due-1`, `due-2` and so on. */
async function addRows(count: number): Promise<void> {
  await env.DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
    INSERT INTO due_routines (routine_id, due_at, version) SELECT 'due-' || i, ?2, 1 FROM n`,
  )
    .bind(count, NINE_MS)
    .run();
}

type Look = (id: string) => Promise<Result<DueAnswer>>;
const TOMORROW: Result<DueAnswer> = success({ due_at: NINE_MS + DAY_MS, version: 1, faults: [] });
const never: Look = () => new Promise(() => undefined);

/** A sweep at nine whose objects answer as the test says. */
function reach(look: Look, isLocal = false) {
  const asked: string[] = [];
  const quiets: number[] = [];
  const sent: string[] = [];
  let open = 0;
  const most = { atOnce: 0 };
  const lookAtSchedules = async (id: string, quietMs = Number.NaN) => {
    asked.push(id);
    quiets.push(quietMs);
    open += 1;
    most.atOnce = Math.max(most.atOnce, open);
    return await look(id).finally(() => {
      open -= 1;
    });
  };
  const { due } = realDeps();
  const ownerOf = (id: string) => ({ lookAtSchedules: (quietMs?: number) => lookAtSchedules(id, quietMs) });
  const sendDue = async (messages: readonly ClockMessage[]) => {
    sent.push(...messages.map(({ routine_id }) => routine_id));
  };
  const over = reachDue({ due, ownerOf, sendDue, config: { isLocal } }, NINE_MS);
  return { over, asked, sent, most, quiets };
}

async function dueAtNine(): Promise<number> {
  const row = await env.DB.prepare("SELECT COUNT(*) AS count FROM due_routines WHERE due_at <= ?")
    .bind(NINE_MS)
    .first<{ count: number }>();
  return row?.count ?? 0;
}

describe("a sweep", () => {
  it("has what is due fire before it ends, and tells D1 when it is due next", async () => {
    const routine = await buildRoutine({ triggers: [{ type: "schedule", cron: "0 9 * * *" }] });
    vi.setSystemTime(NINE_MS);
    const sendDue = async () => expect.unreachable("nothing is left for the queue");
    await reachDue({ ...realDeps(), sendDue }, NINE_MS);
    expect(await countsOf(routine.id)).toEqual({ "started admitted": 1 });
    expect(await dueRowOf(routine.id)).toBe("2026-11-24T09:00:00.000Z");
  });

  it("fires once when the queue brings the same again afterwards", async () => {
    const routine = await buildRoutine({ triggers: [{ type: "schedule", cron: "0 9 * * *" }] });
    await tick(NINE);
    const messages = [{ routine_id: routine.id }, { routine_id: routine.id }];
    await Promise.all([lookAt(realDeps(), messages), lookAt(realDeps(), messages)]);
    expect(await occurrencesOf(routine.id)).toHaveLength(1);
  });

  it("asks five hundred at one time, each once, whatever there is", async () => {
    await addRows(1_250);
    const { over, asked, sent, most } = reach(async () => TOMORROW);
    await over;
    expect(new Set(asked).size).toBe(1_250);
    expect(asked).toHaveLength(1_250);
    expect(sent).toEqual([]);
    expect(most.atOnce).toBeLessThanOrEqual(500);
    expect(await dueAtNine()).toBe(0);
  });

  it("goes on with a thousand others while one does not answer, which is left to the queue", async () => {
    await addRows(1_000);
    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: NINE_MS });
    const { over, asked, sent } = reach((id) => (id === "due-500" ? never(id) : Promise.resolve(TOMORROW)));
    // All but the last ones, which wait to be written together.
    await vi.waitFor(async () => expect(await dueAtNine()).toBeLessThanOrEqual(500), { interval: 1, timeout: 20_000 });
    await vi.waitFor(() => expect(new Set(asked).size).toBe(1_000), { interval: 1, timeout: 20_000 });
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(5_000);
    await over;
    expect(sent).toEqual(["due-500"]);
    expect(await dueAtNine()).toBe(0);
    expect(await dueRowOf("due-500")).toBe("2026-11-23T09:00:30.000Z");
  });

  it("is over after half a minute when nobody answers, and leaves all to the queue", async () => {
    await addRows(4_000);
    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: NINE_MS });
    const { over, asked, sent } = reach(never);
    let isOver = false;
    const ended = over.finally(() => {
      isOver = true;
    });
    while (!isOver) await vi.advanceTimersByTimeAsync(1_000);
    await ended;
    expect(Date.now() - NINE_MS).toBeLessThanOrEqual(40_000);
    expect(asked.length).toBeLessThan(4_000);
    expect(new Set(sent).size).toBe(4_000);
    expect(await dueAtNine()).toBe(0);
  });

  it("asks 5,000 itself, and leaves the others to the queue", async () => {
    await addRows(5_120);
    const { over, asked, sent } = reach(async () => TOMORROW);
    await over;
    expect(asked).toHaveLength(5_000);
    expect(new Set([...asked, ...sent]).size).toBe(5_120);
    expect(await dueAtNine()).toBe(0);
  });

  it("leaves to the queue what has more to fire, and what fails", async () => {
    await addRows(3);
    const { over, sent } = reach(async (id) => {
      if (id === "due-1") return success({ due_at: NINE_MS, version: 1, faults: [] });
      if (id === "due-2") throw new Error("out of order");
      return TOMORROW;
    });
    await over;
    expect(sent.toSorted()).toEqual(["due-1", "due-2"]);
    expect(await dueRowOf("due-3")).toBe("2026-11-24T09:00:00.000Z");
  });
});

describe("a sweep of a local instance, whose objects share a thread", () => {
  it("lets what follows from a run that is alone go on at once", async () => {
    await addRows(1);
    const { over, quiets } = reach(async () => TOMORROW, true);
    await over;
    expect(quiets).toEqual([0]);
  });

  it("lets what follows wait for as long as the others need, as far as it knows, and for ten seconds at most", async () => {
    await addRows(5_120);
    vi.setSystemTime(NINE_MS);
    let looks = 0;
    const { over, asked, sent, quiets, most } = reach(async () => {
      looks += 1;
      if (looks % 100 === 0) vi.setSystemTime(Date.now() + 400);
      return TOMORROW;
    }, true);
    await over;
    expect([new Set(asked).size, asked.length, sent.length]).toEqual([5_000, 5_000, 120]);
    expect(most.atOnce).toBeLessThanOrEqual(100);
    // At first a millisecond for each that has been read, then what a look has been seen to take.
    expect(quiets[0]).toBe(4_999);
    expect(Math.max(...quiets)).toBe(10_000);
    expect(quiets.at(-1)).toBeLessThan(500);
    expect(await dueAtNine()).toBe(0);
  });

  it("lets nothing wait for less than no time where the clock is put back meanwhile", async () => {
    await addRows(300);
    vi.setSystemTime(NINE_MS);
    let looks = 0;
    const { over, quiets } = reach(async () => {
      looks += 1;
      if (looks === 100) vi.setSystemTime(NINE_MS - 3_600_000);
      return TOMORROW;
    }, true);
    await over;
    expect(Math.min(...quiets)).toBe(0);
  });

  it("is not asked to wait where every object has a thread of its own", async () => {
    await addRows(150);
    const { over, quiets } = reach(async () => TOMORROW);
    await over;
    expect(new Set(quiets)).toEqual(new Set([0]));
  });
});

describe("a sweep that is cut off", () => {
  it.each(["settle", "sendDue", "postpone"] as const)(
    "at %s leaves what it had not done to the next one",
    async (at) => {
      const kept = await buildRoutine({ triggers: [{ type: "schedule", cron: "0 9 * * *" }] });
      const silent = await buildRoutine({ triggers: [{ type: "schedule", cron: "0 9 * * *" }] });
      vi.setSystemTime(NINE_MS);
      const deps = realDeps();
      const dies = async () => Promise.reject(new Error("cut off"));
      const due = at === "sendDue" ? deps.due : { ...deps.due, [at]: dies };
      const sent: ClockMessage[] = [];
      const sendDue =
        at === "sendDue" ? dies : async (messages: readonly ClockMessage[]) => void sent.push(...messages);
      const ownerOf = (id: string) =>
        id === silent.id ? { lookAtSchedules: () => Promise.reject(new Error("gone")) } : deps.ownerOf(id);
      await expect(reachDue({ ...deps, due, sendDue, ownerOf }, NINE_MS)).rejects.toThrow("cut off");
      await tick("2026-11-23T09:01:00.000Z");
      for (const { id } of [kept, silent]) {
        expect(await countsOf(id)).toEqual({ "started admitted": 1 });
        expect(await dueRowOf(id)).toBe("2026-11-24T09:00:00.000Z");
      }
      await lookAt(realDeps(), sent);
      for (const { id } of [kept, silent]) expect(await occurrencesOf(id)).toHaveLength(1);
    },
  );
});
