/** The limit of the whole instance: what many isolates let in that hear of each other late. */
import { describe, expect, it } from "vitest";
import { MINUTE_MS, MinuteCount } from "#rules/gate/minute-count.ts";
import { type Arrival, type Outcome, play, type World } from "./support/gate-world.ts";
import { chance } from "./support/random.ts";

/** The default: with it an isolate lets one in before it has been heard. */
const LIMIT = 6_000;
/** How many isolates, how far away there and back, in milliseconds, and the limit: with a smaller one each asks first. */
const PLACES = [
  { isolates: 1, distanceMs: 200, limit: 1_000 },
  { isolates: 200, distanceMs: 0, limit: 1_000 },
  { isolates: 1_000, distanceMs: 0, limit: 1_200 },
  { isolates: 1_000, distanceMs: 200, limit: LIMIT },
  // Four may be unheard of: what is let in is told together.
  { isolates: 200, distanceMs: 2, limit: 20_000 },
];

type Pattern = (isolates: number, limit: number) => Arrival[];

/** So many requests, evenly over a time, each in an isolate drawn by chance. */
function evenly(count: number, fromMs: number, toMs: number, isolates: number): Arrival[] {
  const random = chance(count + isolates);
  return Array.from({ length: count }, (_, number) => ({
    atMs: fromMs + Math.floor(((toMs - fromMs) * number) / count),
    isolate: random.below(isolates),
  }));
}

const inTurn = (count: number, atMs: number, isolates: number): Arrival[] =>
  Array.from({ length: count }, (_, number) => ({ atMs, isolate: number % isolates }));

/** What stays within the limit, whatever the isolates and the distance. */
const WITHIN: Record<string, Pattern> = {
  "one request in each isolate, at once": (isolates) => inTurn(isolates, 5, isolates),
  "300 at once": (isolates) => inTurn(300, 5, isolates),
  "the whole limit at once": (isolates, limit) => inTurn(limit, 5, isolates),
  "the whole limit at once, and again a minute later": (isolates, limit) => [
    ...inTurn(limit, 5, isolates),
    ...inTurn(limit, 60_005, isolates),
  ],
  "the whole limit in one isolate, after all others have had one": (isolates, limit) => [
    ...inTurn(isolates, 5, isolates),
    ...inTurn(limit - isolates, 2_000, 1),
  ],
  "exactly the limit, for two minutes": (isolates, limit) => evenly(2 * limit, 0, 120_000, isolates),
};

/** What is more than the limit, and comes slowly enough to be heard of: no more than a third of it within a second. */
const BEYOND: Record<string, Pattern> = {
  "twice the limit, for a minute and a half": (isolates, limit) => evenly(3 * limit, 0, 90_000, isolates),
  "ten times the limit, for half a minute": (isolates, limit) => evenly(5 * limit, 0, 30_000, isolates),
  "a fifth of the limit at once, every five seconds": (isolates, limit) =>
    Array.from({ length: 15 }, (_, wave) => inTurn(limit / 5, 5_000 * wave, isolates)).flat(),
  "half of it in one isolate, the rest wherever": (isolates, limit) =>
    evenly(3 * limit, 0, 60_000, isolates).map((arrival, number) =>
      number % 2 === 0 ? { ...arrival, isolate: 0 } : arrival,
    ),
  "slowly up to twenty times the limit": (isolates, limit) =>
    [1, 2, 5, 10, 20].flatMap((times, step) =>
      evenly((times * limit) / 12, 5_000 * step, 5_000 * (step + 1), isolates),
    ),
};

function rows(patterns: Record<string, Pattern>) {
  return Object.entries(patterns).flatMap(([name, pattern]) => PLACES.map((place) => ({ name, pattern, ...place })));
}

function keepsItsWord(outcome: Outcome, limit: number): void {
  expect(outcome.refusedBelowLimit).toBe(0);
  expect(outcome.longestWaitMs).toBeLessThanOrEqual(10);
  expect(outcome.mostInAMinute).toBeLessThanOrEqual(1.2 * limit);
}

