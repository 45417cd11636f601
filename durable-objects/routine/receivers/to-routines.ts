/** Calls to other routines: the end of a run, or a change in how the routine is doing, told to those that wait for it. */
import { subscribersOf } from "#instance/d1/subscribers.ts";
import type { DeliveryOutcome } from "#protocol/delivery.ts";
import type { Result } from "#protocol/errors.ts";
import { logTrouble } from "#protocol/log.ts";
import type { SourceEvent } from "#protocol/source-event.ts";
import { healthEvent, readHealthText } from "#rules/triggers/health-event.ts";
import { runEndedEvent, runEndedKeys } from "#rules/triggers/run-ended-event.ts";
import { routineKeys } from "#rules/triggers/subscriptions.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { Receiver } from "../outbox/lane.ts";
import type { OwedKind } from "../outbox/outbox.ts";
import type { RunStore } from "../runs/run-store.ts";

/** What others are to be told. */
interface Told {
  runId: string | null;
  /** When it happened, in Unix milliseconds. */
  atMs: number;
  /** By which keys routines wait for it. */
  keys: string[];
  event: SourceEvent;
}

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

  async deliver(kind: OwedKind, refs: readonly string[]): Promise<readonly string[]> {
    for (const ref of refs) {
      const told = kind === "tell_health" ? this.#health(ref) : this.#ending(ref);
      if (told !== null) await this.#tell(told);
    }
    return [];
  }

  #ending(runId: string): Told | null {
    const run = this.#runs.get(runId)?.doc;
    if (run === undefined) return null;
    const { name } = this.#definitions.row()?.definition ?? run.routine;
    const atMs = Date.parse(run.timings.finished_at ?? "");
    return { runId, atMs, keys: runEndedKeys(run, name), event: runEndedEvent(run, name) };
  }

  #health(text: string): Told | null {
    const routine = this.#definitions.living();
    if (routine === null) return null;
    const told = readHealthText(text);
    const { runId, atMs } = told;
    const run = runId === null ? null : (this.#runs.get(runId)?.doc ?? null);
    const { id, definition } = routine;
    const keys = routineKeys(id, [definition.name, ...(run === null ? [] : [run.routine.name])]);
    return { runId, atMs, keys, event: healthEvent(told, { id, name: definition.name }, run) };
  }

  /** @throws when one of them can't be told: each is asked again then, and those that know take nothing in twice. */
  async #tell({ runId, atMs, keys, event }: Told): Promise<void> {
    // What tells a repeat is kept for a day: told after that, an ending could wake a routine a second time.
    if (Date.now() - atMs > TOLD_WITHIN_MS) {
      logTrouble("run_end_not_told", { run_id: runId }, "given up");
      return;
    }
    const found = await subscribersOf(this.#index, keys);
    const told = [...new Set([...found.values()].flat())].map(async (id) => {
      const answer = await this.#routineOf(id).takeEvents([event]);
      // A routine that has been deleted does not take the event, and need not.
      if (!answer.ok && answer.refusal.code !== "not_found") throw new Error(answer.refusal.code);
    });
    await Promise.all(told);
  }
}
