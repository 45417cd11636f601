/** A change in how a routine is doing, as an event that other routines can wait for. Pure. */
import { firstCharacters } from "#protocol/characters.ts";
import type { ListedRun } from "#protocol/run.ts";
import { CONTEXT_LIMIT, type SourceEvent } from "#protocol/source-event.ts";
import { timestamp } from "#protocol/time.ts";
import type { HealthChange } from "#protocol/triggers.ts";
import { oneSeenLine } from "#protocol/unseen-characters.ts";

/** What is told, as one text: that of a call that is owed. */
export interface ToldHealth {
  change: HealthChange;
  /** The run with whose end it changed; null for silence, which no run has caused. */
  runId: string | null;
  /** Unix milliseconds. */
  atMs: number;
}

export function healthText({ change, runId, atMs }: ToldHealth): string {
  return `${change}/${atMs}/${runId ?? ""}`;
}

/** @param text from `healthText`. */
export function readHealthText(text: string): ToldHealth {
  const [change, at, runId] = text.split("/");
  return { change: change as HealthChange, atMs: Number(at), runId: runId === "" ? null : (runId ?? null) };
}

/** @param routine as it is called at present. @param run the one with whose end it changed. */
export function healthEvent(
  told: ToldHealth,
  routine: { id: string; name: string },
  run: ListedRun | null,
): SourceEvent {
  const { change, atMs } = told;
  const { id, name } = routine;
  const routine_names = [...new Set([name, ...(run === null ? [] : [run.routine.name])])];
  const event_id = `${change}:${run?.id ?? `${id}:${atMs}`}`;
  const at = timestamp(atMs);
  const run_id = run?.id ?? null;
  return {
    source: "routine",
    delivery_id: null,
    event_id,
    trigger_id: null,
    name: `routine.${change}`,
    action: change,
    summary: firstCharacters(oneSeenLine(`${name} ${WORDS[change]}`), 200),
    dedupe_key: event_id,
    content_key: null,
    payload: { routine_id: id, routine_name: name, routine_names, run_id, status: change, at },
    fields: { status: change, routine: name },
    context: contextOf(told, routine, run).slice(0, CONTEXT_LIMIT),
    github: null,
    caused_by: run === null ? null : { routine_id: id, run_id: run.id, depth: run.trigger.depth ?? 0 },
  };
}

const WORDS: Record<HealthChange, string> = {
  failing: "has begun to fail",
  recovered: "has recovered",
  quiet: "has had no success for longer than its schedule means",
};

function contextOf({ change, atMs }: ToldHealth, { id, name }: { id: string; name: string }, run: ListedRun | null) {
  const facts = [
    `The routine ${JSON.stringify(name)} ${WORDS[change]}.`,
    `routine: ${id}`,
    `at: ${timestamp(atMs)}`,
    ...(run === null ? [] : [`run: ${run.id}`, `session: ${run.session_id}`, `status: ${run.status}`]),
    ...(run === null || run.error === null ? [] : [`error: ${run.error.code} (${run.error.message})`]),
  ];
  return facts.join("\n");
}
