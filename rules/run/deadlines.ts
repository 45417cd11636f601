/** How long the phases of a run may take, in milliseconds. */

/** How long a run may wait for its environment to be looked up. */
export const ENVIRONMENT_MS = 60 * 60_000;
/** How long a run may wait for a runner: while its pool has none at all, and while all of them are busy. */
export const PROVISIONING_MS = { noRunner: 10 * 60_000, busy: 60 * 60_000 } as const;
/**
 * The runner's own bounds on the phases before the agent; they go into its order. A clone may take longer while it receives: its
 * bound is on the time in which nothing comes.
 */
export const PHASE_DEADLINES_MS = { clone: 10 * 60_000, setup: 10 * 60_000, agentStart: 60_000 } as const;
/** How long work in the background alone keeps an agent that has ended its turn and not reported. */
export const BACKGROUND_WAIT_MS = 10 * 60_000;
/** For each hook of a repository; the runner gives it a third of the attempt's time at most. */
export const HOOK_DEADLINE_MS = 10 * 60_000;
/** The least of the object's backstop behind them, for a runner that keeps its lease and does nothing. */
export const START_BACKSTOP_MS = 25 * 60_000;
/** The object's backstop behind the runner's own bound on the whole attempt. */
export const TIMEOUT_GRACE_MS = 30_000;
/** A run waits at most so long before its next attempt because a server asked for it. */
export const RETRY_AFTER_MOST_MS = 60 * 60_000;
/** A runner that was told to cancel and hasn't stopped after this long has its lease taken. */
export const CANCEL_GRACE_MS = 20_000;
/** How long a runner may take to keep what another attempt needs before its lease is taken. */
export const PARK_GRACE_MS = 5 * 60_000;
