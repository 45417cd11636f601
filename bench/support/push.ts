/** What is pushed into a transcript, and how fast: the same for our runner and for the bare producer. */
import { setTimeout as delay } from "node:timers/promises";
import type { RunnerEvent } from "#protocol/transcript.ts";
import { nowMs } from "./clock.ts";
import { longEvent, mixedEvent, saidEvent } from "./event-mix.ts";
import { stamp } from "./stamp.ts";

export interface PushOrder {
  /** For each session. */
  events: number;
  /** null: as fast as the other side takes them. */
  perSecond: number | null;
  /** `mixed`: as an agent's; `stamped`: messages that tell when they were sent; a number: results of so many bytes. */
  kind: "mixed" | "stamped" | number;
}

export interface PushReport {
  startedAt: number;
  /** When everything had been handed over or, where the other side acknowledges, had been acknowledged. */
  endedAt: number;
}

const TICK_MS = 5;

/** @param send hands one event over; resolves when there is room for the next. */
export async function pushEvents(
  { events, perSecond, kind }: PushOrder,
  send: (event: RunnerEvent, index: number) => Promise<void> | null,
): Promise<void> {
  const startedAt = nowMs();
  for (let index = 0; index < events; ) {
    const due = perSecond === null ? events : Math.min(events, ((nowMs() - startedAt) / 1_000) * perSecond);
    for (; index < due; index += 1) await send(eventOf(kind, index), index);
    if (index < events) await delay(TICK_MS);
  }
}

function eventOf(kind: PushOrder["kind"], index: number): RunnerEvent {
  if (kind === "mixed") return mixedEvent(index);
  return kind === "stamped" ? saidEvent(index, stamp()) : longEvent(index, kind);
}
