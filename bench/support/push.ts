/** What is pushed into a transcript, and how fast: the same for our runner and for the bare producer. */
import { setTimeout as delay } from "node:timers/promises";
import type { Delta, RunnerEvent } from "#protocol/transcript.ts";
import { nowMs } from "./clock.ts";
import { longEvent, mixedEvent, saidEvent } from "./event-mix.ts";
import { stamp } from "./stamp.ts";

export interface PushOrder {
  /** For each session. */
  events: number;
  /** null: as fast as the other side takes them. */
  perSecond: number | null;
  /**
   * `mixed`: as an agent's; `stamped`: messages that tell when they were sent; `text`: pieces of live text that tell it, of
   * which the last is followed by their message, the one event; a number: results of so many bytes.
   */
  kind: "mixed" | "stamped" | "text" | number;
}

export interface PushReport {
  startedAt: number;
  /** When everything had been handed over or, where the other side acknowledges, had been acknowledged. */
  endedAt: number;
}

/** Where events go. */
export interface Sink {
  /** Hands an event over. @returns null, or a promise that resolves when there is room for the next one. */
  send(event: RunnerEvent): Promise<void> | null;
  sendDelta(delta: Delta): void;
}

const TICK_MS = 5;

export async function pushEvents({ events, perSecond, kind }: PushOrder, sink: Sink): Promise<void> {
  const startedAt = nowMs();
  for (let index = 0; index < events; ) {
    const due = perSecond === null ? events : Math.min(events, ((nowMs() - startedAt) / 1_000) * perSecond);
    for (; index < due; index += 1) await pushOne(kind, index, sink);
    if (index < events) await delay(TICK_MS);
  }
  if (kind === "text") await sink.send(saidEvent(0, ""));
}

/** How many events an order makes in each session. */
export function eventsOf({ events, kind }: PushOrder): number {
  return kind === "text" ? 1 : events;
}

/** How many times of sending a viewer of a session gets to see. */
export function stampsOf({ events, kind }: PushOrder): number {
  return kind === "text" || kind === "stamped" ? events : 0;
}

function pushOne(kind: PushOrder["kind"], index: number, sink: Sink): Promise<void> | null {
  if (kind === "mixed") return sink.send(mixedEvent(index));
  if (kind === "stamped") return sink.send(saidEvent(index, stamp()));
  if (kind !== "text") return sink.send(longEvent(index, kind));
  sink.sendDelta({ type: "agent.delta", message_id: "msg_0", kind: "text", text: stamp() });
  return null;
}
