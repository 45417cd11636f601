import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: [
    "./instance/d1/schema.ts",
    "./instance/d1/github-schema.ts",
    "./instance/d1/pools-schema.ts",
    "./instance/d1/secrets-schema.ts",
    "./instance/d1/environments-schema.ts",
    "./instance/d1/connectors-schema.ts",
    "./instance/d1/dead-letters-schema.ts",
    "./instance/d1/notifications-schema.ts",
    "./instance/d1/idempotency-schema.ts",
  ],
  out: "./migrations/d1",
});
