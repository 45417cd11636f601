import { defineConfig } from "vitest/config";

/** `reveille` as it is installed, and runs on other machines, users and engines than the project's own: `npm run test:cli`. */
export default defineConfig({
  test: {
    silent: "passed-only",
    include: ["test/cli/**/*.e2e.ts"],
    environment: "node",
    setupFiles: ["./test/support/patient-waits.ts"],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // Real sandboxes and containers on a loaded machine.
    retry: 1,
    maxWorkers: 1,
  },
});
