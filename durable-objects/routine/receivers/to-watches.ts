/** Looks for the routine's watches, each by itself. What a server does is taken in as a failed look: no call is owed for ever. */
import { called } from "#instance/calls.ts";
import { type Look, look } from "#instance/connectors/look.ts";
import type { McpParts } from "#instance/connectors/mcp-client.ts";
import { connectorsNamed } from "#instance/d1/connectors.ts";
import { d1Failure } from "#rules/calls/retryable.ts";
import type { Receiver } from "../outbox/lane.ts";
import type { OwedKind } from "../outbox/outbox.ts";
import type { LookOrder, Watches } from "../wakes/watches.ts";
import type { Work } from "../work.ts";

/** For D1, in milliseconds: with the look itself less than a call that is owed may take. */
const FIND_MS = 2_000;

interface Parts extends Pick<McpParts, "secrets" | "loginAccess" | "outside"> {
  work: Work;
  watches: Watches;
}

export class ToWatches implements Receiver {
  readonly name = "the connectors";
  readonly sizes = [1];
  /** A server that does not answer holds up no other's look. */
  readonly atOnce = 4;
  readonly #database: D1Database;
  readonly #parts: Parts;

  constructor(database: D1Database, parts: Parts) {
    this.#database = database;
    this.#parts = parts;
  }

  async deliver(_kind: OwedKind, [triggerId = ""]: readonly string[]): Promise<readonly string[]> {
    const { work, watches } = this.#parts;
    const order = watches.order(triggerId);
    if (order === null) return [];
    const seen = await this.#look(order);
    work.change((tx) => watches.take(tx, order, seen));
    return [];
  }

  /** @throws where the database gives no answer: nothing is known of the watch then, and the look is made again. */
  async #look({ trigger, routineId }: LookOrder): Promise<Look> {
    const { secrets, loginAccess, outside } = this.#parts;
    const rule = { party: this.name, deadlineMs: FIND_MS, isRepeatable: true, failureOf: d1Failure };
    const found = await called(rule, () => connectorsNamed(this.#database, [trigger.connector]));
    return await look({ secrets, loginAccess, outside, routineId }, found.get(trigger.connector) ?? null, trigger);
  }
}
