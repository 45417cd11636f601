/** Deliveries in D1, and their bodies: in the row where they fit, else in R2. */
import { and, desc, eq, gte, inArray, lt, lte, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { pageEnd, pageEndSchema } from "#durable-objects/page-end.ts";
import type { Page, PageRequest } from "#protocol/api.ts";
import type { Delivery, DeliveryDetail, DeliveryOutcome, VerificationFailure } from "#protocol/delivery.ts";
import { timeOf } from "#protocol/ids.ts";
import type { EventSource } from "#protocol/incoming-event.ts";
import { timestamp } from "#protocol/time.ts";
import { deliveries, verificationFailureCounts } from "./schema.ts";

type Row = typeof deliveries.$inferSelect;

/** As it is stored before it is answered. */
export interface NewDelivery extends Pick<Row, "id" | "source" | "triggerId" | "providerId" | "event" | "headers"> {
  body: Uint8Array<ArrayBuffer>;
  /** Why nothing is to be done about it; null when it is to be handled. */
  ignored: string | null;
}

/** One that waits to be handled. */
export interface StoredDelivery extends Pick<Row, "id" | "source" | "triggerId" | "providerId" | "event" | "headers"> {
  body: Uint8Array<ArrayBuffer>;
}

export interface HandledDelivery {
  id: string;
  status: Exclude<Delivery["status"], "stored">;
  note: string | null;
  event: string | null;
  action: string | null;
  summary: string | null;
  outcomes: DeliveryOutcome[];
}

export interface FailureCount {
  day: string;
  source: EventSource;
  trigger_id: string | null;
  failure: VerificationFailure;
  count: number;
}

/** Larger bodies go to R2: a row of D1 holds 2 MB at most. */
const ROW_BODY_BYTES = 524_288;
/** Bodies that are in memory together. */
const HELD_BYTES = 4_194_304;
/** A delivery that could not be handled so often is left as it is: a person can replay it. */
const TRIES = 20;
const PURGE_AT_ONCE = 200;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class DeliveryStore {
  readonly #binding: D1Database;
  readonly #bodies: R2Bucket;
  readonly #db;

  constructor(binding: D1Database, bodies: R2Bucket) {
    this.#binding = binding;
    this.#bodies = bodies;
    this.#db = drizzle(binding);
  }

  /** Resolves when the delivery can't be lost any more. */
  async insert({ body, ignored, ...delivery }: NewDelivery): Promise<void> {
    const text = body.length <= ROW_BODY_BYTES ? readable(body) : null;
    if (text === null) await this.#bodies.put(keyOf(delivery.id), body);
    const { id, source, triggerId, providerId, event, headers } = delivery;
    const status = ignored === null ? "stored" : "ignored";
    await this.#binding
      .prepare(INSERT)
      .bind(id, source, triggerId, status, providerId, event, ignored, JSON.stringify(headers), text, body.length)
      .run();
  }

  /**
   * Waiting deliveries, oldest first, as many as can be held at once.
   * @param tried those whose handling failed before, too; else those that are new.
   */
  async waiting(limit: number, { tried }: { tried: boolean }): Promise<StoredDelivery[]> {
    const sizes = await this.#db
      .select({ id: deliveries.id, sizeBytes: deliveries.sizeBytes })
      .from(deliveries)
      .where(and(sql`status = 'stored'`, tried ? lt(deliveries.tries, TRIES) : eq(deliveries.tries, 0)))
      .orderBy(deliveries.id)
      .limit(limit);
    let total = 0;
    const ids = sizes.filter(({ sizeBytes }, place) => {
      total += sizeBytes;
      return place === 0 || total <= HELD_BYTES;
    });
    if (ids.length === 0) return [];
    const chosen = inArray(
      deliveries.id,
      ids.map(({ id }) => id),
    );
    const rows = await this.#db.select().from(deliveries).where(chosen).orderBy(deliveries.id);
    return Promise.all(rows.map((row) => this.#withBody(row)));
  }

  async read(id: string): Promise<StoredDelivery | null> {
    const row = await this.#db.select().from(deliveries).where(eq(deliveries.id, id)).get();
    return row === undefined ? null : this.#withBody(row);
  }

  /** Writes what became of deliveries, in one statement. */
  async finish(handled: readonly HandledDelivery[]): Promise<void> {
    if (handled.length > 0) await this.#binding.prepare(FINISH).bind(JSON.stringify(handled)).run();
  }

  /** Handling failed: it is tried again later. */
  async postpone(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#db
      .update(deliveries)
      .set({ tries: sql`${deliveries.tries} + 1` })
      .where(inArray(deliveries.id, [...ids]));
  }

  async list(filter: { source: EventSource | null; status: Delivery["status"] | null }, page: PageRequest) {
    const where = and(
      filter.source === null ? undefined : eq(deliveries.source, filter.source),
      filter.status === null ? undefined : eq(deliveries.status, filter.status),
      page.cursor === null ? undefined : lt(deliveries.id, page.cursor),
    );
    return this.#page(where, page.limit);
  }

  async detail(id: string): Promise<DeliveryDetail | null> {
    const row = await this.#db.select().from(deliveries).where(eq(deliveries.id, id)).get();
    if (row === undefined) return null;
    const { body } = await this.#withBody(row);
    return { ...viewOf(row), headers: row.headers, body: new TextDecoder().decode(body) };
  }

  /** @param day for instance `2026-11-22`. */
  async countFailure(day: string, source: EventSource, triggerId: string | null, failure: VerificationFailure) {
    const values = { day, source, triggerId: triggerId ?? "", failure, count: 1 };
    const { day: d, source: s, triggerId: t, failure: f, count } = verificationFailureCounts;
    await this.#db
      .insert(verificationFailureCounts)
      .values(values)
      .onConflictDoUpdate({ target: [d, s, t, f], set: { count: sql`${count} + 1` } });
  }

  /** Newest day first. */
  async failures(limit: number): Promise<FailureCount[]> {
    const rows = await this.#db
      .select()
      .from(verificationFailureCounts)
      .orderBy(desc(verificationFailureCounts.day))
      .limit(limit);
    return rows.map(({ triggerId, ...row }) => ({ ...row, trigger_id: triggerId === "" ? null : triggerId }));
  }

  /** Forgets the oldest of the deliveries up to an id, with their bodies. @returns whether there may be more. */
  async purge(upToId: string): Promise<boolean> {
    const rows = await this.#db
      .select({ id: deliveries.id, isInRow: sql<number>`body IS NOT NULL` })
      .from(deliveries)
      .where(lte(deliveries.id, upToId))
      .orderBy(deliveries.id)
      .limit(PURGE_AT_ONCE);
    const last = rows.at(-1);
    if (last === undefined) return false;
    const stored = rows.flatMap(({ id, isInRow }) => (isInRow === 1 ? [] : [keyOf(id)]));
    if (stored.length > 0) await this.#bodies.delete(stored);
    await this.#db.delete(deliveries).where(lte(deliveries.id, last.id));
    return rows.length === PURGE_AT_ONCE;
  }

  async #page(where: SQL | undefined, limit: number): Promise<Page<Delivery>> {
    const query = pageEnd({ table: deliveries, key: deliveries.id, doc: deliveries.outcomes, where, limit });
    const { last, has_more } = pageEndSchema.parse(await this.#db.get(query));
    const rows = await this.#db
      .select()
      .from(deliveries)
      .where(and(where, last === null ? sql`0` : gte(deliveries.id, String(last))))
      .orderBy(desc(deliveries.id));
    return { data: rows.map(viewOf), next_cursor: has_more ? String(last) : null };
  }

  async #withBody({ id, source, triggerId, providerId, event, headers, body }: Row): Promise<StoredDelivery> {
    const delivery = { id, source, triggerId, providerId, event, headers };
    if (body !== null) return { ...delivery, body: new Uint8Array(encoder.encode(body)) };
    const stored = await this.#bodies.get(keyOf(id));
    return { ...delivery, body: new Uint8Array((await stored?.arrayBuffer()) ?? new ArrayBuffer(0)) };
  }
}

const INSERT = `INSERT INTO deliveries
  (id, source, trigger_id, status, provider_id, event, note, headers, body, size_bytes, outcomes)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '[]')`;

const FINISH = `UPDATE deliveries SET
    status = done.value ->> 'status', note = done.value ->> 'note', event = done.value ->> 'event',
    action = done.value ->> 'action', summary = done.value ->> 'summary', outcomes = done.value -> 'outcomes'
  FROM json_each(?) AS done WHERE deliveries.id = done.value ->> 'id'`;

function keyOf(id: string): string {
  return `deliveries/${id}`;
}

/** @returns null for bytes that are no UTF-8: as text they would come back as others. */
function readable(body: Uint8Array): string | null {
  try {
    return decoder.decode(body);
  } catch {
    return null;
  }
}

function viewOf(row: Row): Delivery {
  const { id, source, triggerId, status, note, event, action, summary, providerId, sizeBytes, outcomes } = row;
  return {
    id,
    source,
    trigger_id: triggerId,
    received_at: timestamp(timeOf(id)),
    verification: "verified",
    status,
    note,
    event,
    action,
    summary,
    provider_id: providerId,
    size_bytes: sizeBytes,
    outcomes,
  };
}
