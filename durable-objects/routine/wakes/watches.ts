/** The routine's watches: when each looks, and what becomes of what it has seen. The look itself is a call that is owed. */
import { sql } from "drizzle-orm";
import { FIRE_TEXT_LIMIT, type Wake } from "#protocol/occurrence.ts";
import { durationMs, timestamp } from "#protocol/time.ts";
import type { Trigger, WatchTrigger } from "#protocol/triggers.ts";
import type { SeenItem, WatchChange, WatchState } from "#protocol/watch.ts";
import { beginningOf } from "#protocol/well-formed.ts";
import { factText, watchFact } from "#rules/run/notify.ts";
import { watchRetryMs } from "#rules/watch/retry.ts";
import { type Database, rowsOf } from "../database.ts";
import type { DefinitionStore, RoutineRow } from "../definition/definition-store.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { watches } from "../schema.ts";
import type { Remembered, Tx, Work } from "../work.ts";
import type { Wakes } from "./wake.ts";
import type { WatchedItems } from "./watched-items.ts";

type WatchRow = typeof watches.$inferSelect;

/** A look that is to be made. */
export interface LookOrder {
  trigger: WatchTrigger;
  routineId: string;
  spec: string;
  look: number;
}

type Outcome = { ok: true; items: SeenItem[] } | { ok: false; detail: string };

/** So many failures in a row are told: one alone passes mostly by itself. */
const TOLD_AFTER = 3;
/** The sweep comes so often to a routine that watches, in case its alarm has been lost. */
const HEARTBEAT_MS = 15 * 60_000;
const CUT = "\n… (cut)";

interface Parts {
  database: Database;
  work: Work;
  outbox: Outbox;
  wakes: Wakes;
  definitions: DefinitionStore;
  items: WatchedItems;
}

