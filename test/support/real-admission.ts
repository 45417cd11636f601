/** The real parts of a routine's object over its real tables, without sockets, pool and index: for the model of admission. */

import { assembleCore } from "#durable-objects/routine/assemble-core.ts";
import { openDatabase } from "#durable-objects/routine/database.ts";
import type { RoutineRow } from "#durable-objects/routine/definition/definition-store.ts";
import type { Tx } from "#durable-objects/routine/work.ts";
import type { Config } from "#instance/config.ts";
import { unchangedDefault } from "#instance/d1/environments.ts";
import type { Wake } from "#protocol/occurrence.ts";
import { routineInputSchema, routinePatchSchema } from "#protocol/routine.ts";
import type { SourceEvent } from "#protocol/source-event.ts";
import type { Coalesces, Facts, Step } from "./admission-model.ts";

const OWNER = { kind: "owner", id: null, name: "owner" } as const;
const OWNER_KEY = "ABCDEFGHJKMN";
/** After that a delivery has failed, and is offered no more. */
const OFFERED_WITHIN_MS = 23 * 3_600_000;
const ROUTINE_ID = `rtn_0123456789${OWNER_KEY.slice(1)}00000`;

export class RealAdmission {
  readonly #parts: ReturnType<typeof assembleCore>;
  readonly #sql: SqlStorage;
  readonly #maxWaitMs: number;
  #events = 0;
  #last: { event: SourceEvent; atMs: number } | null = null;
  /** The alarm should have rung. */
  #isAlarmLate = false;

