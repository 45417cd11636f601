/** The host of containers, with objects of containers that do as the suite says. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { KILL_DEADLINE_MS } from "#durable-objects/pool/hosts/lease-host.ts";
import type { BeginAnswer } from "#instance/object-contracts.ts";
import { grant, LEASE, leaseHostContract, OTHER } from "#test/contracts/lease-host.ts";
import { makeContainerHost } from "#test/support/container-host.ts";

afterEach(() => {
  vi.useRealTimers();
});

leaseHostContract("a host of containers", makeContainerHost);

/** A host with room for so many, of which the first has the lease. */
async function offered(places = 1) {
  const made = await makeContainerHost();
  await made.makeRoom(places);
  const host = await made.use((it) => it);
  const place = host.place(new Map(), Date.now()) ?? "";
  await host.offer(place, grant(LEASE));
  return { ...made, host, place, held: new Map([[place, 1]]), container: made.asked(LEASE) };
}

describe("a container's object", () => {
  it("is told where to report, and gets more time for the first container than for the next", async () => {
    const { host, place, held, container, asked, changes } = await offered(2);
    container.begun.resolve("begun");
    await vi.waitUntil(() => changes() === 1);
    const second = host.place(held, Date.now()) ?? "";
    await host.offer(second, grant(OTHER));
    expect(container.orders).toEqual([{ ...grant(LEASE), pool: "default", place, start_within_ms: 180_000 }]);
    expect(asked(OTHER).orders).toMatchObject([{ place: second, start_within_ms: 60_000 }]);
  });

  it.each<[string, number, (begun: PromiseWithResolvers<BeginAnswer>) => void]>([
    ["that fails to begin", 0, ({ reject }) => reject(new Error("internal error; reference = 0"))],
    ["that never answers", 8_000, () => {}],
  ])("%s lets the lease wait, and is asked again after a pause", async (_what, afterMs, answer) => {
    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: Date.now() });
    const { host, place, container, reports, changes } = await offered();
    answer(container.begun);
    await vi.advanceTimersByTimeAsync(afterMs);
    expect(reports).toEqual([{ type: "declined", place, lease: LEASE }]);
    expect(changes()).toBe(1);
    const next = host.next(Date.now(), new Map());
    expect(host.place(new Map(), Number(next) - 1)).toBeNull();
    const again = host.place(new Map(), Number(next)) ?? "";
    expect(again).not.toBe(place);
    container.begun = Promise.withResolvers();
    container.begun.resolve("begun");
    await host.offer(again, grant(LEASE));
    await vi.waitUntil(() => reports.length === 2);
    expect(reports.at(-1)).toEqual({ type: "accepted", place: again, lease: LEASE });
  });

  it("waits longer after each refusal for want of room, and not at all once another has ended", async () => {
    const { host, held, place } = await offered(2);
    const nowMs = Date.now();
    const waits = [1, 2, 3].map((generation) => {
      host.hear({ place: "container-x", lease: { ...OTHER, generation }, end: "declined" }, nowMs);
      return Number(host.next(nowMs, new Map())) - nowMs;
    });
    expect(waits).toEqual([2_000, 4_000, 8_000]);
    expect(host.place(held, nowMs)).toBeNull();
    host.hear({ place, lease: LEASE, end: "work_ended" }, nowMs);
    expect(host.place(new Map(), nowMs)).not.toBeNull();
  });

  it("is not lost while it says from time to time that it is there", async () => {
    const { host, place, held, reports, container } = await offered();
    container.begun.resolve("begun");
    const startMs = Date.now();
    for (let atMs = startMs; atMs < startMs + 3_600_000; atMs += 60_000) {
      host.look(atMs, held);
      expect(host.hear({ place, lease: LEASE, end: null }, atMs)).toBe("held");
    }
    expect(reports.filter(({ type }) => type === "lost")).toEqual([]);
  });

  it("has a while to say that it is there after the clock has jumped", async () => {
    const { host, place, held, reports, container } = await offered();
    const wokenMs = Date.now() + 8 * 3_600_000;
    host.look(wokenMs, held);
    expect([host.next(wokenMs, held), container.looks]).toEqual([wokenMs + 30_000, 1]);
    host.hear({ place, lease: LEASE, end: null }, wokenMs + 500);
    host.look(wokenMs + 30_000, held);
    expect(reports.map(({ type }) => type)).not.toContain("lost");
  });

  it("has to end when the pool has given its lease to another, or to nobody", async () => {
    const { host, place, disowned } = await offered();
    disowned.push(LEASE);
    expect(host.hear({ place, lease: LEASE, end: null }, Date.now())).toBe("unknown");
  });

  it("that is silent is lost, and ended, though its pool leaves memory between any two alarms", async () => {
    const { reopen, place, held, reports, container } = await offered();
    const startMs = Date.now();
    let atMs = startMs;
    for (let alarms = 0; alarms < 10; alarms += 1) {
      const host = reopen();
      // Whatever wakes the pool arms its alarm again before that rings.
      host.next(atMs, held);
      host.look(atMs, held);
      if (reports.at(-1)?.type === "lost") break;
      atMs = host.next(atMs, held) ?? atMs;
    }
    expect(reports.at(-1)).toEqual({ type: "lost", place });
    expect([atMs - startMs <= 201_000, container.looks]).toEqual([true, 1]);
    expect(container.received.at(-1)).toEqual({ type: "kill", lease: LEASE });
  });

  it("that does not say that it was killed is lost, though its pool leaves memory meanwhile", async () => {
    const { host, reopen, place, held, reports } = await offered();
    const nowMs = Date.now();
    host.kill(place, LEASE, nowMs);
    reopen().look(nowMs + KILL_DEADLINE_MS, held);
    expect(reports.at(-1)).toEqual({ type: "lost", place });
  });

  it("of which nothing is known is not lost before it could say that it is there", async () => {
    const { reports, reopen } = await makeContainerHost();
    const held = new Map([["container-of-before", 1]]);
    const nowMs = Date.now();
    const next = Number(reopen().next(nowMs, held));
    expect(next).toBeGreaterThan(nowMs + 120_000);
    reopen().look(nowMs, held);
    expect(reports).toEqual([]);
    reopen().look(next, held);
    reopen().look(Number(reopen().next(next, held)), held);
    expect(reports).toEqual([{ type: "lost", place: "container-of-before" }]);
  });
});

it("says why it starts none though there is room: the platform has none, or nobody answers", async () => {
  vi.useFakeTimers();
  const { host, place, held, makeRoom } = await offered(2);
  expect(host.obstacle(held, Date.now())).toBeNull();
  await vi.advanceTimersByTimeAsync(8_000);
  expect(host.obstacle(held, Date.now())).toBe("silent");
  host.hear({ place, lease: LEASE, end: "declined" }, Date.now());
  expect(host.obstacle(held, Date.now())).toBe("no_room");
  await makeRoom(1);
  expect(host.obstacle(held, Date.now())).toBeNull();
  await makeRoom(2);
  expect(host.obstacle(held, Date.now() + 60_000)).toBeNull();
});
