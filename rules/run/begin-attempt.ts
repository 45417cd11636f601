/** What an attempt waits for before a runner is asked for: its environment, and what that needs. Pure. */
import { type KeptEnvironment, toldEnvironment } from "../environment/kept-environment.ts";
import { PROVISIONING_MS } from "./deadlines.ts";
import type { RunState, Step } from "./inputs.ts";
import type { ActiveRecord } from "./record.ts";

/** A run that was canceled meanwhile asks for no runner. */
export function enterEnvironment(
  state: RunState,
  run: ActiveRecord,
  kept: KeptEnvironment,
  nowMs: number,
): Step | null {
  if (!awaitsEnvironment(run) || run.cancel_reason !== null) return null;
  const { id, name, revision } = kept;
  return {
    state: { ...state, run: { ...run, environment: { id, name, revision } } },
    events: [{ type: "run.step", phase: "provisioning", message: `Allocating a runner${toldEnvironment(kept)}` }],
    effects: [
      { type: "ask_pool" },
      { type: "set_deadline", kind: "provisioning", atMs: nowMs + PROVISIONING_MS.noRunner },
    ],
  };
}

/** Null of an attempt that has begun; left out of one that an earlier version began, which looked nothing up. */
export function awaitsEnvironment(run: ActiveRecord): boolean {
  return run.status === "starting" && run.environment === null;
}
