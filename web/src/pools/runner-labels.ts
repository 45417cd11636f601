/** Pure: the states of runners in words. */
import type { RunnerState } from "#protocol/pool.ts";
import type { Label } from "../format/status.ts";

export const RUNNER_LABELS: Record<RunnerState, Label> = {
  idle: { text: "Idle", tone: "success" },
  busy: { text: "Busy", tone: "active" },
  draining: { text: "Leaving", tone: "neutral" },
  lost: { text: "Lost", tone: "danger" },
  refused: { text: "Refused", tone: "warning" },
};
