import { defineConfig } from "vitest/config";

/** Kinds of repositories, of checked-in settings and of model answers, each by a run of the real agent and git: `npm run test:repositories`. */
export default defineConfig({
  test: {
    silent: "passed-only",
    include: ["test/repositories/**/*.e2e.ts"],
    environment: "node",
    setupFiles: ["./test/support/patient-waits.ts"],
    testTimeout: 120_000,
    // As in the project "runner": real sandboxes on a loaded machine.
    retry: 1,
    hookTimeout: 60_000,
    // Runs are waited for about half of the time: more workers than cores use it.
    maxWorkers: 3,
    maxConcurrency: 4,
  },
});
