/**
 * For each file of tests: empties all storage, applies the real migrations of D1, keeps the clock, and shuts the network:
 * a request that no test foresaw fails. At its end no secret may be in what is stored, was logged or was answered.
 */
import type { D1Migration } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeEach, expect, vi } from "vitest";
import type { Env as WorkerEnv } from "#worker/bindings.ts";
import { findSecrets, noteLog } from "./canaries.ts";
import { migrateD1 } from "./d1-schema.ts";
import { emptyStorage } from "./empty-storage.ts";
import { keepClock } from "./platform-clock.ts";
import { untoldRefusals } from "./told-refusals.ts";

declare global {
  namespace Cloudflare {
    interface GlobalProps {
      mainModule: typeof import("#worker/index.ts");
    }
    interface Env extends WorkerEnv {
      readonly TEST_MIGRATIONS: D1Migration[];
      readonly TEST_CLOCK_AHEAD_MS: number;
    }
  }
}

// A clock that the file before has set would stay.
vi.useRealTimers();
await emptyStorage();
await keepClock(env.TEST_CLOCK_AHEAD_MS);
await migrateD1();

noteLog();

afterAll(async () => {
  expect(await findSecrets(), "secrets where none may be").toEqual([]);
  expect(untoldRefusals(), "refusals that the document of the API does not tell of").toEqual([]);
});

beforeEach(() => {
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => {
    const request = new Request(input, init);
    return Promise.reject(new Error(`unforeseen outbound request: ${request.method} ${request.url}`));
  });
});
