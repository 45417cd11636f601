/** Pure: a session's name in the browser's tab, with how its latest run stands, so that a tab in the background tells. */
import type { Run } from "#protocol/run.ts";
import { isUntaken } from "../format/status.ts";

export function tabTitle(title: string, run: Run | undefined): string {
  return run === undefined ? title : `${stateOf(run)} · ${title}`;
}

function stateOf(run: Run): string {
  if (run.status === "waiting") return run.waiting.for === "budget" ? "! Budget spent" : "? Waits for you";
  if (isUntaken(run)) return "○ Waits for a runner";
  return STATES[run.status];
}

const STATES: Record<Exclude<Run["status"], "waiting">, string> = {
  queued: "○ Queued",
  starting: "● Starting",
  running: "● Running",
  succeeded: "✓ Succeeded",
  failed: "✕ Failed",
  timed_out: "✕ Timed out",
  canceled: "– Canceled",
};
