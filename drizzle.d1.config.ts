import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: ["./durable-objects/projection/schema.ts", "./worker/store/schema.ts"],
  out: "./migrations/d1",
});
