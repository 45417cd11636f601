/**
 * The real tables and rules beside a model that is written from the documents (test/support/admission-model.ts): random
 * sequences of all that can happen, compared after each step. A sequence that differs is made shorter before it is shown.
 */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { afterEach, expect, it, vi } from "vitest";
import { readConfig } from "#instance/config.ts";
import { overlapSchema } from "#protocol/routine.ts";
import { AdmissionModel, type Facts, type Step } from "#test/support/admission-model.ts";
import { RealAdmission } from "#test/support/real-admission.ts";

const START_MS = Date.parse("2026-11-23T08:59:30.000Z");
const MINUTE_MS = 60_000;
/** Of the first policy; each has sequences of its own. */
const SEED = 20261129;
const COALESCE = { byKind: true, windowMs: 30_000 };
const OVERLAPS = overlapSchema.options;

afterEach(() => {
  vi.useRealTimers();
});

const which = fc.nat(20);
/** @param seconds that may pass at one time. */
const stepsOf = (...seconds: number[]): fc.Arbitrary<Step> =>
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant("fire"),
        type: fc.constantFrom("api", "api", "manual"),
        key: fc.constantFrom(null, null, "a", "b"),
        body: fc.constantFrom("one", "one", "one", "other"),
      }),
    },
    {
      weight: 7,
      arbitrary: fc.record({
        do: fc.constant("event"),
        name: fc.constantFrom("alone", "alone", "many", "many", "both"),
        kind: fc.constantFrom("red", "blue"),
        id: fc.constantFrom(..."0123456789ABCDEFGHIJ"),
        content: fc.constantFrom(null, null, null, "x", "y"),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("wait"),
        seconds: fc.constantFrom(...seconds),
        isAlarmLate: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("look", "offer again") }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("pause", "resume", "resume") }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant("change"),
        overlap: fc.constantFrom(...OVERLAPS),
        max: fc.integer({ min: 1, max: 3 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant("coalesce"),
        to: fc.constantFrom(null, COALESCE, { byKind: false, windowMs: 10_000 }, { byKind: true, windowMs: 60_000 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constantFrom("succeed", "lose", "lose", "cancel"), which }),
    },
  ) as fc.Arbitrary<Step>;
/** Of a schedule of every minute what comes within minutes, and of one of every hour what comes within days. */
const worlds = fc.oneof(
  { weight: 3, arbitrary: worldOf(MINUTE_MS, stepsOf(1, 31, 60, 200)) },
  { weight: 1, arbitrary: worldOf(60 * MINUTE_MS, stepsOf(1, 31, 200, 7_200, 86_400)) },
);

it.each(OVERLAPS)("under %s, whatever happens is decided as the documents say", async (overlap) => {
  vi.useFakeTimers({ toFake: ["Date"], now: START_MS });
  const check = readConfig({ ...env, ANTHROPIC_API_KEY: "a key" });
  if (!check.ok) throw new Error("the tests' own configuration is wrong");
  await runInDurableObject(env.ROUTINE.get(env.ROUTINE.idFromName(`model ${overlap}`)), (_object, { storage }) => {
    fc.assert(
      fc.property(worlds, ({ periodMs, sequence }) => {
        const bounds = { max: 2, maxWaitMs: 90_000, retryMs: 600_000, retryMax: 1 };
        const facts: Facts = { overlap, periodMs, coalesce: COALESCE, ...bounds };
        vi.setSystemTime(START_MS);
        const model = new AdmissionModel(facts, START_MS);
        const real = new RealAdmission(storage, check.config, facts);
        for (const step of sequence) {
          // By place among the model's: both have the same runs, or the step before would have differed.
          const place =
            step.do === "succeed" || step.do === "lose" || step.do === "cancel" ? placeOf(model, step) : null;
          const known = model.told.length;
          real.awaitStep(step);
          model.take(step);
          vi.setSystemTime(model.nowMs);
          real.take(step, place);
          expect(real.told(known)).toEqual(model.told.slice(known));
          if (step.do === "wait" && step.isAlarmLate) continue;
          expect(real.runs()).toEqual(model.runs.map(({ status }) => status));
        }
      }),
      { seed: SEED + OVERLAPS.indexOf(overlap), numRuns: 60 },
    );
  });
});

function placeOf(model: AdmissionModel, step: Extract<Step, { which: number }>): number | null {
  const meant = model.meant(step.do);
  return meant[step.which % meant.length] ?? null;
}

function worldOf(periodMs: number, steps: fc.Arbitrary<Step>) {
  const sequence = fc.array(steps, { minLength: 5, maxLength: 40 });
  return fc.record({ periodMs: fc.constant(periodMs), sequence });
}
