/** The one way to call an object, D1 or R2: within a deadline, and again where the platform calls the failure passing. */

import { errorText } from "#protocol/log.ts";
import { type Failure, TRIES_AT_MOST, waitBeforeNext } from "#rules/calls/retryable.ts";
import { withinDeadline } from "./in-time.ts";

/** A party that has failed for now. `unavailable`: the call may have taken effect. `overloaded`: it has not. */
export class CallFailed extends Error {
  readonly code: "overloaded" | "unavailable";

  /** @param cause the platform's error, whose text the log shows. */
  constructor(code: CallFailed["code"], party: string, cause: unknown) {
    super(`${party}: ${errorText(cause)}`, { cause });
    this.code = code;
  }
}

export interface CallRule {
  /** Who is asked, for the log: `the index`. */
  party: string;
  /** For all tries together, in milliseconds. */
  deadlineMs: number;
  /** Whether the call may be made twice: the first may have been carried out though an error was the answer. */
  isRepeatable: boolean;
  failureOf(error: unknown): Failure;
}

/**
 * Makes a call, and makes it again, up to three times in all, where the failure is a passing one and the call may be repeated.
 * @param ask makes the call; the number of the try begins at 1.
 * @throws NoAnswer when there is none in time. @throws CallFailed when the party fails for now. Other errors are passed on.
 */
export function called<Value>(rule: CallRule, ask: (tries: number) => Promise<Value>): Promise<Value> {
  return withinDeadline(tried(rule, ask), rule.deadlineMs, rule.party);
}

async function tried<Value>(rule: CallRule, ask: (tries: number) => Promise<Value>): Promise<Value> {
  const endsAtMs = Date.now() + rule.deadlineMs;
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask(tries);
    } catch (error) {
      const failure = rule.failureOf(error);
      if (failure === "final") throw error;
      if (failure === "overloaded") throw new CallFailed("overloaded", rule.party, error);
      const waitMs = waitBeforeNext(tries, Math.random());
      if (!rule.isRepeatable || tries === TRIES_AT_MOST || Date.now() + waitMs >= endsAtMs) {
        throw new CallFailed("unavailable", rule.party, error);
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}
