import { defineConfig } from "vitest/config";

/** Every parser of what comes from outside, held to whatever may come: `npm run test:fuzz`. */
export default defineConfig({
  test: {
    silent: "passed-only",
    include: ["test/fuzz/**/*.test.ts"],
    environment: "node",
    maxWorkers: 2,
  },
});
