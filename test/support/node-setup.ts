/** For each file of tests that runs in Node: the real clock, or as on a later day where `TEST_DAYS_AHEAD` says so. */
import { vi } from "vitest";
import { clockAhead } from "./clock-ahead.ts";

// A clock that the file before has set would stay.
vi.useRealTimers();
clockAhead(Number(process.env.TEST_DAYS_AHEAD ?? 0) * 86_400_000);