export class Watches {
  readonly #parts: Parts;
  /** By trigger. */
  readonly #rows: Remembered<ReadonlyMap<string, WatchRow>>;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#rows = parts.work.remember(() => new Map(rowsOf(parts.database, watches).map((row) => [row.triggerId, row])));
  }

  /** Takes in the watches of a definition: one that is new, or sees something else than before, begins with a baseline at once. */
  takeIn(tx: Tx, routine: RoutineRow): void {
    const triggers = watchesAmong(routine.definition.triggers);
    const known = this.#rows.get();
    if (triggers.length === 0 && known.size === 0) return;
    for (const trigger of triggers) {
      const spec = specOf(trigger);
      const before = known.get(trigger.id);
      if (before?.spec === spec) {
        const soonest = Math.min(before.lookAt, tx.nowMs + durationMs(trigger.every));
        this.#keep(tx, { ...before, lookAt: soonest });
        continue;
      }
      this.#parts.items.forget(tx, trigger.id);
      this.#keep(tx, begun(trigger.id, spec, (before?.look ?? 0) + 1, tx.nowMs));
    }
    const ids = triggers.map(({ id }) => id);
    tx.database
      .delete(watches)
      .where(sql`${watches.triggerId} NOT IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`)
      .run();
    this.#parts.items.retain(tx, ids);
    this.#rows.forget();
  }

  /** When the next look is due; null where the routine watches nothing, or is paused. Unix milliseconds. */
  next(): number | null {
    const routine = this.#watching();
    if (routine === null) return null;
    const moments = [...this.#rows.get().values()].map(({ lookAt }) => lookAt);
    return moments.length === 0 ? null : Math.min(...moments);
  }

  /** Owes the looks that are due. */
  oweDue(): void {
    const { work, outbox } = this.#parts;
    const routine = this.#watching();
    if (routine === null) return;
    work.change((tx) => {
      for (const trigger of watchesAmong(routine.definition.triggers)) {
        const row = this.#rows.get().get(trigger.id);
        if (row === undefined || row.lookAt > tx.nowMs) continue;
        // Also where a look is under way: it may have begun before the watch was reset, and is not taken in then.
        outbox.owe(tx, "look_at_watch", trigger.id);
        this.#keep(tx, { ...row, lookAt: tx.nowMs + durationMs(trigger.every) });
      }
    });
  }

  /** @returns null where there is nothing to look at any more. */
  order(triggerId: string): LookOrder | null {
    const routine = this.#watching();
    const row = this.#rows.get().get(triggerId);
    const trigger = routine === null ? undefined : this.find(routine, triggerId);
    if (routine === null || row === undefined || trigger === undefined) return null;
    return { trigger, routineId: routine.id, spec: row.spec, look: row.look };
  }

  /**
   * Takes in what a look has seen: occurrences, and what is known from then on, in one transaction. What comes twice, or when
   * the watch has become another, is dropped.
   */
  take(tx: Tx, { trigger, spec, look }: LookOrder, seen: Outcome): void {
    const { wakes, items } = this.#parts;
    const routine = this.#watching();
    const row = this.#rows.get().get(trigger.id);
    if (routine === null || row === undefined || row.look !== look || row.spec !== spec) return;
    if (!seen.ok) {
      this.#fail(tx, row, trigger, seen.detail);
      return;
    }
    const changes = items.compare(trigger.id, seen.items);
    // For what there is no room it is not taken in: it differs still at a later look, when there may be.
    const room = row.hasBaseline ? wakes.room(routine) : Number.POSITIVE_INFINITY;
    const differing = seen.items
      .flatMap((item, place) => {
        const change = changes[place] ?? "same";
        return change === "same" ? [] : [{ item, change }];
      })
      .slice(0, room);
    const taken = differing.map(({ item }) => item);
    const known = items.keep(tx, trigger.id, look, taken, seen.items);
    const seenAt = { lookedAt: tx.nowMs, failures: 0, fault: null };
    this.#keep(tx, { ...row, ...seenAt, look: look + 1, hasBaseline: true, items: known });
    if (!row.hasBaseline) return;
    for (const { item, change } of differing) wakes.watched(tx, routine, wakeOf(trigger, look, item, change));
  }

  /** The routine goes on: what came due while it was paused, or was seen too late, is looked at now. */
  lookSoon(tx: Tx): void {
    for (const row of this.#rows.get().values()) this.#keep(tx, { ...row, lookAt: Math.min(row.lookAt, tx.nowMs) });
  }

  /** How items differ from what is known, without taking them in; null without such a watch. */
  compare(routine: RoutineRow, triggerId: string, items: readonly Pick<SeenItem, "key" | "hash">[]) {
    const row = this.#rows.get().get(triggerId);
    if (row === undefined || this.find(routine, triggerId) === undefined) return null;
    return { hasBaseline: row.hasBaseline, changes: this.#parts.items.compare(triggerId, items) };
  }

  /** Forgets what is known: the next look, at once, is a new baseline. @returns whether there is such a watch. */
  reset(tx: Tx, routine: RoutineRow, triggerId: string): boolean {
    const row = this.#rows.get().get(triggerId);
    if (row === undefined || this.find(routine, triggerId) === undefined) return false;
    this.#parts.items.forget(tx, triggerId);
    this.#keep(tx, begun(triggerId, row.spec, row.look + 1, tx.nowMs));
    return true;
  }

  find(routine: RoutineRow, triggerId: string): WatchTrigger | undefined {
    return watchesAmong(routine.definition.triggers).find(({ id }) => id === triggerId);
  }

  /** As the API shows it; undefined without such a watch. */
  state(triggerId: string, isPaused: boolean): WatchState | undefined {
    const row = this.#rows.get().get(triggerId);
    if (row === undefined) return undefined;
    const { lookedAt, lookAt, items, failures, fault } = row;
    return {
      looked_at: lookedAt === null ? null : timestamp(lookedAt),
      next_look_at: isPaused ? null : timestamp(lookAt),
      items,
      failures,
      fault,
    };
  }

  /** When the sweep is to see whether the object still keeps time; null where nothing is watched. Unix milliseconds. */
  heartbeatAt(nowMs: number): number | null {
    return this.next() === null ? null : nowMs + HEARTBEAT_MS;
  }

  #fail(tx: Tx, row: WatchRow, trigger: WatchTrigger, fault: string): void {
    const failures = row.failures + 1;
    this.#keep(tx, { ...row, look: row.look + 1, failures, fault, lookAt: tx.nowMs + watchRetryMs(failures) });
    if (failures !== TOLD_AFTER) return;
    const detail = `${trigger.connector} ${trigger.tool ?? trigger.resource}: ${fault}`;
    this.#parts.outbox.owe(tx, "notify", factText(watchFact(tx.nowMs, detail)));
  }

  /** The routine, while its watches look. */
  #watching(): RoutineRow | null {
    const routine = this.#parts.definitions.living();
    return routine === null || routine.status === "paused" ? null : routine;
  }

  #keep(tx: Tx, row: WatchRow): void {
    tx.database.insert(watches).values(row).onConflictDoUpdate({ target: watches.triggerId, set: row }).run();
    this.#rows.set(tx, new Map(this.#rows.get()).set(row.triggerId, row));
  }
}

function begun(triggerId: string, spec: string, look: number, nowMs: number): WatchRow {
  const nothing = { hasBaseline: false, lookedAt: null, items: 0, failures: 0, fault: null };
  return { triggerId, spec, look, lookAt: nowMs, ...nothing };
}

function watchesAmong(triggers: readonly Trigger[]): WatchTrigger[] {
  return triggers.filter((trigger) => trigger.type === "watch");
}

function specOf({ connector, tool, resource, arguments: given, items, key }: WatchTrigger): string {
  return JSON.stringify({ connector, tool, resource, arguments: given, items, key });
}

function wakeOf(trigger: WatchTrigger, look: number, item: SeenItem, change: Exclude<WatchChange, "same">): Wake {
  const { id, connector } = trigger;
  return {
    type: "watch",
    trigger_id: id,
    summary: `${connector}: ${item.label} ${change === "new" ? "is new" : "has changed"}`,
    text: item.text.length <= FIRE_TEXT_LIMIT ? item.text : beginningOf(item.text, FIRE_TEXT_LIMIT - CUT.length) + CUT,
    // The look is part of it: an item may change back to what it was.
    dedupe_key: `${id}:${look}:${item.key}`,
    content_key: null,
    fingerprint: item.hash,
    depth: 0,
    checkout: null,
    request_id: null,
    delivery_id: null,
    watched_key: item.key,
  };
}
