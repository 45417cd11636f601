/** Has the tests that run in Node run as on a later day, where `TEST_DAYS_AHEAD` says so. */
import { clockAhead } from "./clock-ahead.ts";

clockAhead(Number(process.env.TEST_DAYS_AHEAD ?? 0) * 86_400_000);
