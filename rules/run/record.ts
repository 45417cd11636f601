/**
 * A run as its object and D1 store it, apart from what is shown of it. The one place that knows how earlier versions stored
 * runs.
 */
import type { ListedRun, Run } from "#protocol/run.ts";
import type { SettledStatus, UnsettledStatus } from "#protocol/run-states.ts";

const VERSION = 2;

/**
 * What is stored of a run. The prompt is stored with the revision, and what came with the trigger in columns of its own: both may
 * be long, and the record is written anew at each step and copied to D1.
 */
export type RunRecord = ListedRun & { v: typeof VERSION };
export type QueuedRecord = Extract<RunRecord, { status: "queued" }>;
export type ActiveRecord = Extract<RunRecord, { status: UnsettledStatus }>;
export type SettledRecord = Extract<RunRecord, { status: SettledStatus }>;

/** As this or an earlier version has stored it: version 1 wrote no `v`, and kept the prompt in it. */
type Stored = RunRecord | Run;

/** @param run a new one. */
export function newRecord<New extends ListedRun>(run: New): New & { v: typeof VERSION } {
  // `v` comes first, so that `recordText` sees it without parsing the rest.
  return { v: VERSION, ...run };
}

/** @param json as any version has stored it. */
export function readRecord(json: string): RunRecord {
  const stored: Stored = JSON.parse(json);
  if ("v" in stored) return stored;
  const { prompt: _prompt, ...routine } = stored.routine;
  return newRecord({ ...stored, routine });
}

/**
 * A stored record in the form of this version; the same text when it has that form. @param json as any version has stored
 * it.
 */
export function recordText(json: string): string {
  return json.startsWith(`{"v":${VERSION},`) ? json : JSON.stringify(readRecord(json));
}

/** A run as lists show it. */
export function showListed({ v: _version, ...run }: RunRecord): ListedRun {
  return run;
}

/** A run as it is shown by itself. @param revision the one that the run was admitted with. */
export function showRun(record: RunRecord, revision: { prompt: string }): Run {
  const run = showListed(record);
  const { name, revision: number, model } = run.routine;
  return { ...run, routine: { name, revision: number, prompt: revision.prompt, model } };
}
