/** Deliveries in D1, from their coming in to what became of them; their bodies are in the row where they fit, else in R2. */

import { CallFailed } from "#instance/calls.ts";
import type { deliveries } from "#instance/d1/schema.ts";
import { withinDeadline } from "#instance/in-time.ts";
import type { Delivery, DeliveryOutcome } from "#protocol/delivery.ts";
import { logTrouble } from "#protocol/log.ts";
import type { Database } from "../parties/database.ts";
import type { Bodies } from "./bodies.ts";
import { keptHeadersSchema, readableJson } from "./delivery-json.ts";
import { insertRow, type NewDeliveryRow } from "./delivery-row.ts";
import type { PendingDeliveries } from "./pending-deliveries.ts";

type Row = typeof deliveries.$inferSelect;

interface DeliveryFacts
  extends Pick<Row, "id" | "source" | "triggerId" | "status" | "providerId" | "event" | "headers" | "sizeBytes"> {}

/** As it is stored before it is answered. */
export interface NewDelivery extends Omit<DeliveryFacts, "status" | "sizeBytes"> {
  /** Or the size of one that lies in R2 already. */
  body: Uint8Array<ArrayBuffer> | { sizeBytes: number };
  /** Why nothing is to be done about it; null when it is to be handled. */
  ignored: string | null;
}

/** One that is to be handled, or was. */
export interface StoredDelivery extends DeliveryFacts {
  /** Null when it is kept no more, or too long to be held. */
  body: Uint8Array<ArrayBuffer> | null;
  /** Reads one that is too long to be held, as often as it is called; null for all others. */
  openLong: (() => Promise<ReadableStream<Uint8Array> | null>) | null;
}

export interface HandledDelivery {
  id: string;
  status: Exclude<Delivery["status"], "stored" | "failed">;
  note: string | null;
  event: string | null;
  action: string | null;
  summary: string | null;
  outcomes: DeliveryOutcome[];
}

export interface DeliveryStore {
  /**
   * Resolves when the delivery can't be lost any more: it is in D1, or in R2 where D1 does not take it.
   * @param takenUntilMs whoever stores it handles it too: nobody else takes it up before. Null for the next who looks.
   * @returns `pending` when it is not in D1 yet, and a sweep brings it there. @throws CallFailed when neither takes it.
   */
  insert(delivery: NewDelivery, nowMs: number, takenUntilMs?: number | null): Promise<"stored" | "pending">;
  /** Brings into D1 what was kept outside of it, oldest first. Never rejects. */
  takeInPending(): Promise<void>;
  /**
   * Takes up deliveries that wait, the longest waiting first, as many as can be held at once. Nobody else gets them for
   * a while; those that are not finished until then come again, at growing intervals. One that has not been finished
   * twice comes alone: should it be what ends its handler, it takes no other with it.
   */
  claim(limit: number, nowMs: number): Promise<StoredDelivery[]>;
  /** @returns null for one that is not there, or whose row can't be read. */
  read(id: string): Promise<StoredDelivery | null>;
  /** Whether an event that changes what is known of repositories has come before under its source's id, and was handled. */
  cameBefore(delivery: Pick<StoredDelivery, "id" | "event" | "providerId">): Promise<boolean>;
  /** Writes what became of deliveries. */
  finish(handled: readonly HandledDelivery[]): Promise<void>;
  /** Handling failed: it is tried again later. @param note why, for people. */
  postpone(ids: readonly string[], note: string): Promise<void>;
  /** Ends the trying of those that came up to an id and have been tried in vain. @param note for people. @returns how many. */
  giveUp(upToId: string, note: string, nowMs: number): Promise<number>;
  /** Forgets the oldest of the deliveries up to an id, with their bodies. @returns whether there may be more. */
  purge(upToId: string): Promise<boolean>;
}

/** In milliseconds. D1 and then R2 are asked before a webhook is answered, and GitHub waits ten seconds. */
const INSERT_DEADLINE_MS = 4_000;
/** A body that can't be had by then leaves its delivery to a later claim, and holds up no other. */
const BODY_DEADLINE_MS = 5_000;
/** A longer body is not held: as text and objects it takes several times as much. */
export const HELD_BODY_BYTES = 6_291_456;
/** Bodies that are in memory together. */
const HELD_BYTES = 4_194_304;
/** For so long one who handles a delivery is left alone with it; doubled with each time. */
export const CLAIM_MS = 60_000;
const LONGEST_CLAIM_MS = 3_600_000;
/** What has been taken up so often without an end comes alone. */
const ALONE_AFTER = 2;
const PURGE_AT_ONCE = 500;
/** Of outcomes in one statement, in UTF-16 units: D1 takes 2 MB. */
const STATEMENT_LENGTH = 500_000;