/** Random, but the same each time: who asks when, from how far. */
function anything(seed: number): World {
  const random = chance(seed);
  const limit = random.pick([1, 7, 60, 600, LIMIT]);
  const isolates = 1 + random.below(Math.max(1, Math.min(1_000, Math.floor(limit / 6))));
  const near = Array.from({ length: isolates }, () => random.below(3));
  const arrivals = Array.from({ length: 4 }, () => {
    const fromMs = random.below(100_000);
    return evenly(random.below(Math.min(2 * limit, 4_000)) + 1, fromMs, fromMs + 1 + random.below(30_000), isolates);
  });
  return { limit, arrivals: arrivals.flat(), distanceMs: (isolate) => near[isolate] ?? 0 };
}

describe("within the limit nobody is refused", () => {
  it.each(rows(WITHIN))(
    "$name: $isolates isolates, $distanceMs ms away",
    ({ pattern, isolates, distanceMs, limit }) => {
      const outcome = play({ limit, arrivals: pattern(isolates, limit), distanceMs: () => distanceMs / 2 });
      expect(outcome.refused).toBe(0);
      keepsItsWord(outcome, limit);
    },
  );
});

describe("beyond the limit some are refused, and at most a fifth too many get in", () => {
  it.each(rows(BEYOND))(
    "$name: $isolates isolates, $distanceMs ms away",
    ({ pattern, isolates, distanceMs, limit }) => {
      const outcome = play({ limit, arrivals: pattern(isolates, limit), distanceMs: () => distanceMs / 2 });
      expect(outcome.refused).toBeGreaterThan(0);
      expect(outcome.mostInAMinute).toBeGreaterThanOrEqual(limit);
      keepsItsWord(outcome, limit);
    },
  );
});

describe("a flood within one moment", () => {
  it.each([
    { limit: LIMIT, isolates: 1, distanceMs: 200 },
    { limit: LIMIT, isolates: 200, distanceMs: 0 },
    { limit: LIMIT, isolates: 1_000, distanceMs: 4 },
    { limit: 60, isolates: 1_000, distanceMs: 4 },
    { limit: 1, isolates: 1_000, distanceMs: 2 },
  ])(
    "is held where the counter can be heard of in time: $limit a minute, $isolates isolates, $distanceMs ms",
    (row) => {
      const arrivals = inTurn(7_000, 5, row.isolates);
      const outcome = play({ limit: row.limit, arrivals, distanceMs: () => row.distanceMs / 2 });
      expect(outcome.in).toBeGreaterThanOrEqual(row.limit);
      keepsItsWord(outcome, row.limit);
    },
  );

  it("gets in where it can't, and what follows is refused until a minute later", () => {
    const flood = inTurn(7_000, 5, 200);
    const after = evenly(6_000, 1_000, 60_000, 200);
    const last = inTurn(1_000, 60_300, 200);
    const outcome = play({ limit: LIMIT, arrivals: [...flood, ...after, ...last], distanceMs: () => 100 });
    expect(outcome).toMatchObject({ refusedBelowLimit: 0, longestWaitMs: 8 });
    expect(outcome.in).toBeGreaterThanOrEqual(8_000);
    // Each isolate may have to let one more in before it hears.
    expect(outcome.in).toBeLessThanOrEqual(8_200);
  });
});

describe("a counter that never answers", () => {
  it.each([1, 200, 1_000])("makes nobody wait, and %i isolates each keep to the limit by themselves", (isolates) => {
    const arrivals = [...inTurn(2_000, 5, isolates), ...inTurn(2_000, 20_000, isolates)];
    const outcome = play({ limit: LIMIT, arrivals, distanceMs: () => Number.POSITIVE_INFINITY });
    expect(outcome).toMatchObject({ in: 4_000, refused: 0 });
    expect(outcome.longestWaitMs).toBeLessThanOrEqual(10);
    const alone = play({ limit: 100, arrivals, distanceMs: () => Number.POSITIVE_INFINITY });
    expect(alone.in).toBe(Math.min(4_000, 100 * isolates));
    expect(alone.refusedBelowLimit).toBe(0);
  });
});

