import { defineConfig } from "vitest/config";

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
    maxWorkers: 2,
    maxConcurrency: 3,
  },
});
