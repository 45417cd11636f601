/** By what the lists of routines and runs are searched. */
import { type SQL, sql } from "drizzle-orm";
import { firstIdAt } from "#protocol/ids.ts";
import type { TriggerType } from "#protocol/occurrence.ts";
import type { RunResult, RunStatus } from "#protocol/run.ts";
import { routines, runs } from "./schema.ts";
import { containsText, hasTag, isOneOf, type Search } from "./search-page.ts";

/** What is left out is not asked for. */
export interface RoutineFilter {
  /** In the name or the prompt. */
  text?: string | undefined;
  tag?: string | undefined;
  status?: "active" | "paused" | undefined;
}

export interface RunFilter {
  routineId?: string | undefined;
  statuses?: readonly RunStatus[] | undefined;
  results?: readonly RunResult[] | undefined;
  triggers?: readonly TriggerType[] | undefined;
  /** Of its routine as it is now. */
  tag?: string | undefined;
  /** In the routine's name, the summary, or what woke it. */
  text?: string | undefined;
  /** The run that has woken it. */
  wokenBy?: string | undefined;
  /** When it was admitted, in Unix milliseconds. */
  fromMs?: number | undefined;
  toMs?: number | undefined;
}

export function routineSearch({ text, tag, status }: RoutineFilter): Search {
  const { id, doc } = routines;
  const inName = (looked: string) => containsText(looked, [sql`${doc} ->> '$.name'`, sql`${doc} ->> '$.prompt'`]);
  return {
    table: routines,
    key: id,
    size: sql`LENGTH(${doc})`,
    sources: [],
    conditions: [
      text === undefined ? undefined : inName(text),
      tag === undefined ? undefined : hasTag(doc, tag),
      status === undefined ? undefined : sql`${doc} ->> '$.status' = ${status}`,
    ],
    from: null,
    before: null,
  };
}

/** Where a text is looked for in a run. */
const TEXTS = [
  sql`${runs.doc} ->> '$.routine.name'`,
  sql`${runs.doc} ->> '$.summary'`,
  sql`${runs.doc} ->> '$.trigger.summary'`,
];

export function runSearch(filter: RunFilter): Search {
  const { routineId, statuses, results, triggers, tag, text, wokenBy, fromMs, toMs } = filter;
  const { doc } = runs;
  const ofStatus = (statuses ?? []).map((status) => sql`${runs.status} = ${status}`);
  const ofRoutine = routineId === undefined ? [] : [sql`${runs.routineId} = ${routineId}`];
  const wanted: (SQL | undefined)[] = [
    routineId === undefined || statuses === undefined ? undefined : isOneOf(sql`${runs.status}`, statuses),
    results === undefined ? undefined : isOneOf(sql`${doc} ->> '$.result'`, results),
    triggers === undefined ? undefined : isOneOf(sql`${runs.triggerType}`, triggers),
    tag === undefined ? undefined : ofTag(tag),
    text === undefined ? undefined : containsText(text, TEXTS),
    wokenBy === undefined ? undefined : sql`${doc} ->> '$.trigger.woken_by' = ${wokenBy}`,
  ];
  return {
    table: runs,
    key: runs.id,
    size: sql`LENGTH(${doc})`,
    sources: routineId === undefined ? ofStatus : ofRoutine,
    conditions: wanted,
    from: fromMs === undefined ? null : firstIdAt("run", fromMs),
    before: toMs === undefined ? null : firstIdAt("run", toMs),
  };
}

/** Whether a run's routine has a tag now. */
export function ofTag(tag: string): SQL {
  return sql`EXISTS (SELECT 1 FROM ${routines} WHERE ${routines.id} = ${runs.routineId} AND ${hasTag(routines.doc, tag)})`;
}
