/** What a routine's object looks after by its alarm. */
import type { Concern } from "../alarm.ts";
import type { Purge } from "./changes/purge.ts";
import type { Conversations } from "./conversations/conversations.ts";
import type { Notifications } from "./notifications/notifications.ts";
import type { SendNotifications } from "./notifications/send-notifications.ts";
import type { Deliver } from "./outbox/deliver.ts";
import type { Outbox } from "./outbox/outbox.ts";
import type { Retention } from "./retention/retention.ts";
import type { Deadlines } from "./runs/deadlines.ts";
import type { RoutineHealth } from "./runs/health.ts";
import type { Questions } from "./runs/questions.ts";
import type { RunEngine } from "./runs/run-engine.ts";
import type { RunSockets } from "./runs/run-sockets.ts";
import type { RunStore } from "./runs/run-store.ts";
import type { SharedBudgets } from "./runs/shared-budgets.ts";
import type { Artifacts } from "./sessions/artifacts.ts";
import type { Viewers } from "./viewers/viewers.ts";
import type { DueSchedules } from "./wakes/due-schedules.ts";
import type { WakeGate } from "./wakes/wake-gate.ts";
import type { Watches } from "./wakes/watches.ts";

interface Parts {
  deadlines: Deadlines;
  engine: RunEngine;
  questions: Questions;
  outbox: Outbox;
  deliver: Deliver;
  dueSchedules: DueSchedules;
  health: RoutineHealth;
  sockets: RunSockets;
  viewers: Viewers;
  conversations: Conversations;
  artifacts: Artifacts;
  runs: RunStore;
  notifications: Notifications;
  sender: SendNotifications;
  shared: SharedBudgets;
  watches: Watches;
  gate: WakeGate;
  retention: Retention;
  purge: Purge;
}

/** What the alarm looks after, in this order. */
export function concernsOf(parts: Parts): Concern[] {
  const {
    deadlines,
    engine,
    questions,
    outbox,
    deliver,
    dueSchedules,
    health,
    sockets,
    viewers,
    conversations,
    artifacts,
    runs,
    notifications,
    sender,
    shared,
    watches,
    gate,
    retention,
    purge,
  } = parts;
  return [
    {
      name: "deadlines",
      next: () => deadlines.earliest(),
      look: (nowMs) =>
        deadlines.look(nowMs, (tx, { kind, ref }) => {
          if (kind === "answer") questions.expire(tx, ref);
          else engine.feed(tx, ref, { type: "overdue", kind });
        }),
    },
    { name: "notifications", next: () => notifications.earliest(), look: () => sender.look() },
    { name: "outbox", next: () => outbox.earliest(), look: () => deliver.drain() },
    {
      name: "conversations",
      next: () => conversations.next(),
      look: (nowMs) => conversations.forgetOld(nowMs, (sessionId) => runs.hasUnsettledRun(sessionId)),
    },
    { name: "shown files", next: () => artifacts.next(), look: (nowMs) => artifacts.forgetOld(nowMs) },
    { name: "shared budgets", next: () => shared.next(), look: (nowMs) => shared.look(nowMs) },
    { name: "schedules", next: () => dueSchedules.next(), look: () => dueSchedules.fireUnattended() },
    { name: "watches", next: () => watches.next(), look: () => watches.oweDue() },
    { name: "gate", next: () => gate.next(), look: () => gate.oweDue() },
    { name: "silence", next: () => health.quietAt(), look: (nowMs) => health.lookForSilence(nowMs) },
    { name: "links", next: () => sockets.next(), look: (nowMs) => sockets.closeLate(nowMs) },
    { name: "retention", next: () => retention.next(), look: (nowMs) => retention.look(nowMs) },
    { name: "deletion", next: () => purge.next(), look: () => purge.look() },
    { name: "viewers", next: () => viewers.nextDue(), look: (nowMs) => viewers.closeDue(nowMs) },
  ];
}