  constructor(storage: DurableObjectStorage, config: Config, facts: Facts) {
    const database = openDatabase(storage);
    if (!database.ok) throw new Error("the tables can't be made");
    this.#sql = storage.sql;
    emptyTables(storage.sql);
    const context = { storage, getWebSockets: () => [], acceptWebSocket: () => {} };
    this.#parts = assembleCore(context, database.value, {
      config,
      ownerKey: OWNER_KEY,
      bucket: { get: async () => null },
    });
    const { work, definitionChanges } = this.#parts;
    this.#maxWaitMs = facts.maxWaitMs;
    const input = routineInputSchema.parse({
      name: "model",
      prompt: "Do the work.",
      overlap: facts.overlap,
      max_concurrent: facts.max,
      retry: { max: facts.retryMax, backoff: seconds(facts.retryMs) },
      limits: { timeout: "24h" },
      triggers: [
        { type: "schedule", cron: facts.periodMs === 60_000 ? "* * * * *" : "0 * * * *" },
        { type: "event", name: "alone" },
        this.#many(facts.coalesce),
        {
          type: "event",
          name: "both",
          coalesce: { window: seconds(facts.maxWaitMs), max_wait: seconds(facts.maxWaitMs) },
        },
        { type: "event", name: "both" },
      ],
    });
    work.change((tx) => void definitionChanges.create(tx, { id: ROUTINE_ID, input, actor: OWNER }));
  }

  /** Before the time moves on for the step: an alarm is late for what wakes the routine alone. */
  awaitStep(step: Step): void {
    const isWake = step.do === "fire" || step.do === "event" || step.do === "offer again";
    if (!isWake) this.#ring();
  }

  /** @param place of the run that the step is about, in the order in which runs came. */
  take(step: Step, place: number | null): void {
    this.#isAlarmLate ||= step.do === "wait";
    this.#take(step, place);
    this.#parts.work.change((tx) => this.#startAll(tx));
    if (step.do !== "wait" || !step.isAlarmLate) this.#ring();
  }

  #ring(): void {
    const { deadlines, engine, work } = this.#parts;
    if (!this.#isAlarmLate) return;
    this.#isAlarmLate = false;
    deadlines.look(Date.now(), (tx, { kind, ref }) => void engine.feed(tx, ref, { type: "overdue", kind }));
    work.change((tx) => this.#startAll(tx));
  }

  #take(step: Step, place: number | null): void {
    const { work, wakes, schedules, definitions } = this.#parts;
    switch (step.do) {
      case "fire":
        work.change((tx) => void wakes.fire(tx, this.#routine(), fireOf(step), false));
        break;
      case "event":
        this.#events += 1;
        this.#last = { event: eventOf(step, this.#events), atMs: Date.now() };
        work.change((tx) => this.#offerLast(tx));
        break;
      case "offer again":
        work.change((tx) => this.#offerLast(tx));
        break;
      case "wait":
        break;
      case "look":
        for (const trigger of schedules.due(this.#routine(), Date.now())) {
          work.change((tx) => schedules.claimDue(tx, this.#routine(), trigger));
        }
        break;
      case "pause":
      case "resume":
        work.change((tx) => {
          schedules.claimBeforeChange(tx, this.#routine(), this.#routine().definition.triggers);
          definitions.update(tx, this.#routine(), { status: step.do === "pause" ? "paused" : "active" });
        });
        break;
      case "change":
        work.change((tx) => this.#change(tx, { overlap: step.overlap, max_concurrent: step.max }));
        break;
      case "coalesce":
        work.change((tx) => this.#change(tx, { triggers: this.#withMany(step.to) }));
        break;
      case "succeed":
      case "lose":
      case "cancel": {
        const id = place === null ? undefined : this.#rows()[place]?.id;
        if (id !== undefined) work.change((tx) => this.#end(tx, step.do, id));
      }
    }
  }

  /** @param known so many of the oldest are left out. */
  told(known: number): string[] {
    return this.#sql
      .exec<{ doc: string }>("SELECT doc FROM occurrences ORDER BY id LIMIT -1 OFFSET ?", known)
      .toArray()
      .map(({ doc }) => JSON.parse(doc))
      .map(({ outcome, reason }) => `${outcome} ${reason}`);
  }

  runs(): string[] {
    return this.#rows().map(({ status }) => (status === "starting" || status === "running" ? "on" : status));
  }

  #offerLast(tx: Tx): void {
    if (this.#last === null || Date.now() - this.#last.atMs > OFFERED_WITHIN_MS) return;
    this.#parts.wakes.event(tx, this.#routine(), this.#last.event);
  }

  #many(coalesce: Coalesces | null) {
    if (coalesce === null) return { type: "event", name: "many" };
    const { byKind, windowMs } = coalesce;
    const bounds = { window: seconds(windowMs), max_wait: seconds(this.#maxWaitMs) };
    return { type: "event", name: "many", coalesce: byKind ? { key: "kind", ...bounds } : bounds };
  }

  #withMany(coalesce: Coalesces | null) {
    return this.#routine().definition.triggers.map((trigger) =>
      trigger.type === "event" && trigger.name === "many" ? { id: trigger.id, ...this.#many(coalesce) } : trigger,
    );
  }

  #change(tx: Tx, change: object): void {
    const patch = routinePatchSchema.parse(change);
    const changed = this.#parts.definitionChanges.change(tx, { routine: this.#routine(), patch, actor: OWNER });
    if (!changed.ok) throw new Error(changed.refusal.code);
  }

  #end(tx: Tx, how: "succeed" | "lose" | "cancel", id: string): void {
    const { engine } = this.#parts;
    if (how === "cancel") engine.feed(tx, id, { type: "cancel_requested", reason: "by_user" });
    else if (how === "lose") engine.feed(tx, id, { type: "lease_ended", end: "runner_lost" });
    else {
      const seen = { turns: 1, tool_calls: 0, files_changed: 0, commits_pushed: 0, cost_usd: 0 };
      const frame = { kind: "finished", outcome: { status: "succeeded" }, report: null, seen } as const;
      engine.feed(tx, id, { type: "finished", frame });
    }
  }

  /** A runner takes up at once whatever has a place. */
  #startAll(tx: Tx): void {
    for (const { id, status } of this.#rows()) {
      if (status !== "starting") continue;
      this.#parts.engine.feed(tx, id, { type: "environment", environment: unchangedDefault() });
      this.#parts.engine.feed(tx, id, {
        type: "leased",
        runner: { kind: "local", id: "runner" },
        boot: null,
        features: [],
      });
      this.#parts.engine.feed(tx, id, { type: "running", sandbox: "none" });
    }
  }

  #routine(): RoutineRow {
    const row = this.#parts.definitions.row();
    if (row === null) throw new Error("there is no routine");
    return row;
  }

  #rows(): { id: string; status: string }[] {
    return this.#sql.exec<{ id: string; status: string }>("SELECT id, status FROM runs ORDER BY id").toArray();
  }
}

function fireOf({ type, key, body }: Extract<Step, { do: "fire" }>): Wake {
  return {
    type,
    trigger_id: null,
    summary: "Fired",
    text: null,
    dedupe_key: key,
    content_key: null,
    fingerprint: body,
    depth: 0,
    checkout: null,
    request_id: null,
    delivery_id: null,
  };
}

function eventOf({ name, kind, id, content }: Extract<Step, { do: "event" }>, number: number): SourceEvent {
  return {
    name,
    action: null,
    summary: "An event",
    dedupe_key: id,
    // Who makes events of what comes marks the two kinds of key apart.
    content_key: content === null ? null : `content ${content}`,
    payload: { kind },
    fields: {},
    context: "",
    source: "event",
    delivery_id: null,
    event_id: `event ${number}`,
    trigger_id: null,
    github: null,
    caused_by: null,
  };
}

function seconds(ms: number): string {
  return `${ms / 1_000}s`;
}

function emptyTables(sql: SqlStorage): void {
  const names = sql
    .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'")
    .toArray();
  for (const { name } of names) if (!name.startsWith("sqlite_")) sql.exec(`DELETE FROM "${name}"`);
}
