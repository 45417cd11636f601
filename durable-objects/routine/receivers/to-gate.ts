/** Asks the routine's gate: for what waits for its answer, and for a fire, which waits itself. */
import { called } from "#instance/calls.ts";
import { askGate } from "#instance/connectors/ask-gate.ts";
import type { McpParts } from "#instance/connectors/mcp-client.ts";
import { connectorsNamed } from "#instance/d1/connectors.ts";
import type { Gate } from "#protocol/gate.ts";
import type { GateVerdict } from "#rules/admission.ts";
import { d1Failure } from "#rules/calls/retryable.ts";
import { isSameGate } from "#rules/wake-gate/gate-in-force.ts";
import type { Receiver } from "../outbox/lane.ts";
import type { OwedKind } from "../outbox/outbox.ts";
import type { WakeGate } from "../wakes/wake-gate.ts";
import type { Work } from "../work.ts";

/** For D1, in milliseconds: twice this and twice what the gate may take is less than a fire waits. */
const FIND_MS = 1_500;

interface Parts extends Pick<McpParts, "secrets" | "loginAccess" | "outside"> {
  work: Work;
  gate: WakeGate;
}

interface Asking {
  gate: Gate;
  answer: Promise<GateVerdict>;
}

export class ToGate implements Receiver {
  readonly name = "the gate";
  readonly sizes = [1];
  readonly atOnce = 1;
  readonly #database: D1Database;
  readonly #parts: Parts;
  /** For fires that wait for the one that is on: they share the next one. */
  #current: Promise<unknown> = Promise.resolve();
  #next: Asking | null = null;

  constructor(database: D1Database, parts: Parts) {
    this.#database = database;
    this.#parts = parts;
  }

  async deliver(_kind: OwedKind, _refs: readonly string[]): Promise<readonly string[]> {
    const { work, gate } = this.#parts;
    const order = gate.order(Date.now());
    if (order === null) return [];
    const answer = order.gate === null ? null : await this.#ask(order.routineId, order.gate);
    let isFirst = true;
    while (work.change((tx) => gate.take(tx, order, answer, isFirst))) isFirst = false;
    return [];
  }

  /**
   * For a fire: asked after it has come, by one call for all fires that come while another is on. Never rejects, and answers
   * within 17 seconds.
   */
  askForFire(routineId: string, gate: Gate): Promise<GateVerdict> {
    if (this.#next !== null && isSameGate(this.#next.gate, gate)) return this.#next.answer;
    const answer = this.#current.then(() => {
      if (this.#next?.answer !== answer) return CHANGED;
      this.#next = null;
      return this.#ask(routineId, gate).catch(() => UNKNOWN);
    });
    this.#next = { gate, answer };
    this.#current = answer;
    return answer;
  }

  /** @throws where the database gives no answer: nothing is known of the gate then, and it is asked again. */
  async #ask(routineId: string, gate: Gate): Promise<GateVerdict> {
    const { secrets, loginAccess, outside } = this.#parts;
    const rule = { party: this.name, deadlineMs: FIND_MS, isRepeatable: true, failureOf: d1Failure };
    const found = await called(rule, () => connectorsNamed(this.#database, [gate.connector]));
    return await askGate({ secrets, loginAccess, outside, routineId }, found.get(gate.connector) ?? null, gate);
  }
}

/** Another gate was asked for meanwhile. */
const CHANGED: GateVerdict = { is: "failed", detail: "The gate was changed before it was asked." };
const UNKNOWN: GateVerdict = {
  is: "failed",
  detail: "The database gives no answer: the connector can't be looked up.",
};
