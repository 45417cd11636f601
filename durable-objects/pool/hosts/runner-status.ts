/** The runners of a pool as people see them: those that are there, and those that have gone or were refused lately. */
import type { PoolRunner } from "#protocol/pool.ts";
import { RUNNER_GRACE_MS } from "#protocol/runner-link.ts";
import { timestamp } from "#protocol/time.ts";
import type { GoneRunners } from "./gone-runners.ts";
import type { KnownRunners, Runner } from "./known-runners.ts";
import type { Held } from "./lease-host.ts";

export function runnerStatuses(known: KnownRunners, gone: GoneRunners, held: Held, nowMs: number): PoolRunner[] {
  const there = [...known.all().values()].map((runner) => statusOf(runner, known, held.get(runner.id) ?? 0, nowMs));
  const away = gone
    .list(nowMs)
    .filter(({ id }) => !known.all().has(id))
    .map(({ at, ...runner }) => ({ ...runner, busy: 0, last_seen_at: timestamp(at) }));
  return [...there, ...away];
}

function statusOf(runner: Runner, known: KnownRunners, busy: number, nowMs: number): PoolRunner {
  const { id, version, capacity } = runner;
  const state = stateOf(runner, known, busy, nowMs);
  return { id, version, capacity, busy, state, reason: null, last_seen_at: timestamp(lastSeenMs(runner, known)) };
}

function stateOf(runner: Runner, known: KnownRunners, busy: number, nowMs: number): PoolRunner["state"] {
  if (runner.socket === null || known.quietUntil(runner, nowMs) < nowMs) return "lost";
  if (runner.attachment?.isDraining === true) return "draining";
  return busy > 0 ? "busy" : "idle";
}

/** In Unix milliseconds. After an eviction, of a runner whose socket has closed, it is known only by when its grace ends. */
export function lastSeenMs(runner: Runner, known: KnownRunners): number {
  return Math.max(known.heardOf(runner), (runner.lostAt ?? 0) - RUNNER_GRACE_MS, 0);
}
