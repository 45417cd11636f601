/** Calls to other routines: the end of a run, told to those that wait for it. */
import { subscribersOf } from "#instance/d1/subscribers.ts";
import type { DeliveryOutcome } from "#protocol/delivery.ts";
import type { Result } from "#protocol/errors.ts";
import { logTrouble } from "#protocol/log.ts";
import type { ListedRun } from "#protocol/run.ts";
import type { SourceEvent } from "#protocol/source-event.ts";
import { runEndedEvent, runEndedKeys } from "#rules/triggers/run-ended-event.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { Receiver } from "../outbox/lane.ts";
import type { OwedKind } from "../outbox/outbox.ts";
import type { RunStore } from "../runs/run-store.ts";

const TOLD_WITHIN_MS = 23 * 3_600_000;

/** Another routine as it is told. */
type RoutineOf = (id: string) => { takeEvents(events: SourceEvent[]): Promise<Result<DeliveryOutcome[][]>> };

export class ToRoutines implements Receiver {
  readonly name = "other routines";
  /** Side by side: a routine that does not answer holds up the telling of no other run. */
  readonly sizes = [1];
  readonly atOnce = 64;
  readonly #index: D1Database;
  readonly #definitions: DefinitionStore;
  readonly #runs: RunStore;
  readonly #routineOf: RoutineOf;

  constructor(index: D1Database, definitions: DefinitionStore, runs: RunStore, routineOf: RoutineOf) {
    this.#index = index;
    this.#definitions = definitions;
    this.#runs = runs;
    this.#routineOf = routineOf;
  }

  async deliver(_kind: OwedKind, runIds: readonly string[]): Promise<readonly string[]> {
    for (const id of runIds) {
      const run = this.#runs.get(id)?.doc;
      if (run !== undefined) await this.#tell(run);
    }
    return [];
  }

  /** @throws when one of them can't be told: each is asked again then, and those that know take nothing in twice. */
  async #tell(run: ListedRun): Promise<void> {
    // What tells a repeat is kept for a day: told after that, an ending could wake a routine a second time.
    if (Date.now() - Date.parse(run.timings.finished_at ?? "") > TOLD_WITHIN_MS) {
      logTrouble("run_end_not_told", { run_id: run.id }, "given up");
      return;
    }
    const { name } = this.#definitions.row()?.definition ?? run.routine;
    const found = await subscribersOf(this.#index, runEndedKeys(run, name));
    const event = runEndedEvent(run, name);
    const told = [...new Set([...found.values()].flat())].map(async (id) => {
      const answer = await this.#routineOf(id).takeEvents([event]);
      // A routine that has been deleted does not take the event, and need not.
      if (!answer.ok && answer.refusal.code !== "not_found") throw new Error(answer.refusal.code);
    });
    await Promise.all(told);
  }
}
