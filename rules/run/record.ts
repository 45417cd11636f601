/** A run as it is stored, by its object and in D1, apart from what is shown of it. The one place that knows versions. */
import type { ListedRun, Run } from "#protocol/run.ts";
import type { SettledStatus, UnsettledStatus } from "#protocol/run-states.ts";

const VERSION = 2;

/**
 * What is stored of a run. The prompt is its revision's. What came with its trigger stays beside it, in columns of its own:
 * the record is written again at each step and goes to D1 as it is, and neither is to happen to that.
 */
export type RunRecord = ListedRun & { v: typeof VERSION };
export type QueuedRecord = Extract<RunRecord, { status: "queued" }>;
export type ActiveRecord = Extract<RunRecord, { status: UnsettledStatus }>;
export type SettledRecord = Extract<RunRecord, { status: SettledStatus }>;

/** As some version has stored it: 1 had no mark, and the prompt in it. */
type Stored = RunRecord | Run;

/** @param run a new one. */
export function newRecord<New extends ListedRun>(run: New): New & { v: typeof VERSION } {
  // First, so that `recordText` sees it without reading the rest.
  return { v: VERSION, ...run };
}

/** @param json as any version has stored it. */
export function readRecord(json: string): RunRecord {
  const stored: Stored = JSON.parse(json);
  if ("v" in stored) return stored;
  const { prompt: _prompt, ...routine } = stored.routine;
  return newRecord({ ...stored, routine });
}

/** A stored record as this version stores it: the same text when it is. @param json as any version has stored it. */
export function recordText(json: string): string {
  return json.startsWith(`{"v":${VERSION},`) ? json : JSON.stringify(readRecord(json));
}

/** A run as lists show it. */
export function showListed({ v: _version, ...run }: RunRecord): ListedRun {
  return run;
}

/** A run by itself. @param revision the one that it was admitted with. */
export function showRun(record: RunRecord, revision: { prompt: string }): Run {
  const run = showListed(record);
  const { name, revision: number, model } = run.routine;
  return { ...run, routine: { name, revision: number, prompt: revision.prompt, model } };
}
