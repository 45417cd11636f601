/** The one alarm of an object: each concern by itself, put off longer each time it fails, and told of when it goes on failing. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Alarm, type Concern } from "#durable-objects/alarm.ts";

const START = Date.parse("2026-11-23T08:59:30.000Z");
const HOUR_MS = 3_600_000;

beforeEach(() => {
  vi.useFakeTimers({ now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A concern that is due at a moment, until it is seen to. */
class Due implements Concern {
  readonly name: Concern["name"];
  at: number | null;
  looks = 0;
  fails = false;
  #again: number | null;

  constructor(name: Concern["name"], at: number | null, again: number | null = null) {
    this.name = name;
    this.at = at;
    this.#again = again;
  }

  next(): number | null {
    return this.at;
  }

  look(): void {
    this.looks += 1;
    if (this.fails) throw new Error(`${this.name} fails`);
    this.at = this.#again;
  }
}

function alarmOf(...concerns: Concern[]) {
  const armed: number[] = [];
  const setAlarm = (moment: number | Date) => {
    armed.push(Number(moment));
    return Promise.resolve();
  };
  const alarm = new Alarm("tested", { setAlarm }, concerns, null);
  /** Rings when it is armed for. */
  const ring = () => {
    vi.setSystemTime(armed.at(-1) ?? START);
    alarm.ring();
  };
  return { alarm, armed, ring };
}

describe("the alarm", () => {
  it("sees to what is due, whatever the others throw, and is armed for the earliest of the rest", () => {
    const [broken, due, later] = [
      new Due("outbox", START),
      new Due("viewers", START),
      new Due("schedules", START + 500),
    ];
    broken.fails = true;
    const { alarm, armed } = alarmOf(broken, due, later);
    alarm.ring();
    expect([broken.looks, due.looks, later.looks, armed]).toEqual([1, 1, 0, [START + 500]]);
  });

  it("puts off what fails by a second, and twice as long each time, up to an hour", () => {
    const broken = new Due("deadlines", START);
    broken.fails = true;
    const { alarm, armed, ring } = alarmOf(broken);
    alarm.ring();
    const waits = Array.from({ length: 15 }, () => {
      const wait = (armed.at(-1) ?? 0) - Date.now();
      ring();
      return wait / 1_000;
    });
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 3_600, 3_600, 3_600]);
    expect(waits.every((wait) => wait <= HOUR_MS)).toBe(true);
  });

  it("tells of what has failed ten times in a row, until it goes through", () => {
    const broken = new Due("outbox", START);
    broken.fails = true;
    const { alarm, ring } = alarmOf(broken, new Due("viewers", START));
    alarm.ring();
    for (let failures = 1; failures < 10; failures += 1) {
      expect(alarm.faults()).toEqual([]);
      ring();
    }
    expect(alarm.faults()).toEqual([{ concern: "outbox", failures: 10, outcome: "Error: outbox fails" }]);
    broken.fails = false;
    ring();
    expect(alarm.faults()).toEqual([]);
  });

  it.each([
    ["one that stays due", new Due("outbox", START, START)],
    ["one that is due again in the past", new Due("outbox", START, START - HOUR_MS)],
    ["one that was due long ago", new Due("outbox", START - HOUR_MS, START)],
  ])("is armed for no moment that is over, and does not spin: %s", (_what, concern) => {
    const { alarm, armed, ring } = alarmOf(concern);
    alarm.arm();
    expect(armed).toEqual([START]);
    for (let ringing = 0; ringing < 5; ringing += 1) {
      ring();
      expect(armed.at(-1)).toBeGreaterThanOrEqual(Date.now() + 1_000);
    }
  });

  it("looks soon at one that can't tell when it is due, and never throws", () => {
    const mute: Concern = {
      name: "schedules",
      next: () => {
        throw new Error("fails");
      },
      look: () => {},
    };
    const { alarm, armed } = alarmOf(mute, new Due("viewers", null));
    alarm.arm();
    alarm.ring();
    expect(armed.every((moment) => moment >= START + 1_000)).toBe(true);
    expect(armed.length).toBeGreaterThan(0);
  });
});
