/** Pure: what on an instance needs a person, the most urgent first, each with the one thing to do about it. */
import type { DeadLetter } from "#protocol/dead-letter.ts";
import type { FailingDestination } from "#protocol/notification.ts";
import type { Pool } from "#protocol/pool.ts";
import type { ListedRoutine } from "#protocol/routine.ts";
import type { ListedRun } from "#protocol/run.ts";
import type { SharedBudget } from "#protocol/shared-budget.ts";
import { budgetTitle, isSpent } from "../budgets/budget-words.ts";
import { formatCost, plural } from "../format/amounts.ts";
import { connectorName } from "../format/connectors.ts";
import { REASON_TEXTS, waitingLine } from "../format/status.ts";

/** A page on which the whole instance is looked after. */
export type RemedyPage = "/budgets" | "/dead-letters" | "/environments" | "/notifications" | "/pools";

/** What mends it, or leads to where it is mended. */
export type Remedy =
  | { kind: "session"; label: string; id: string }
  | { kind: "routine"; label: string; id: string; tab: "definition" | null }
  | { kind: "edit"; label: string; id: string }
  | { kind: "secret"; label: string; name: string }
  | { kind: "connector"; label: string; name: string }
  | { kind: "fire-again"; id: string }
  | { kind: "page"; label: string; to: RemedyPage };

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
  budgets: readonly SharedBudget[];
}

export function attentionOf({ routines, waiting, deadLetters, pools, destinations, budgets }: Troubles): Attention[] {
  // A run that is a dead letter is told of once: as that, for it can be fired again.
  const dead = new Set(deadLetters.map(({ run_id: id }) => id));
  const isToldOf = ({ last_run: run }: ListedRoutine) => run !== null && dead.has(run.id);
  return [
    ...waiting.flatMap((run) => ofWaiting(run, { routines, budgets })),
    ...routines.flatMap(ofBreaker),
    ...budgets.flatMap(ofBudget),
    ...pools.flatMap(ofPool),
    ...ofConnectors(routines),
    ...routines.flatMap((routine) => [
      ...(isToldOf(routine) ? [] : ofLastRun(routine)),
      ...ofTriggers(routine),
      ...ofWarnings(routine),
    ]),
    ...ofDeadLetters(deadLetters, routines),
    ...destinations.map(ofDestination),
  ];
}

/** A run that waits for its next message waits for nobody in particular. */
function ofWaiting(run: ListedRun, shared: Pick<Troubles, "routines" | "budgets">): Attention[] {
  if (run.status !== "waiting" || run.waiting.for === "message") return [];
  const { for: what, since, question } = run.waiting;
  const text = question?.text ?? waitingLine(run.waiting);
  const about = { id: run.id, tone: "warning", subject: run.routine.name, at: since } as const;
  if (what !== "budget") {
    return [{ ...about, text, remedy: { kind: "session", label: "Answer", id: run.session_id } }];
  }
  const remedy: Remedy = waitsForShared(run, shared)
    ? { kind: "page", label: "Raise it", to: "/budgets" }
    : { kind: "edit", label: "Raise it", id: run.routine_id };
  return [{ ...about, text, remedy }];
}

/** Whether a budget that its routine shares with others is spent. */
function waitsForShared(
  { routine_id: id }: ListedRun,
  { routines, budgets }: Pick<Troubles, "routines" | "budgets">,
): boolean {
  const tags = routines.find((routine) => routine.id === id)?.tags ?? {};
  const isOver = (budget: SharedBudget) => budget.scope === "instance" || tags[budget.tag] === budget.value;
  return budgets.some((budget) => isSpent(budget) && isOver(budget));
}

/** Those need nobody: somebody wants it so. */
export function pausedByPeople(routines: readonly ListedRoutine[]): ListedRoutine[] {
  return routines.filter((routine) => routine.status === "paused" && !hasPausedItself(routine));
}

function hasPausedItself({ status, paused_by: by }: ListedRoutine): boolean {
  return status === "paused" && by === "failures";
}

function ofBreaker(routine: ListedRoutine): Attention[] {
  if (!hasPausedItself(routine)) return [];
  const { id, name, paused_reason: reason, last_run: run } = routine;
  const text = `It has paused itself. ${reason ?? ""}`.trim();
  const at = run?.timings.finished_at ?? null;
  const remedy: Remedy = { kind: "routine", label: "Look and resume", id, tab: null };
  return [{ id: `paused-${id}`, tone: "danger", subject: name, text, at, remedy }];
}

function ofBudget(budget: SharedBudget): Attention[] {
  if (!isSpent(budget)) return [];
  const { monthly_usd: most, spent_usd: spent } = budget;
  return [
    {
      id: `budget-${budgetTitle(budget)}`,
      tone: "danger",
      subject: `Budget: ${budgetTitle(budget)}`,
      text: `${formatCost(spent)} of ${formatCost(most)} are spent this month (UTC): runs that it is for wait.`,
      at: null,
      remedy: { kind: "page", label: "Raise it", to: "/budgets" },
    },
  ];
}

