/** Who is told of what: which facts there are, whom each concerns, and when what failed is sent again. Pure. */
import {
  type Destination,
  destinationKinds,
  NOTIFICATION_KINDS,
  type NotificationKind,
  type NotificationRule,
  notificationKinds,
} from "#protocol/notification.ts";
import type { ListedRun, RunResult } from "#protocol/run.ts";
import type { SettledStatus } from "#protocol/run-states.ts";
import type { HealthChange } from "#protocol/triggers.ts";

/** Something that happened once, and under which kinds people can ask for it. */
export interface Fact {
  kinds: NotificationKind[];
  runId: string | null;
  /** Unix milliseconds. */
  atMs: number;
  /** What there is to say beside the kind and the run; null where there is nothing. */
  detail: string | null;
  /** The question that an agent asks. */
  questionId?: string;
  /** Where it is something else than what its kind mostly says. */
  special?: keyof typeof SPECIAL_FACTS;
}

/** Facts that are told under a kind, in words and with a type of their own. */
const SPECIAL_FACTS = {
  fast_spending: { type: "routine.spending", words: "spends much faster than usual" },
  gate_failing: { type: "routine.gate_failing", words: "can't ask its gate" },
  watch_failing: { type: "routine.watch_failing", words: "can't see what it watches" },
} as const;

/** One text for one fact: that of a call that is owed. */
export function factText({ kinds, runId, atMs, detail, questionId, special }: Fact): string {
  const more = special === undefined ? [questionId] : [questionId ?? null, special];
  return JSON.stringify([kinds, runId, atMs, detail, ...more.filter((value) => value !== undefined)]);
}

/** @param text from `factText`. */
export function readFact(text: string): Fact {
  const [kinds, runId, atMs, detail, questionId, special] = JSON.parse(text);
  const asked = questionId == null ? {} : { questionId };
  return { kinds, runId, atMs, detail, ...asked, ...(special === undefined ? {} : { special }) };
}

/** A routine spends much faster than usual. @param runId of the run whose call has shown it. */
export function fastFact(runId: string, atMs: number, detail: string): Fact {
  return { kinds: ["budget"], runId, atMs, detail, special: "fast_spending" };
}

/** Looks of a watch go on failing. */
export function watchFact(atMs: number, detail: string): Fact {
  return { kinds: ["missed"], runId: null, atMs, detail, special: "watch_failing" };
}

/** A gate could not be asked, and what has come is given up. */
export function gateFact(atMs: number, detail: string): Fact {
  return { kinds: ["missed"], runId: null, atMs, detail, special: "gate_failing" };
}

/** What the end of a run is. @param change of the routine's health with it. @returns null where nobody can ask for it. */
export function endFact(
  run: Extract<ListedRun, { status: SettledStatus }>,
  change: HealthChange | null,
  atMs: number,
): Fact | null {
  const is: Record<NotificationKind, boolean> = {
    failed: run.status === "failed" || run.status === "timed_out",
    waiting: false,
    budget: false,
    blocked: run.status !== "canceled" && run.result === "blocked",
    recovered: change === "recovered",
    succeeded: run.status === "succeeded",
    missed: false,
    paused: false,
    quiet: false,
  };
  const kinds = notificationKinds.filter((kind) => is[kind]);
  return kinds.length === 0 ? null : { kinds, runId: run.id, atMs, detail: null };
}

export interface Chosen {
  kind: NotificationKind;
  destination: Destination;
}

/**
 * Whom a fact concerns: each destination once, with the most telling kind that its rules ask for.
 * @param result of the fact's run; null where it has none.
 */
export function chooseDestinations(
  rules: readonly NotificationRule[],
  { kinds }: Pick<Fact, "kinds">,
  result: RunResult | null,
): Chosen[] {
  const chosen = new Map<string, Chosen>();
  for (const kind of notificationKinds.filter((one) => kinds.includes(one))) {
    for (const rule of rules) {
      const isSkipped = kind === "succeeded" && result !== null && rule.skip.includes(result);
      if (isSkipped || !rule.on.includes(kind)) continue;
      const destination = destinationOf(rule);
      const key = destinationKey(destination);
      if (!chosen.has(key)) chosen.set(key, { kind, destination });
    }
  }
  return [...chosen.values()];
}

function destinationOf(rule: NotificationRule): Destination {
  const by = destinationKinds.find((kind) => rule[kind] !== undefined) ?? "webhook";
  return { by, address: rule[by] ?? "" };
}

/** One text for one destination. */
export function destinationKey({ by, address }: Destination): string {
  return `${by} ${address}`;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const RETRIES_AFTER_MS = [5_000, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 5 * HOUR_MS, 10 * HOUR_MS, 10 * HOUR_MS];

/** No receiver is left alone for longer, whatever it asks for. */
const LEFT_ALONE_MS = 10 * HOUR_MS;

/**
 * @param tries that failed, from 1 on. @param askedMs how long the receiver asks to be left alone; 0 where it asks for nothing.
 * @returns after how long it is tried again; null when it is given up.
 */
export function retryAfterMs(tries: number, askedMs = 0): number | null {
  const after = RETRIES_AFTER_MS[tries - 1];
  return after === undefined ? null : Math.max(after, Math.min(askedMs, LEFT_ALONE_MS));
}

/** Whether a rule still sends anything there. */
export function isDestinationOf(rules: readonly NotificationRule[], destination: Destination): boolean {
  const key = destinationKey(destination);
  return rules.some((rule) => destinationKey(destinationOf(rule)) === key);
}

/** As webhooks call it. */
export function typeOf(kind: NotificationKind, { special }: Pick<Fact, "special">): string {
  return special === undefined ? NOTIFICATION_KINDS[kind].type : SPECIAL_FACTS[special].type;
}

/** What has happened, in a sentence. */
export function sentenceOf(kind: NotificationKind, name: string, fact: Pick<Fact, "special"> = {}): string {
  const { words } = fact.special === undefined ? NOTIFICATION_KINDS[kind] : SPECIAL_FACTS[fact.special];
  const type = typeOf(kind, fact);
  return `${type.startsWith("run.") ? "A run of " : ""}${name} ${words}`;
}
