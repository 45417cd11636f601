/** What people read of deliveries in D1: lists, one with its body, and how many requests were not believed. */
import { and, desc, eq, getTableColumns, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { deliveries, verificationFailureCounts } from "#instance/d1/schema.ts";
import { containsText, isOnPage, type Search, searchPage } from "#instance/d1/search-page.ts";
import type { Page, PageRequest } from "#protocol/api.ts";
import type { Delivery, DeliveryDetail, VerificationFailure } from "#protocol/delivery.ts";
import { timeOf } from "#protocol/ids.ts";
import type { EventSource } from "#protocol/source-event.ts";
import { dayOf, timestamp } from "#protocol/time.ts";
import type { Bodies } from "./bodies.ts";
import { keptHeadersSchema, outcomesSchema, readableJson } from "./delivery-json.ts";

/** What is left out is not asked for. */
interface DeliveryFilter {
  source?: EventSource | undefined;
  status?: Delivery["status"] | undefined;
  /** Whose triggers looked at it. */
  routineId?: string | undefined;
  /** In the summary, the event's names, the note, or the source's id. */
  text?: string | undefined;
}

export interface FailureCount {
  /** For instance `2026-11-22`. */
  day: string;
  source: EventSource;
  trigger_id: string | null;
  failure: VerificationFailure;
  count: number;
}

export interface DeliveryLists {
  list(filter: DeliveryFilter, page: PageRequest): Promise<Page<Delivery>>;
  detail(id: string): Promise<DeliveryDetail | null>;
  /** Adds to what is stored, in one statement. */
  addFailures(counts: readonly FailureCount[]): Promise<void>;
  /** Newest day first. */
  failures(limit: number): Promise<FailureCount[]>;
  /** Forgets the counts of days that were over before. */
  forgetFailures(beforeMs: number): Promise<void>;
}

/** JSON as its text: a row with another must not take a list with it. */
const COLUMNS = {
  ...getTableColumns(deliveries),
  headers: sql<string>`${deliveries.headers}`,
  outcomes: sql<string>`${deliveries.outcomes}`,
};

export function deliveryLists(database: D1Database, bodies: Bodies): DeliveryLists {
  const db = drizzle(database);
  return {
    list: async (filter, page) => {
      const { keys, next_cursor } = await searchPage(db, searchOf(filter), page);
      // Bodies of a whole page would not fit into memory.
      const { body: _body, headers: _headers, ...shown } = COLUMNS;
      const rows = await db
        .select(shown)
        .from(deliveries)
        .where(isOnPage(deliveries.id, keys))
        .orderBy(desc(deliveries.id));
      return { data: rows.map(readableView).filter((view) => view !== null), next_cursor };
    },
    detail: async (id) => {
      const row = await db.select(COLUMNS).from(deliveries).where(eq(deliveries.id, id)).get();
      const view = row === undefined ? null : readableView(row);
      const headers = row === undefined ? null : readableJson(id, keptHeadersSchema, row.headers);
      if (row === undefined || view === null || headers === null) return null;
      const body = await bodies.bytesOf(id, row.body);
      return { ...view, headers, body: body === null ? null : new TextDecoder().decode(body) };
    },
    addFailures: async (counts) => {
      await database.prepare(ADD_FAILURES).bind(JSON.stringify(counts)).run();
    },
    failures: async (limit) => {
      const newest = desc(verificationFailureCounts.day);
      const rows = await db.select().from(verificationFailureCounts).orderBy(newest).limit(limit);
      return rows.map(({ triggerId, ...row }) => ({ ...row, trigger_id: triggerId === "" ? null : triggerId }));
    },
    forgetFailures: async (beforeMs) => {
      await db.delete(verificationFailureCounts).where(lt(verificationFailureCounts.day, dayOf(beforeMs)));
    },
  };
}

function searchOf({ source, status, routineId, text }: DeliveryFilter): Search {
  const { id, outcomes, summary, event, action, note, providerId } = deliveries;
  const bySource = source === undefined ? undefined : eq(deliveries.source, source);
  const byStatus = status === undefined ? undefined : eq(deliveries.status, status);
  const indexed = and(bySource, byStatus);
  const texts = [summary, event, action, note, providerId].map((column) => sql`${column}`);
  const heard = sql`EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid(${outcomes}) THEN ${outcomes} END) WHERE value ->> 'routine_id' = ${routineId})`;
  return {
    table: deliveries,
    key: id,
    size: sql`LENGTH(${outcomes})`,
    sources: indexed === undefined ? [] : [indexed],
    conditions: [
      routineId === undefined ? undefined : heard,
      text === undefined ? undefined : containsText(text, texts),
    ],
    from: null,
    before: null,
  };
}

/** One that the lists do not have yet. */
export function pendingView(
  row: Pick<Shown, "id" | "source" | "triggerId" | "event" | "providerId" | "sizeBytes">,
): Delivery {
  const note = "The index did not take it in: it is brought there, and handled, within minutes of the index's return.";
  return viewOf({ ...row, status: "stored", note, action: null, summary: null, outcomes: [] });
}

type Shown = Omit<typeof deliveries.$inferSelect, "body" | "headers" | "tries" | "nextAt">;

function readableView(row: Omit<Shown, "outcomes"> & { outcomes: string }): Delivery | null {
  const outcomes = readableJson(row.id, outcomesSchema, row.outcomes);
  return outcomes === null ? null : viewOf({ ...row, outcomes });
}

function viewOf(row: Shown): Delivery {
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

/** `WHERE true` tells SQLite where the join ends and the conflict begins. */
const ADD_FAILURES = `INSERT INTO verification_failures (day, source, trigger_id, failure, count)
  SELECT value ->> 'day', value ->> 'source', COALESCE(value ->> 'trigger_id', ''), value ->> 'failure', value ->> 'count'
  FROM json_each(?) WHERE true
  ON CONFLICT DO UPDATE SET count = count + excluded.count`;
