/** Keeps how the routine is doing: tells others when that changes, and pauses it when run after run fails. */
import { logEvent } from "#protocol/log.ts";
import type { ListedRun } from "#protocol/run.ts";
import type { SettledStatus } from "#protocol/run-states.ts";
import { durationMs } from "#protocol/time.ts";
import type { HealthChange } from "#protocol/triggers.ts";
import { afterRun, type Health, newHealth, watchedAnew } from "#rules/routine/health.ts";
import { factText } from "#rules/run/notify.ts";
import { quietAt } from "#rules/schedules/quiet-at.ts";
import { healthText } from "#rules/triggers/health-event.ts";
import { type Database, rowsOf } from "../database.ts";
import type { DefinitionStore, RoutineRow } from "../definition/definition-store.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { health } from "../schema.ts";
import type { Remembered, Tx, Work } from "../work.ts";

export type SettledRun = Extract<ListedRun, { status: SettledStatus }>;

/** The one row. */
const ROW = 1;

export class RoutineHealth {
  readonly #definitions: DefinitionStore;
  readonly #outbox: Outbox;
  readonly #work: Work;
  readonly #kept: Remembered<Health | null>;
  /** When the silence counts, as it was last worked out, and from what. */
  #quiet: { health: Health; version: number; atMs: number | null } | null = null;

  constructor(database: Database, work: Work, definitions: DefinitionStore, outbox: Outbox) {
    this.#definitions = definitions;
    this.#outbox = outbox;
    this.#work = work;
    this.#kept = work.remember(() => {
      const [row] = rowsOf(database, health);
      if (row === undefined) return null;
      const { id: _id, ...kept } = row;
      return kept;
    });
  }

  /** A run of the routine has ended. @returns how its health has changed with that. */
  ended(tx: Tx, run: SettledRun): HealthChange | null {
    const routine = this.#definitions.living();
    if (routine === null) return null;
    const before = this.#kept.get() ?? newHealth(tx.nowMs);
    const { health: after, change } = afterRun(before, run.status, tx.nowMs);
    if (after === before) return null;
    this.#keep(tx, after);
    if (change !== null) this.#tell(tx, routine, change, run.id, after.failures);
    const most = routine.definition.limits.failures;
    if (most > 0 && after.failures >= most && routine.status === "active") this.#pause(tx, routine, run, after);
    return change;
  }

  /** What is awaited of the routine has changed, or it goes on after a pause. */
  watchAnew(tx: Tx): void {
    this.#keep(tx, watchedAnew(this.#kept.get(), tx.nowMs));
  }

  /** When its silence counts, in Unix milliseconds; null while that is told already, or nothing is awaited. */
  quietAt(): number | null {
    const routine = this.#definitions.living();
    const kept = this.#kept.get();
    if (routine?.status !== "active" || kept === null || kept.quietSince !== null) return null;
    if (this.#quiet?.health !== kept || this.#quiet.version !== routine.version) {
      const { triggers, limits } = routine.definition;
      const schedules = triggers.filter((trigger) => trigger.type === "schedule");
      const atMs = quietAt(schedules, kept.watchedSince, durationMs(limits.timeout));
      this.#quiet = { health: kept, version: routine.version, atMs };
    }
    return this.#quiet.atMs;
  }

  /** Notices a silence that counts by now, and tells of it. */
  lookForSilence(nowMs: number): void {
    const atMs = this.quietAt();
    if (atMs === null || atMs > nowMs) return;
    this.#work.change((tx) => {
      const routine = this.#definitions.living();
      const kept = this.#kept.get();
      if (routine === null || kept === null) return;
      this.#keep(tx, { ...kept, quietSince: tx.nowMs });
      this.#tell(tx, routine, "quiet", null, kept.failures);
      this.#notify(tx, "quiet", null, null);
    });
  }

  #pause(tx: Tx, routine: RoutineRow, { id, error }: SettledRun, { failures }: Health): void {
    const why = error === null ? "" : `: ${error.code}`;
    const runs = failures === 1 ? "A run has failed" : `${failures} runs in a row have failed`;
    const pausedReason = `${runs}, the last one ${id}${why}. Resume the routine when the cause is mended.`;
    this.#definitions.update(tx, routine, { status: "paused", pausedReason, pausedBy: "failures" });
    this.#outbox.owe(tx, "project_routine", routine.id);
    this.#notify(tx, "paused", id, pausedReason);
    this.#log(tx, routine.id, id, "paused", failures);
  }

  #notify(tx: Tx, kind: "paused" | "quiet", runId: string | null, detail: string | null): void {
    this.#outbox.owe(tx, "notify", factText({ kinds: [kind], runId, atMs: tx.nowMs, detail }));
  }

  #tell(tx: Tx, routine: RoutineRow, change: HealthChange, runId: string | null, failures: number): void {
    this.#outbox.owe(tx, "tell_health", healthText({ change, runId, atMs: tx.nowMs }));
    this.#log(tx, routine.id, runId, change, failures);
  }

  #log(tx: Tx, routine_id: string, run_id: string | null, change: HealthChange | "paused", failures: number): void {
    this.#work.afterwards(tx, `health:${change}`, () =>
      logEvent("routine_health", { routine_id, run_id, change, failures }),
    );
  }

  #keep(tx: Tx, kept: Health): void {
    const row = { id: ROW, ...kept };
    tx.database.insert(health).values(row).onConflictDoUpdate({ target: health.id, set: row }).run();
    this.#kept.set(tx, kept);
  }
}
