/** Pure: what the list of runs is narrowed to, as its address names it and as the API is asked. */
import type { TriggerType } from "#protocol/occurrence.ts";
import type { RunResult, RunStatus } from "#protocol/run.ts";
import { RESULT_LABELS, TRIGGER_LABELS } from "../format/status.ts";

/** Statuses that one looks for together. */
const STATES = {
  active: ["queued", "starting", "running"],
  waiting: ["waiting"],
  succeeded: ["succeeded"],
  failed: ["failed", "timed_out"],
  canceled: ["canceled"],
} satisfies Record<string, readonly RunStatus[]>;
type RunState = keyof typeof STATES;

const DAY_MS = 86_400_000;
const SINCE = { day: DAY_MS, week: 7 * DAY_MS, month: 30 * DAY_MS };
type Since = keyof typeof SINCE;

export interface RunFilters {
  state?: RunState;
  result?: RunResult;
  trigger?: TriggerType;
  since?: Since;
  routine?: string;
  search?: string;
}

const STATE_TEXTS: Record<RunState, string> = {
  active: "Active",
  waiting: "Waiting",
  succeeded: "Succeeded",
  failed: "Failed or timed out",
  canceled: "Canceled",
};
const SINCE_TEXTS: Record<Since, string> = { day: "Last 24 hours", week: "Last 7 days", month: "Last 30 days" };

export const STATE_OPTIONS = optionsOf(STATE_TEXTS);
export const SINCE_OPTIONS = optionsOf(SINCE_TEXTS);
export const TRIGGER_OPTIONS = optionsOf(TRIGGER_LABELS);
export const RESULT_OPTIONS = keysOf(RESULT_LABELS).map((value) => ({ value, text: RESULT_LABELS[value].text }));

/** What an address says that is not known counts as not said. */
export function parseRunFilters(given: Record<string, unknown>): RunFilters {
  const { routine, search } = given;
  return withoutUndefined({
    state: known(STATES, given["state"]),
    result: known(RESULT_LABELS, given["result"]),
    trigger: known(TRIGGER_LABELS, given["trigger"]),
    since: known(SINCE, given["since"]),
    routine: typeof routine === "string" && /^rtn_[0-9A-Z]{26}$/.test(routine) ? routine : undefined,
    search: typeof search === "string" && search.trim() !== "" ? search.trim() : undefined,
  });
}

export function toRunQuery({ state, result, trigger, since, routine, search }: RunFilters, nowMs: number) {
  return withoutUndefined({
    status: state === undefined ? undefined : [...STATES[state]],
    result: result === undefined ? undefined : [result],
    trigger: trigger === undefined ? undefined : [trigger],
    from: since === undefined ? undefined : new Date(nowMs - SINCE[since]).toISOString(),
    routine,
    search,
  });
}

/** @returns the value where the table has such a key. */
function known<Key extends string>(table: Record<Key, unknown>, value: unknown): Key | undefined {
  return keysOf(table).find((key) => key === value);
}

function keysOf<Key extends string>(table: Record<Key, unknown>): Key[] {
  return Object.keys(table) as Key[];
}

function optionsOf<Key extends string>(texts: Record<Key, string>): { value: Key; text: string }[] {
  return keysOf(texts).map((value) => ({ value, text: texts[value] }));
}

type Defined<Given> = { [Key in keyof Given]?: Exclude<Given[Key], undefined> };

function withoutUndefined<Given extends object>(given: Given): Defined<Given> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Defined<Given>;
}
