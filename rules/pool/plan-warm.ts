/** Which containers are kept warm: started before there is a run for them. Pure. Moments are Unix milliseconds. */
import type { WarmSetting } from "#protocol/pool.ts";

/** A container that no lease has been given to. */
export interface WarmContainer {
  name: string;
  begunMs: number;
  /** Null while it is starting. */
  readyMs: number | null;
  /** When its object was last heard of. */
  heardMs: number;
}

export interface WarmState {
  setting: WarmSetting;
  /** How many containers there may be beside those that work. */
  room: number;
  containers: readonly WarmContainer[];
  /** What has been used in this month by those that are not warm any more. */
  usedMs: number;
  /** None is started before. */
  pausedUntilMs: number;
}

export interface WarmPlan {
  /** Names of those that are to end. */
  end: string[];
  /** How many are to be started. */
  begin: number;
  /** When to plan again, if nothing happens before; null when that is not needed. */
  nextMs: number | null;
}

const HOUR_MS = 3_600_000;
/** A container that has waited so long is replaced: what it has prepared is not to grow old. */
export const RENEW_AFTER_MS = 600_000;
/** Its object tells every minute that it is there. */
const SILENT_MS = 170_000;

export function planWarm(state: WarmState, nowMs: number): WarmPlan {
  const { setting, room, containers, pausedUntilMs } = state;
  const endsAt = ({ begunMs, heardMs }: WarmContainer) => Math.min(begunMs + RENEW_AFTER_MS, heardMs + SILENT_MS);
  const good = containers.filter((one) => endsAt(one) > nowMs);
  const leftMs = setting.hours_per_month * HOUR_MS - warmMs(state, nowMs);
  const wanted = leftMs > 0 ? Math.max(0, Math.min(setting.containers, room)) : 0;
  // Those that are ready are kept, the youngest first.
  const kept = [...good].sort((a, b) => rank(a) - rank(b) || b.begunMs - a.begunMs).slice(0, wanted);
  const lacking = wanted - kept.length;
  const isPaused = pausedUntilMs > nowMs;
  const moments = [
    ...kept.map(endsAt),
    ...(lacking > 0 && isPaused ? [pausedUntilMs] : []),
    ...(wanted > 0 ? [nowMs + leftMs / wanted] : []),
    // A new month begins with nothing used.
    ...(setting.containers > 0 && leftMs <= 0 ? [nextMonth(nowMs)] : []),
  ];
  return {
    end: containers.filter((one) => !kept.includes(one)).map(({ name }) => name),
    begin: isPaused ? 0 : lacking,
    nextMs: moments.length === 0 ? null : Math.ceil(Math.min(...moments)),
  };
}

/** What has been used in this month, in milliseconds. */
export function warmMs({ containers, usedMs }: Pick<WarmState, "containers" | "usedMs">, nowMs: number): number {
  return containers.reduce((sum, { begunMs }) => sum + inMonth(begunMs, nowMs), usedMs);
}

/** How much of the time from a moment until now is this month's, in milliseconds. */
export function inMonth(sinceMs: number, nowMs: number): number {
  const now = new Date(nowMs);
  const monthMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth());
  return Math.max(0, nowMs - Math.max(sinceMs, monthMs));
}

/** The month of a moment, for instance `2026-11`: months are those of UTC. */
export function monthOf(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 7);
}

/**
 * @param state with what keeps the next one from being started, in a sentence.
 * @returns why fewer containers are warm than are wanted; null when that is not so, or they are being started.
 */
export function whyFewer(state: WarmState & { obstacle: string | null }, nowMs: number): string | null {
  const { setting, room, obstacle } = state;
  if (setting.containers === 0) return null;
  if (warmMs(state, nowMs) >= setting.hours_per_month * HOUR_MS) {
    const day = new Date(nextMonth(nowMs)).toISOString().slice(0, 10);
    return `The ${setting.hours_per_month} hours of this month are used up: the next container is kept warm from ${day} on.`;
  }
  return room < setting.containers ? "Fewer of the instance's containers than that are without a run." : obstacle;
}

function rank({ readyMs }: WarmContainer): number {
  return readyMs === null ? 1 : 0;
}

function nextMonth(nowMs: number): number {
  const now = new Date(nowMs);
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1);
}