/** Busy runners get free by themselves. */
function ofPool({ name, kind, why, waiting, waiting_since: since, runners }: Pool): Attention[] {
  const told: Pick<Attention, "tone" | "subject" | "remedy"> = {
    tone: "danger",
    subject: `Pool ${name}`,
    remedy: { kind: "page", label: "Show pools", to: "/pools" },
  };
  const isWaiting = why !== null && why.reason !== "all_busy" && waiting !== 0;
  const waits = isWaiting
    ? [
        {
          ...told,
          id: `pool-${name}`,
          text: `${plural(waiting ?? 0, "run")} waiting. ${why.message} ${why.hint}`,
          at: since,
        },
      ]
    : [];
  const refused = runners.filter(({ state }) => state === "refused");
  const gone = runners.filter(({ state }) => state === "lost");
  const [last] = gone.toSorted((one, other) => Date.parse(other.last_seen_at) - Date.parse(one.last_seen_at));
  const isDeserted = kind !== "container" && gone.length + refused.length === runners.length && !isWaiting;
  return [
    ...waits,
    ...(last === undefined || !isDeserted
      ? []
      : [
          {
            ...told,
            tone: "warning" as const,
            id: `deserted-${name}`,
            text: `Its runners have gone, ${last.id} as the last: what comes for this pool will wait.`,
            at: last.last_seen_at,
          },
        ]),
    ...refused.map(({ id, reason, last_seen_at: at }) => ({
      ...told,
      id: `runner-${name}-${id}`,
      text: `The runner ${id} was not taken in. ${reason ?? ""}`.trim(),
      at,
    })),
  ];
}

/** That of a routine that has paused itself is told with that. */
function ofLastRun(routine: ListedRoutine): Attention[] {
  const { id, name, last_run: run } = routine;
  if (run === null || hasPausedItself(routine)) return [];
  const isFailed = run.status === "failed" || run.status === "timed_out";
  const about = { id: `last-${id}`, subject: name, at: run.timings.finished_at };
  const lead = { kind: "session", label: "See why", id: run.session_id } as const;
  if (isFailed) {
    const what = run.status === "failed" ? "Its last run failed." : "Its last run took too long.";
    return [
      { ...about, tone: "danger", text: `${what} ${run.error?.message ?? run.summary ?? ""}`.trim(), remedy: lead },
    ];
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

const isOfConnector = ({ code }: ListedRoutine["warnings"][number]) => code === "connector_not_ready";
/** More routines are counted. */
const MOST_NAMED = 3;

/** One for each connector that can't be used, however many routines name it: it is mended in one place. */
function ofConnectors(routines: readonly ListedRoutine[]): Attention[] {
  const lacking = routines.flatMap(({ name: routine, status, connectors, warnings }) =>
    status === "paused"
      ? []
      : warnings.filter(isOfConnector).flatMap(({ field, message }) => {
          const given = connectors[Number(/^connectors\[(\d+)\]/.exec(field)?.[1])];
          return given === undefined ? [] : [{ routine, message, connector: connectorName(given) }];
        }),
  );
  return [...Map.groupBy(lacking, ({ connector }) => connector)].map(([name, each]): Attention => {
    const named = [...new Set(each.map(({ routine }) => routine))];
    const names = named.length > MOST_NAMED ? plural(named.length, "routine") : named.join(", ");
    const message = each[0]?.message ?? "";
    return {
      id: `connector-${name}`,
      tone: "warning",
      subject: `Connector ${name}`,
      text: `${message.charAt(0).toUpperCase()}${message.slice(1)} It is for runs of ${names}.`,
      at: null,
      remedy: { kind: "connector", label: "Look at it", name },
    };
  });
}

/**
 * What can't be meant, or can't work yet; the first is told, for the editor shows all of them beside their fields. Connectors
 * that can't be used are told apart.
 */
function ofWarnings({ id, name, status, warnings }: ListedRoutine): Attention[] {
  const [first, ...others] = warnings.filter((warning) => !isOfConnector(warning));
  if (first === undefined || status === "paused") return [];
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  const text = `${first.message.charAt(0).toUpperCase()}${first.message.slice(1)}${more}.`;
  return [{ id: `warning-${id}`, tone: "warning", subject: name, text, at: null, remedy: whereMended(first, id) }];
}

function whereMended({ code, secret }: ListedRoutine["warnings"][number], id: string): Remedy {
  if (secret !== undefined) return { kind: "secret", label: "Set it", name: secret };
  if (code === "environment_archived") return { kind: "page", label: "Show environments", to: "/environments" };
  return { kind: "edit", label: "Mend it", id };
}

/** One alone can be fired again at once; more of a routine are listed on their page. Times that were missed are told apart. */
function ofDeadLetters(letters: readonly DeadLetter[], routines: readonly ListedRoutine[]): Attention[] {
  const names = new Map(routines.map(({ id, name }) => [id, name]));
  const groups = Map.groupBy(
    letters,
    ({ routine_id: id, outcome }) => `${outcome === "missed" ? "missed" : "dead"}-${id}`,
  );
  return [...groups].flatMap(([id, each]): Attention[] => {
    const [newest] = each;
    if (newest === undefined) return [];
    const subject = names.get(newest.routine_id) ?? "A routine";
    const about = { id, tone: "warning", subject, at: newest.at } as const;
    const isMissed = newest.outcome === "missed";
    if (each.length === 1) {
      const text = `${isMissed ? "Missed: " : ""}${whyDead(newest)}`;
      return [{ ...about, text, remedy: { kind: "fire-again", id: newest.id } }];
    }
    const what = isMissed ? "times of its schedule were missed" : "events led to no work";
    return [
      {
        ...about,
        text: `${each.length} ${what}. The newest: ${whyDead(newest)}`,
        remedy: { kind: "page", label: "Show them", to: "/dead-letters" },
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
    remedy: { kind: "page", label: "Show notifications", to: "/notifications" },
  };
}
