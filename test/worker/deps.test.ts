/** What the worker's requests share, made once for each environment. */
import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import { depsOf } from "#worker/deps.ts";

afterEach(() => {
  vi.useRealTimers();
});

it("has no clock of its own, but asks the one that there is", () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2031, 0, 1) });
  const made = depsOf({ ...env });
  if (!made.ok) throw new Error("there are no dependencies");
  // Another clock, not the same that is set anew.
  vi.useRealTimers();
  const nowMs = Date.UTC(2030, 0, 1);
  vi.useFakeTimers({ toFake: ["Date"], now: nowMs });
  expect(made.deps.loginParts.now()).toBe(nowMs);
});
