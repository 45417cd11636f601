/**
 * A property, held to many inputs: half of them the same each time, so that what was once found stays found, half of them
 * new. A failure prints the smallest input that it could find, and the command by which it is found again.
 */
import fc from "fast-check";
import { it } from "vitest";

/** Of each property. By hand: `FUZZ_RUNS=100000 npm run test:fuzz`. */
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 2_000);
const FIXED_SEED = 20_261_130;
/** Given, it is the only one that is tried. */
const GIVEN_SEED = process.env["FUZZ_SEED"];

const seeds = GIVEN_SEED === undefined ? [FIXED_SEED, Math.floor(Math.random() * 2 ** 31)] : [Number(GIVEN_SEED)];

/** @param share of the runs, for a property whose inputs take longer: 0.1 is a tenth. */
export function holds<Input>(
  title: string,
  inputs: fc.Arbitrary<Input>,
  property: (input: Input) => void | Promise<void>,
  share = 1,
): void {
  it(title, { timeout: 1_800_000 }, async () => {
    for (const seed of seeds) await tried(title, inputs, property, seed, Math.ceil((RUNS * share) / seeds.length));
  });
}

async function tried<Input>(
  title: string,
  inputs: fc.Arbitrary<Input>,
  property: (input: Input) => void | Promise<void>,
  seed: number,
  numRuns: number,
): Promise<void> {
  const details = await fc.check(
    fc.asyncProperty(inputs, async (input) => void (await property(input))),
    { seed, numRuns },
  );
  if (!details.failed) return;
  const again = `FUZZ_SEED=${seed} FUZZ_RUNS=${numRuns} npm run test:fuzz -- -t ${JSON.stringify(title)}`;
  const found = fc.stringify(details.counterexample).slice(0, 2_000);
  throw new Error(`${found}\nAgain: ${again}`, { cause: details.errorInstance });
}
