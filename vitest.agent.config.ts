import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** By their size they are short, and would begin when nothing else is left to go beside them: they wait more than they work. */
const LONG = /\/(?:bounds|machine|fault-table|background)\.e2e\.ts$/;

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => LONG.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/** The wide tables over the real agent, the real sandbox and git: `npm run test:agent`. They take minutes, and the gate runs them by themselves. */
export default defineConfig({
  test: {
    silent: "passed-only",
    include: ["test/runner/**/*.e2e.ts", "test/scripts/hibernation.e2e.ts"],
    environment: "node",
    setupFiles: ["./test/support/patient-waits.ts"],
    testTimeout: 120_000,
    // As in the project "runner": real sandboxes on a loaded machine.
    retry: 1,
    hookTimeout: 60_000,
    // Runs are waited for about half of the time: more workers than cores use it.
    maxWorkers: 3,
    maxConcurrency: 3,
    sequence: { sequencer: LongFirst },
  },
});
