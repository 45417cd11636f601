/** What the worker and a routine's object say to each other while a call waits for the end of a run: closes, and no message. */

/** So many calls wait at one object at most. */
export const WAITERS_AT_MOST = 100;

export const WAITER_CLOSE = {
  /** There is nothing to wait for any more: the run is read again. */
  ended: 1000,
  noSuchRun: 4404,
  tooMany: 4429,
} as const;
