/** The routine's gate: for what it is asked, and what becomes of what has waited for its answer. */
import type { Gate, GateState } from "#protocol/gate.ts";
import { timestamp } from "#protocol/time.ts";
import type { GateVerdict } from "#rules/admission.ts";
import { factText, gateFact } from "#rules/run/notify.ts";
import { gateInForce, isSameGate } from "#rules/wake-gate/gate-in-force.ts";
import { GATE_TRIES, gateRetryMs } from "#rules/wake-gate/retry.ts";
import type { DefinitionStore, RoutineRow } from "../definition/definition-store.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Tx, Work } from "../work.ts";
import type { GatedWakes } from "./gated-wakes.ts";
import type { Wakes } from "./wake.ts";

/** The gate is to be asked, for what has come up to that number. */
export interface GateOrder {
  routineId: string;
  /** Null where it is asked no more: the routine has none now, or is paused. */
  gate: Gate | null;
  last: number;
}

/** So many are decided in one transaction: a text may be long. */
const DECIDED_AT_ONCE = 50;
/** So long after the gate was to be asked the sweep comes, in case the object's alarm has been lost. */
const UNATTENDED_MS = 60_000;

interface Parts {
  work: Work;
  outbox: Outbox;
  definitions: DefinitionStore;
  wakes: Wakes;
  gated: GatedWakes;
}

export class WakeGate {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** When the gate has to be asked, unless the call is owed already; null where nothing waits. Unix milliseconds. */
  next(): number | null {
    const { gated, outbox, definitions } = this.#parts;
    const { askAt } = gated.waiting();
    const routine = askAt === null ? null : definitions.living();
    return routine === null || outbox.has("ask_gate", routine.id) ? null : askAt;
  }

  /** When the sweep is to see whether the object still keeps time; null where nothing waits. Unix milliseconds. */
  heartbeatAt(nowMs: number): number | null {
    const { askAt } = this.#parts.gated.waiting();
    return askAt === null ? null : Math.max(askAt, nowMs) + UNATTENDED_MS;
  }

  /** Owes the call that is due. */
  oweDue(): void {
    const { work, outbox, definitions } = this.#parts;
    const routine = definitions.living();
    const at = this.next();
    if (routine === null || at === null || at > Date.now()) return;
    work.change((tx) => outbox.owe(tx, "ask_gate", routine.id));
  }

  /** @returns null where nothing waits, or not yet. */
  order(nowMs: number): GateOrder | null {
    const { gated, definitions } = this.#parts;
    const { last, askAt } = gated.waiting();
    const routine = definitions.living();
    if (routine === null || askAt === null || askAt > nowMs) return null;
    return { routineId: routine.id, gate: gateInForce(routine), last };
  }

  /**
   * Decides some of those that the gate was asked for, in the order in which they came.
   * @param answer null where it is asked no more. @param isFirst of the calls with one answer.
   * @returns whether there are more.
   */
  take(tx: Tx, order: GateOrder, answer: GateVerdict | null, isFirst: boolean): boolean {
    const { gated, definitions, outbox, wakes } = this.#parts;
    const routine = definitions.living();
    if (routine === null) return false;
    if (!isSameGate(gateInForce(routine), order.gate)) {
      gated.askSoon(tx, routine.id);
      return false;
    }
    const hasFailed = answer?.is === "failed";
    if (hasFailed && isFirst) {
      const failures = gated.waiting().failures + 1;
      // Until then the call that is owed was under way. From now on the alarm alone knows when.
      if (failures === 1) outbox.owe(tx, "project_routine", routine.id);
      gated.putOff(tx, order.last, answer.detail, tx.nowMs + gateRetryMs(failures));
    }
    const decided = gated.upTo(order.last, hasFailed ? GATE_TRIES : 0, DECIDED_AT_ONCE);
    for (const waited of decided) wakes.decideGated(tx, routine, waited, answer);
    if (hasFailed && isFirst && decided.length > 0) {
      outbox.owe(tx, "notify", factText(gateFact(tx.nowMs, answer.detail)));
    }
    return decided.length === DECIDED_AT_ONCE;
  }

  /** As the API shows it. */
  state({ definition, status }: RoutineRow): GateState | null {
    const { count, failures, fault, askAt } = this.#parts.gated.waiting();
    if (definition.gate === null && count === 0) return null;
    const isAsked = askAt !== null && status !== "deleted";
    return { waiting: count, failures, fault, next_ask_at: isAsked ? timestamp(askAt) : null };
  }
}