it("a counter that has forgotten everything lets at most the limit in once more", () => {
  const arrivals = [...inTurn(3_000, 5, 20), ...inTurn(3_000, 40_000, 20)];
  const outcome = play({ limit: 1_500, arrivals, distanceMs: () => 1, restartedAtMs: 30_000 });
  expect(outcome.refusedBelowLimit).toBe(0);
  expect(outcome.mostInAMinute).toBeLessThanOrEqual(2.2 * 1_500);
});

it.each([0, 200])("who starts nothing takes no place away for long, %i ms away", (distanceMs) => {
  // Strangers without a token, in all isolates; afterwards somebody in one of them, or in another.
  const strangers = evenly(2_000, 0, 20_000, 20).map((arrival) => ({ ...arrival, returnedAfterMs: 30 }));
  const flood = inTurn(2_000, 30_000, 20).map((arrival) => ({ ...arrival, returnedAfterMs: 30 }));
  const people = [...evenly(50, 5_000, 20_000, 40), ...evenly(50, 33_000, 40_000, 40)];
  const outcome = play({ limit: 100, arrivals: [...strangers, ...flood, ...people], distanceMs: () => distanceMs / 2 });
  // From afar the first in each isolate may be refused by old news, and brings the new.
  expect(outcome.refused).toBeLessThanOrEqual(distanceMs === 0 ? 0 : 20);
  expect(outcome.in).toBe(100 - outcome.refused);
});

it.each(Array.from({ length: 20 }, (_, seed) => seed))("holds whatever comes, from nearby: %i", (seed) => {
  const world = anything(seed);
  keepsItsWord(play(world), world.limit);
});

it("asks the counter about once for each request at most, and about fewer when many come together", () => {
  const slowly = play({ limit: LIMIT, arrivals: evenly(1_000, 0, 50_000, 20), distanceMs: () => 50 });
  expect(slowly.calls).toBeLessThanOrEqual(1_000);
  const together = play({ limit: LIMIT, arrivals: inTurn(5_000, 5, 1), distanceMs: () => 1 });
  expect(together.calls).toBeLessThanOrEqual(4);
  const oneByOne = evenly(5_000, 0, 10_000, 1);
  expect(play({ limit: 60_000, arrivals: oneByOne, distanceMs: () => 1 }).calls).toBeLessThanOrEqual(1_500);
  expect(play({ limit: LIMIT, arrivals: oneByOne, distanceMs: () => 1 }).calls).toBe(5_000);
  const refused = play({ limit: 100, arrivals: evenly(10_000, 0, 50_000, 1), distanceMs: () => 1 });
  expect(refused.calls).toBeLessThanOrEqual(200);
});

describe("MinuteCount", () => {
  it("counts as a list of all times does", () => {
    for (let seed = 0; seed < 8; seed += 1) {
      const random = chance(seed);
      const count = new MinuteCount();
      let times: number[] = [];
      let nowMs = 0;
      for (let step = 0; step < 200; step += 1) {
        nowMs += random.below(random.pick([3, 3, 1_000, 40_000]));
        const atMs = nowMs - random.below(random.pick([1, 400]));
        if (random.below(4) > 0) {
          count.add(atMs);
          times.push(atMs);
        } else {
          const given = random.below(2) === 0 ? times[random.below(Math.max(1, times.length))] : atMs;
          count.remove(given ?? -1);
          const place = times.indexOf(given ?? -1);
          if (place >= 0) times.splice(place, 1);
        }
        count.forget(nowMs);
        times = times.filter((time) => time + MINUTE_MS > nowMs).sort((left, right) => left - right);
        expect(count.total).toBe(times.length);
        const limits = [1, 2, 5, 50, times.length + 1];
        const untils = limits.map((limit) => (times[times.length - limit] ?? Number.NaN) + MINUTE_MS);
        expect(limits.map((limit) => count.fullUntil(limit) ?? Number.NaN)).toEqual(untils);
      }
    }
  });
});
