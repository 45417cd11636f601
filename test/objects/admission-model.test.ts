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
const OVERLAPS = overlapSchema.options;

afterEach(() => {
  vi.useRealTimers();
});

const which = fc.nat(20);
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("fire" as const), key: fc.constantFrom(null, null, "a", "b") }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("event" as const),
      coalesces: fc.boolean(),
      kind: fc.constantFrom("red", "blue"),
      id: fc.constantFrom(..."0123456789ABCDEFGHIJ"),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("wait" as const), seconds: fc.constantFrom(1, 31, 60, 200) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("look" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("pause" as const, "resume" as const, "resume" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("change" as const),
      overlap: fc.constantFrom(...OVERLAPS),
      max: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom("succeed" as const, "lose" as const, "lose" as const, "cancel" as const),
      which,
    }),
  },
);

it.each(OVERLAPS)("under %s, whatever happens is decided as the documents say", async (overlap) => {
  vi.useFakeTimers({ toFake: ["Date"], now: START_MS });
  const check = readConfig({ ...env, ANTHROPIC_API_KEY: "a key" });
  if (!check.ok) throw new Error("the tests' own configuration is wrong");
  const facts: Facts = { overlap, max: 2, windowMs: 30_000, maxWaitMs: 90_000, retryMs: 600_000, retryMax: 1 };
  await runInDurableObject(env.ROUTINE.get(env.ROUTINE.idFromName(`model ${overlap}`)), (_object, { storage }) => {
    fc.assert(
      fc.property(fc.array(steps, { minLength: 5, maxLength: 40 }), (sequence) => {
        vi.setSystemTime(START_MS);
        const model = new AdmissionModel(facts, START_MS);
        const real = new RealAdmission(storage, check.config, facts);
        for (const step of sequence) {
          // By place among the model's: both have the same runs, or the step before would have differed.
          const place =
            step.do === "succeed" || step.do === "lose" || step.do === "cancel" ? placeOf(model, step) : null;
          model.take(step);
          vi.setSystemTime(model.nowMs);
          real.take(step, place);
          expect({ told: real.told(), runs: real.runs() }).toEqual({
            told: model.told,
            runs: model.runs.map(({ status }) => status),
          });
        }
      }),
      { seed: 20261129, numRuns: 80 },
    );
  });
});

function placeOf(model: AdmissionModel, step: Extract<Step, { which: number }>): number | null {
  const meant = model.meant(step.do);
  return meant[step.which % meant.length] ?? null;
}
