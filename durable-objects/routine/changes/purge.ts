/** What is left of a deleted routine once its last run has stopped: a row that says so. */
import { is } from "drizzle-orm";
import { SQLiteTable } from "drizzle-orm/sqlite-core";
import { ROUTINE_DEFAULTS, type RoutineDefinition } from "#protocol/routine.ts";
import type { Conversations } from "../conversations/conversations.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { RunStore } from "../runs/run-store.ts";
import * as schema from "../schema.ts";
import type { Artifacts } from "../sessions/artifacts.ts";
import type { TranscriptLog } from "../transcript/transcript-log.ts";
import type { Tx, Work } from "../work.ts";

/** All tables but the routine's own: a new one is among them by itself. */
export const PURGED = Object.values(schema).filter(
  (table): table is typeof table & SQLiteTable => is(table, SQLiteTable) && table !== schema.routine,
);

interface Parts {
  work: Work;
  definitions: DefinitionStore;
  runs: RunStore;
  outbox: Outbox;
  conversations: Conversations;
  artifacts: Artifacts;
  log: TranscriptLog;
}

export class Purge {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A deleted routine that is over keeps its tombstone, and nothing else: what lies in R2 goes first. */
  ifOver(): void {
    const { work, definitions, runs, outbox, conversations, artifacts, log } = this.#parts;
    const routine = definitions.row();
    if (routine?.status !== "deleted" || runs.queue.unsettled().length > 0 || !outbox.isEmpty()) return;
    work.change((tx) => {
      const isOwed = [conversations.dropAll(tx, routine.id), artifacts.dropAll(tx, routine.id)];
      if (log.dropAll(tx)) {
        outbox.owe(tx, "tidy_transcript", routine.id);
        isOwed.push(true);
      }
      if (!isOwed.includes(true)) purge(tx, work);
    });
  }
}

/** Empties everything but the routine's own row, and takes out of that what its owner wrote. */
export function purge(tx: Tx, work: Work): void {
  for (const table of PURGED) tx.database.delete(table).run();
  tx.database.update(schema.routine).set({ definition: BLANK, pausedReason: null }).run();
  work.forgetAll(tx);
}

/** The form stays: whoever reads the row finds a definition. Of what its owner wrote there is nothing in it. */
const BLANK: RoutineDefinition = {
  ...ROUTINE_DEFAULTS,
  name: "",
  prompt: "",
  model: null,
  session_key: null,
  repositories: [],
  triggers: [],
  gate: null,
  tags: {},
};
