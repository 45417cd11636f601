import { vi } from "vitest";

/** What is waited for in vain, by timers that a test has set: time goes on until it is given up. @returns what it was given up with. */
export async function givenUp(work: Promise<unknown>): Promise<unknown> {
  let fault: unknown;
  work.catch((error: unknown) => {
    fault = error;
  });
  while (fault === undefined) await vi.advanceTimersByTimeAsync(1_000);
  return fault;
}
