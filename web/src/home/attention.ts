/** Pure: what on an instance needs a person, the most urgent first, each with the one thing to do about it. */
import type { DeadLetter } from "#protocol/dead-letter.ts";
import type { FailingDestination } from "#protocol/notification.ts";
import type { Pool } from "#protocol/pool.ts";
import type { ListedRoutine } from "#protocol/routine.ts";
import type { ListedRun } from "#protocol/run.ts";
import { plural } from "../format/amounts.ts";
import { REASON_TEXTS, WAITING_TEXTS } from "../format/status.ts";

/** What mends it, or leads to what does. */
export type Remedy =
  | { kind: "session"; label: string; id: string }
  | { kind: "routine"; label: string; id: string; tab: "activity" | "definition" | null }
  | { kind: "fire-again"; id: string }
  /** Where no page can do it: what to do is said. */
  | { kind: "told" };

export interface Attention {
  id: string;
  tone: "warning" | "danger";
  /** Whom or what it is about. */
  subject: string;
  /** What is the matter, and where it helps, what to do: plain text, also from outside. */
  text: string;
  at: string | null;
  remedy: Remedy;
}

export interface Troubles {
  routines: readonly ListedRoutine[];
  waiting: readonly ListedRun[];
  deadLetters: readonly DeadLetter[];
  pools: readonly Pool[];
  destinations: readonly FailingDestination[];
}

export function attentionOf({ routines, waiting, deadLetters, pools, destinations }: Troubles): Attention[] {
  // A run that is a dead letter is told of once: as that, for it can be fired again.
  const dead = new Set(deadLetters.map(({ run_id: id }) => id));
  return [
    ...waiting.flatMap(ofWaiting),
    ...pools.flatMap(ofPool),
    ...routines.flatMap((routine) => [
      ...(dead.has(routine.last_run?.id ?? null) ? [] : ofLastRun(routine)),
      ...ofTriggers(routine),
    ]),
    ...ofDeadLetters(deadLetters, routines),
    ...destinations.map(ofDestination),
  ];
}

/** A run that waits for its next message waits for nobody in particular. */
function ofWaiting(run: ListedRun): Attention[] {
  if (run.status !== "waiting" || run.waiting.for === "message") return [];
  const isBudget = run.waiting.for === "budget";
  return [
    {
      id: run.id,
      tone: "warning",
      subject: run.routine.name,
      text: run.waiting.question?.text ?? `${WAITING_TEXTS[run.waiting.for]}.`,
      at: run.waiting.since,
      remedy: { kind: "session", label: isBudget ? "Open" : "Answer", id: run.session_id },
    },
  ];
}

/** Busy runners get free by themselves. */
function ofPool({ name, why, waiting, waiting_since: since, runners }: Pool): Attention[] {
  const refused = runners.filter(({ state }) => state === "refused");
  const told: Pick<Attention, "tone" | "subject" | "remedy"> = {
    tone: "danger",
    subject: `Pool ${name}`,
    remedy: { kind: "told" },
  };
  const waits =
    why === null || why.reason === "all_busy" || waiting === 0
      ? []
      : [
          {
            ...told,
            id: `pool-${name}`,
            text: `${plural(waiting ?? 0, "run")} waiting. ${why.message} ${why.hint}`,
            at: since,
          },
        ];
  return [
    ...waits,
    ...refused.map(({ id, reason, last_seen_at: at }) => ({
      ...told,
      id: `runner-${name}-${id}`,
      text: `The runner ${id} was not taken in. ${reason ?? ""}`.trim(),
      at,
    })),
  ];
}

function ofLastRun({ id, name, status, paused_reason: reason, last_run: run }: ListedRoutine): Attention[] {
  if (run === null) return [];
  const isFailed = run.status === "failed" || run.status === "timed_out";
  const about = { id: `last-${id}`, subject: name, at: run.timings.finished_at };
  const lead = { kind: "session", label: "See why", id: run.session_id } as const;
  if (isFailed && status === "paused") {
    return [{ ...about, tone: "danger", text: `Paused after a failed run. ${reason ?? ""}`.trim(), remedy: lead }];
  }
  if (isFailed) {
    const what = run.status === "failed" ? "Its last run failed." : "Its last run took too long.";
    return [{ ...about, tone: "danger", text: `${what} ${run.summary ?? ""}`.trim(), remedy: lead }];
  }
  if (run.result === "blocked") {
    const text = `Its last run was blocked. ${run.summary ?? ""}`.trim();
    return [{ ...about, tone: "warning", text, remedy: { ...lead, label: "Open" } }];
  }
  return [];
}

function ofTriggers({ id, name, status, triggers }: ListedRoutine): Attention[] {
  const unreachable = triggers.filter((trigger) => trigger.status === "unreachable").length;
  if (unreachable === 0 || status === "paused") return [];
  return [
    {
      id: `triggers-${id}`,
      tone: "warning",
      subject: name,
      text: `${plural(unreachable, "trigger")} can’t be reached, and so will not fire.`,
      at: null,
      remedy: { kind: "routine", label: "Show triggers", id, tab: "definition" },
    },
  ];
}

/** One alone can be fired again at once; of more, their routine tells. */
function ofDeadLetters(letters: readonly DeadLetter[], routines: readonly ListedRoutine[]): Attention[] {
  const names = new Map(routines.map(({ id, name }) => [id, name]));
  const ofEach = Map.groupBy(letters, ({ routine_id: id }) => id);
  return [...ofEach].flatMap(([routineId, each]): Attention[] => {
    const [newest] = each;
    if (newest === undefined) return [];
    const about = {
      id: `dead-${routineId}`,
      tone: "warning",
      subject: names.get(routineId) ?? "A routine",
      at: newest.at,
    } as const;
    if (each.length === 1) return [{ ...about, text: whyDead(newest), remedy: { kind: "fire-again", id: newest.id } }];
    return [
      {
        ...about,
        text: `${each.length} events led to no work. The newest: ${whyDead(newest)}`,
        remedy: { kind: "routine", label: "Show them", id: routineId, tab: "activity" },
      },
    ];
  });
}

function whyDead({ trigger, reason, error }: DeadLetter): string {
  return `${trigger.summary}: ${error === null ? REASON_TEXTS[reason] : error.message}`;
}

function ofDestination({
  by,
  address,
  switched_off_at: off,
  failing_since: since,
  error,
}: FailingDestination): Attention {
  const what = off === null ? "Notifications do not get through." : "Notifications are switched off: none got through.";
  return {
    id: `destination-${by}-${address}`,
    tone: off === null ? "warning" : "danger",
    subject: address,
    text: `${what} ${error}`,
    at: since,
    remedy: { kind: "told" },
  };
}
