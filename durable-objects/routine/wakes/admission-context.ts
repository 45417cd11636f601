/** What admission reads and writes with. */
import type { ModelUpstream } from "#instance/config.ts";
import type { IdMaker } from "#protocol/ids.ts";
import type { RoutineRow } from "../definition/definition-store.ts";
import type { Budgets } from "../runs/budgets.ts";
import type { DeadLetters } from "../runs/dead-letters.ts";
import type { RunEngine } from "../runs/run-engine.ts";
import type { RunStore } from "../runs/run-store.ts";
import type { Steering } from "../runs/steering.ts";
import type { SessionKeys } from "../sessions/session-keys.ts";
import type { Tx } from "../work.ts";
import type { CoalescedRuns } from "./coalesced-runs.ts";
import type { OccurrenceStore } from "./occurrences.ts";

export interface AdmissionContext {
  routine: RoutineRow;
  model: ModelUpstream;
  defaultModel: string;
  occurrences: OccurrenceStore;
  runs: RunStore;
  engine: RunEngine;
  coalesced: CoalescedRuns;
  deadLetters: DeadLetters;
  budgets: Budgets;
  steering: Steering;
  sessionKeys: SessionKeys;
  ids: IdMaker;
  tx: Tx;
}
