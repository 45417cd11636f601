import { defineConfig } from "vitest/config";

/** The wide tables over the real agent: `npm run test:agent`. Each line is a run of its own, so they are no part of the gate. */
export default defineConfig({
  test: {
    silent: "passed-only",
    include: ["test/runner/**/*.e2e.ts"],
    environment: "node",
    testTimeout: 120_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
    maxConcurrency: 3,
  },
});
