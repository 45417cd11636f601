/**
 * A run as its object and D1 store it, apart from what is shown of it. The one place that knows how earlier versions stored
 * runs.
 */
import type { HostUse } from "#protocol/host-use.ts";
import { roundDollars } from "#protocol/money.ts";
import { DEFAULT_POOL } from "#protocol/pool.ts";
import { isSettled, type ListedRun, type Run } from "#protocol/run.ts";
import { RUN_STATES, type SettledStatus, type UnsettledStatus } from "#protocol/run-states.ts";
import { lacksEvidence } from "./lacks-evidence.ts";

const VERSION = 3;

/**
 * What is stored of a run. The prompt is stored with the revision, and what came with the trigger in columns of its own: both may
 * be long, and the record is written anew at each step and copied to D1.
 */
export type RunRecord = ListedRun & { v: typeof VERSION };
export type QueuedRecord = Extract<RunRecord, { status: "queued" }>;
export type ActiveRecord = Extract<RunRecord, { status: UnsettledStatus }>;
export type WaitingRecord = Extract<RunRecord, { status: "waiting" }>;
export type SettledRecord = Extract<RunRecord, { status: SettledStatus }>;

/**
 * As this or an earlier version has stored it. The first to write version 3 left an empty prompt in it. Version 2 knew of no pool
 * but the one that there was; version 1 wrote no `v` either, and kept the prompt in the record.
 */
type Stored = RunRecord | (Run & { v?: 2 });

/** @param run a new one. */
export function newRecord<New extends ListedRun>(run: New): New & { v: typeof VERSION } {
  // `v` comes first, so that `recordText` sees it without parsing the rest.
  return { v: VERSION, ...run };
}

/** @param json as any version has stored it. @throws SyntaxError where none has. */
export function readRecord(json: string): RunRecord {
  const stored: Stored | null = JSON.parse(json);
  if (stored === null || !isRun(stored)) throw new SyntaxError("not a run");
  // A later version's, after a rollback, stays what it is too.
  if (isOfNow(stored)) return stored;
  const { v: _version, ...run } = stored;
  const { prompt: _prompt, ...routine } = run.routine;
  return newRecord({ ...run, pool: "pool" in run ? run.pool : DEFAULT_POOL, routine });
}

/** As far as nothing can be told of one without it. After a rollback there may be states that only the later version knows. */
function isRun({ routine, timings, status }: Partial<Stored>): boolean {
  return routine !== undefined && timings !== undefined && status !== undefined && Object.hasOwn(RUN_STATES, status);
}

function isOfNow(stored: Stored): stored is RunRecord {
  if (stored.v === undefined || stored.v < VERSION) return false;
  return stored.v > VERSION || !("prompt" in stored.routine);
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
  // Earlier versions stored sums with all their decimals.
  const shown = { ...run, usage: { ...run.usage, cost_usd: roundDollars(run.usage.cost_usd) } };
  // Not stored: a push is told late where the object could not be reached.
  return isSettled(shown) && lacksEvidence(shown.result, shown.evidence) ? { ...shown, evidence_missing: true } : shown;
}

/**
 * A run as it is shown by itself.
 * @param revision the one that the run was admitted with.
 * @param hosts that it has asked for.
 */
export function showRun(record: RunRecord, revision: { prompt: string }, hosts: HostUse[]): Run {
  const run = showListed(record);
  const { name, revision: number, model } = run.routine;
  const evidence = hosts.length === 0 ? run.evidence : { ...run.evidence, hosts };
  return { ...run, evidence, routine: { name, revision: number, prompt: revision.prompt, model } };
}
