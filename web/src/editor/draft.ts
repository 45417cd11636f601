/** Pure: a routine while it is written, what has changed of it, and how two changes of one routine come together. */
import type { Routine, RoutineInput, RoutinePatch } from "#protocol/routine.ts";
import type { TriggerInput } from "#protocol/triggers.ts";

export type Draft = RoutineInput;

/** Every key of a routine that people write, in the order in which it is shown. */
const KEYS: Record<keyof Draft, true> = {
  name: true,
  prompt: true,
  model: true,
  repositories: true,
  push_prefix: true,
  environment: true,
  triggers: true,
  session: true,
  session_key: true,
  overlap: true,
  max_concurrent: true,
  runs_on: true,
  variables: true,
  network: true,
  connectors: true,
  context_from: true,
  gate: true,
  tools: true,
  notify: true,
  limits: true,
  retry: true,
  tags: true,
};
export const DRAFT_KEYS = Object.keys(KEYS) as (keyof Draft)[];

/** As the API takes a routine that says nothing but its name and prompt. */
export const EMPTY_DRAFT: Draft = {
  name: "",
  prompt: "",
  repositories: [],
  push_prefix: "claude/",
  session: "new",
  overlap: "parallel",
  max_concurrent: 5,
  runs_on: "default",
  environment: "default",
  variables: {},
  network: { allow: [] },
  connectors: [],
  context_from: [],
  tools: { deny: [], ask: [] },
  notify: [],
  limits: { timeout: "60m", turns: 200, hold: "5m", answer: "24h", failures: 5 },
  retry: { max: 2, backoff: "30s" },
  tags: {},
  triggers: [],
};

/** What a routine's triggers are shown with, and nobody writes. */
const SHOWN_OF_TRIGGERS = [
  "status",
  "next_fire_times",
  "endpoint",
  "unseen_repositories",
  "repository_ids",
  "look",
  "at_written",
];

/** A routine's definition, as somebody begins to change it. */
export function draftOf(routine: Pick<Routine, keyof Draft>): Draft {
  const own = DRAFT_KEYS.flatMap((key) => (routine[key] === null ? [] : [[key, routine[key]]]));
  return { ...(Object.fromEntries(own) as Draft), triggers: routine.triggers.map(writtenTrigger) };
}

/** Another routine of the same definition: its triggers get ids and endpoints of their own. */
export function copyOf(draft: Draft): Draft {
  const triggers = draft.triggers.map(({ id: _id, ...trigger }) => trigger as TriggerInput);
  return { ...draft, name: `${draft.name.slice(0, 73)} (copy)`, triggers };
}

/** As somebody has written it. */
export function writtenTrigger(trigger: Routine["triggers"][number]): TriggerInput {
  const own = Object.entries(trigger).filter(([key]) => !SHOWN_OF_TRIGGERS.includes(key));
  return Object.fromEntries(own) as TriggerInput;
}

/** One text for values that are the same: keys in an order of their own, and nothing of what is not there. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
}

export function isSame(one: unknown, other: unknown): boolean {
  return textOf(one) === textOf(other);
}

export function changedKeys(before: Draft, after: Draft): (keyof Draft)[] {
  return DRAFT_KEYS.filter((key) => !isSame(before[key], after[key]));
}

/** What has to be sent for `before` to become `after`. */
export function patchOf(before: Draft, after: Draft): RoutinePatch {
  const changed = changedKeys(before, after).map((key) => [key, after[key] ?? null]);
  return Object.fromEntries(changed) as RoutinePatch;
}

/** Keys that two people have changed at once, each in their own way. */
export function conflictingKeys(before: Draft, mine: Draft, theirs: Draft): (keyof Draft)[] {
  const theirKeys = changedKeys(before, theirs);
  return changedKeys(before, mine).filter((key) => theirKeys.includes(key) && !isSame(mine[key], theirs[key]));
}

/** Theirs, with what I have changed; of what both have changed, the keys that are kept are mine. */
export function mergedDraft(before: Draft, mine: Draft, theirs: Draft, kept: readonly (keyof Draft)[]): Draft {
  const conflicts = conflictingKeys(before, mine, theirs);
  const keys = changedKeys(before, mine).filter((key) => !conflicts.includes(key) || kept.includes(key));
  const merged: Record<string, unknown> = { ...theirs };
  for (const key of keys) {
    if (mine[key] === undefined) delete merged[key];
    else merged[key] = mine[key];
  }
  return merged as unknown as Draft;
}