export function deliveryStore(database: Database, bodies: Bodies, pending: PendingDeliveries): DeliveryStore {
  const withBody = async ({ body, headers: text, ...row }: ClaimedRow): Promise<StoredDelivery | null> => {
    const headers = readableJson(row.id, keptHeadersSchema, text);
    if (headers === null) return null;
    const isLong = row.sizeBytes > HELD_BODY_BYTES;
    return isLong
      ? { ...row, headers, body: null, openLong: () => bodies.open(row.id) }
      : { ...row, headers, body: await bodies.bytesOf(row.id, body), openLong: null };
  };
  return {
    insert: async ({ body, ignored, ...delivery }, nowMs, takenUntilMs = null) => {
      const status = ignored === null ? "stored" : "ignored";
      const sizeBytes = "sizeBytes" in body ? body.sizeBytes : body.length;
      const kept = { ...delivery, status, note: ignored, sizeBytes } as const;
      try {
        const row = {
          ...kept,
          body: "sizeBytes" in body ? null : await bodies.keep(delivery.id, body),
          tries: 0,
          nextAt: nowMs,
        };
        const taken = takenUntilMs === null ? {} : { tries: 1, nextAt: takenUntilMs };
        return await insertOrKeep(database.repeatable, pending, row, { ...row, ...taken });
      } catch (error) {
        throw new CallFailed("unavailable", "the index and the bucket", error);
      }
    },
    takeInPending: async () => {
      try {
        await pending.handOver((row) => insertRow(database.repeatable, row));
      } catch (error) {
        logTrouble("pending_not_taken_in", {}, error);
      }
    },
    claim: async (limit, nowMs) => {
      const claim = database.prepare(CLAIM).bind(nowMs, limit, HELD_BYTES, ALONE_AFTER, CLAIM_MS, LONGEST_CLAIM_MS);
      const { results } = await claim.all<ClaimedRow>();
      const inOrder = results.sort((one, other) => (one.id < other.id ? -1 : 1));
      const withBodies = inOrder.map(async (row) => {
        try {
          return await withinDeadline(withBody(row), BODY_DEADLINE_MS);
        } catch (error) {
          logTrouble("body_unavailable", { delivery_id: row.id }, error);
          return null;
        }
      });
      return (await Promise.all(withBodies)).filter((delivery) => delivery !== null);
    },
    read: async (id) => {
      const row = await database.prepare(READ).bind(id).first<ClaimedRow>();
      return row === null ? null : withBody(row);
    },
    cameBefore: async ({ id, event, providerId }) =>
      providerId !== null && (await database.prepare(CAME_BEFORE).bind(providerId, event, id).first()) !== null,
    finish: async (handled) => {
      for (const statement of statementsOf(handled)) await database.repeatable.prepare(FINISH).bind(statement).run();
    },
    postpone: async (ids, note) => {
      if (ids.length > 0) await database.repeatable.prepare(POSTPONE).bind(note, JSON.stringify(ids)).run();
    },
    giveUp: async (upToId, note, nowMs) => {
      const { meta } = await database.prepare(GIVE_UP).bind(upToId, note, nowMs).run();
      return meta.changes;
    },
    purge: async (upToId) => {
      // Bodies first: a row without its body says so, a body without its row would never be found.
      const isMoreInBodies = await bodies.purge(upToId);
      const isMoreAside = await pending.purge(upToId);
      const { meta } = await database.prepare(PURGE).bind(upToId, PURGE_AT_ONCE).run();
      return isMoreInBodies || isMoreAside || meta.changes === PURGE_AT_ONCE;
    },
  };
}

/** @param row as another takes it up. @param taken the same, for the one who stores it and handles it at once. */
async function insertOrKeep(
  database: D1Database,
  pending: PendingDeliveries,
  row: NewDeliveryRow,
  taken: NewDeliveryRow,
): Promise<"stored" | "pending"> {
  try {
    await withinDeadline(insertRow(database, taken), INSERT_DEADLINE_MS, "the index");
    return "stored";
  } catch (error) {
    logTrouble("delivery_kept_in_bucket", { delivery_id: row.id }, error);
    await withinDeadline(pending.keep(row), INSERT_DEADLINE_MS, "the bucket");
    return "pending";
  }
}

interface ClaimedRow extends Omit<DeliveryFacts, "headers"> {
  headers: string;
  body: string | null;
}

/** What has been handled as JSON, in pieces that a statement can carry. */
function statementsOf(handled: readonly HandledDelivery[]): string[] {
  const pieces: string[] = [];
  let open: string[] = [];
  let length = 0;
  for (const one of handled) {
    const text = fitting(one);
    if (open.length > 0 && length + text.length > STATEMENT_LENGTH) {
      pieces.push(`[${open.join(",")}]`);
      open = [];
      length = 0;
    }
    open.push(text);
    length += text.length;
  }
  if (open.length > 0) pieces.push(`[${open.join(",")}]`);
  return pieces;
}

/** Outcomes that are too long for a row leave out what their filters said, and then those that did not match. */
function fitting(handled: HandledDelivery): string {
  const brief = handled.outcomes.map((outcome) => ({ ...outcome, filters: [] }));
  const matched = brief.filter((outcome) => outcome.matched);
  for (const outcomes of [handled.outcomes, brief, matched]) {
    const text = wellFormed({ ...handled, outcomes });
    if (text.length <= STATEMENT_LENGTH) return text;
  }
  const note = `${matched.length} triggers matched: more than are listed here.`;
  return wellFormed({ ...handled, note, outcomes: matched.slice(0, LISTED_OUTCOMES) });
}

const LISTED_OUTCOMES = 500;

/** A sender's text may hold half of a character: as SQLite's text it would not come back. */
function wellFormed(value: HandledDelivery): string {
  return JSON.stringify(value, (_key, part) => (typeof part === "string" ? part.toWellFormed() : part));
}

const COLUMNS =
  'id, source, trigger_id AS "triggerId", status, provider_id AS "providerId", event, headers, body, size_bytes AS "sizeBytes"';
const READ = `SELECT ${COLUMNS} FROM deliveries WHERE id = ?`;

/** Written as the index is: else it is not used. */
const CAME_BEFORE = `SELECT 1 FROM deliveries
  WHERE event IN ('installation', 'installation_repositories', 'installation_target', 'organization', 'repository', 'meta')
    AND provider_id = ?1 AND event = ?2 AND id < ?3 AND source = 'github' AND status NOT IN ('stored', 'failed') LIMIT 1`;

/** Named, for the planner would take another: what waits for a later time is not to be read at each look. */
const STORED = "deliveries INDEXED BY deliveries_stored";
const CLAIM = `UPDATE deliveries SET tries = tries + 1, next_at = ?1 + MIN(?5 << MIN(tries, 10), ?6)
  WHERE id IN (
    SELECT id FROM (
      SELECT id, tries, ROW_NUMBER() OVER w AS place, SUM(size_bytes) OVER w AS total, FIRST_VALUE(tries) OVER w AS first
      FROM (
        SELECT id, tries, size_bytes, next_at FROM ${STORED}
        WHERE status = 'stored' AND next_at <= ?1 ORDER BY next_at, id LIMIT ?2
      ) WINDOW w AS (ORDER BY next_at, id)
    ) WHERE place = 1 OR (total <= ?3 AND first < ?4 AND tries < ?4)
  ) RETURNING ${COLUMNS}`;

const FINISH = `UPDATE deliveries SET
    status = done.value ->> 'status', note = done.value ->> 'note', event = done.value ->> 'event',
    action = done.value ->> 'action', summary = done.value ->> 'summary', outcomes = done.value -> 'outcomes'
  FROM json_each(?) AS done WHERE deliveries.id = done.value ->> 'id'`;

const POSTPONE = `UPDATE deliveries SET note = ?1
  WHERE id IN (SELECT value FROM json_each(?2)) AND status = 'stored'`;

const GIVE_UP = `UPDATE ${STORED} SET status = 'failed', note = ?2
  WHERE status = 'stored' AND next_at <= ?3 AND tries > 0 AND id <= ?1`;

const PURGE = `DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE id <= ?1 ORDER BY id LIMIT ?2)`;
