/**
 * What one isolate knows of the instance's limit, and decides by it. Pure: `instance-gate.ts` adds clock and calls.
 *
 * The isolate refuses only when it knows that the limit was reached within the last minute: by its own count, or because
 * the counter has said so. What it does not know it asks, and whoever has waited long enough for the answer is let in
 * and counted afterwards (docs/decisions/0010-gate-object.md).
 */
import { MinuteCount } from "./minute-count.ts";
import type { GateAnswer, GateReport } from "./take-report.ts";

/** What this many isolates let in before the counter hears of it stays within a fifth of the limit. */
const ISOLATES = 1_000;
const OVERSHOOT = 0.2;
/** While a call is under way the next one is made this much later, so that requests of that time share it. */
const CALL_EVERY_MS = 2;
/** What the counter has said is asked again after this long: others may have given their places back. */
const NEWS_MS = 1_000;

/** A request that would start something. */
export interface Ticket {
  readonly atMs: number;
  /** null while it waits. */
  verdict: { isIn: true } | { isIn: false; untilMs: number } | null;
  /** Whether the counter counts it. */
  isCounted: boolean;
  /** Whether the request, though let in, has started nothing. */
  isReturned: boolean;
}

/** A call to the counter that has to be made. */
export interface GateCall {
  readonly number: number;
  readonly startedMs: number;
  readonly in: readonly Ticket[];
  readonly back: readonly Ticket[];
  readonly asked: readonly Ticket[];
}

export class GateTally {
  readonly #limit: number;
  /** How many may be let in of which the counter has not heard yet, before the next request has to ask. */
  readonly #unheardMax: number;
  /** What this isolate itself has let in. */
  readonly #own = new MinuteCount();
  /** Requests that were let in, and of which the counter has to be told. */
  #in = new Set<Ticket>();
  /** Requests that were counted, and have to be taken back. */
  #back: Ticket[] = [];
  #waiting = new Set<Ticket>();
  readonly #underWay = new Set<GateCall>();
  #calls = 0;
  /** What the counter said last. */
  #news = { call: 0, startedMs: 0, fullUntilMs: 0 };

  /** @param limit how many the instance lets in within a minute. */
  constructor(limit: number) {
    this.#limit = limit;
    this.#unheardMax = Math.floor((OVERSHOOT * limit) / ISOLATES);
  }

  /** A request has come. Where it has no verdict yet, it waits for the next call, or until `giveUp`. */
  arrive(nowMs: number): Ticket {
    const ticket: Ticket = { atMs: nowMs, verdict: null, isCounted: false, isReturned: false };
    const untilMs = this.#fullUntil(nowMs);
    const isSure = untilMs === null || this.#isOwnFull() || nowMs - this.#news.startedMs <= NEWS_MS;
    if (!isSure) this.#waiting.add(ticket);
    else if (untilMs !== null) refuse(ticket, untilMs);
    else if (this.#unheard() < this.#unheardMax) {
      this.#in.add(ticket);
      this.#letIn(ticket);
    } else this.#waiting.add(ticket);
    return ticket;
  }

  /** A request has waited long enough: what is known here decides, and without anything against it, it is let in. */
  giveUp(ticket: Ticket, nowMs: number): void {
    if (ticket.verdict !== null) return;
    const isUnasked = this.#waiting.delete(ticket);
    const isIn = this.#decideAlone(ticket, nowMs);
    if (isUnasked && isIn) this.#in.add(ticket);
  }

  /** A ticket that was let in has started nothing: its place is another's. */
  giveBack(ticket: Ticket): void {
    ticket.isReturned = true;
    this.#own.remove(ticket.atMs);
    if (ticket.isCounted) this.#back.push(ticket);
    else this.#in.delete(ticket);
  }

  /**
   * Whether what there is to tell may be told later, together with more: nobody waits for the counter, nothing is taken
   * back, and less than half is unheard of what may be.
   */
  mayTellLater(): boolean {
    const isAllIn = this.#in.size > 0 && this.#waiting.size + this.#back.length === 0;
    return isAllIn && 2 * this.#unheard() < this.#unheardMax;
  }

  /** The call that has to be made now, or null. Each ends in `answered` or `failed`. */
  nextCall(nowMs: number): GateCall | null {
    const isAnything = this.#in.size + this.#back.length + this.#waiting.size > 0;
    const isSoon = [...this.#underWay].some(({ startedMs }) => nowMs - startedMs < CALL_EVERY_MS);
    if (!isAnything || isSoon) return null;
    this.#calls += 1;
    const told = { in: [...this.#in], back: this.#back, asked: [...this.#waiting] };
    const call = { number: this.#calls, startedMs: nowMs, ...told };
    this.#in.clear();
    this.#back = [];
    this.#waiting.clear();
    this.#underWay.add(call);
    return call;
  }

  answered(call: GateCall, { granted, full_until }: GateAnswer, nowMs: number): void {
    if (!this.#underWay.delete(call)) return;
    if (call.number > this.#news.call) {
      this.#news = { call: call.number, startedMs: call.startedMs, fullUntilMs: full_until ?? 0 };
    }
    for (const ticket of [...call.in, ...call.asked.slice(0, granted)]) {
      this.#counted(ticket);
      if (ticket.verdict === null) this.#letIn(ticket);
    }
    for (const ticket of call.asked.slice(granted)) {
      // One that was let in meanwhile can't be refused any more, and the counter has to be told. One that waits may find
      // room by now.
      if (ticket.verdict === null) this.#waiting.add(ticket);
      else if (ticket.verdict.isIn && !ticket.isReturned) this.#in.add(ticket);
    }
    if (full_until === null || full_until <= nowMs) return;
    for (const ticket of this.#waiting) refuse(ticket, full_until);
    this.#waiting.clear();
  }

  /** The counter has not answered. What this call told it is not told again: counted twice, it could have others refused. */
  failed(call: GateCall, nowMs: number): void {
    if (!this.#underWay.delete(call)) return;
    for (const ticket of call.asked) if (ticket.verdict === null) this.#decideAlone(ticket, nowMs);
  }

  #fullUntil(nowMs: number): number | null {
    this.#own.forget(nowMs);
    if (nowMs < this.#news.fullUntilMs) return this.#news.fullUntilMs;
    return this.#own.fullUntil(this.#limit);
  }

  #isOwnFull(): boolean {
    return this.#own.fullUntil(this.#limit) !== null;
  }

  #unheard(): number {
    let count = this.#in.size;
    for (const call of this.#underWay) count += call.in.length;
    return count;
  }

  /** @returns whether the request is let in. */
  #decideAlone(ticket: Ticket, nowMs: number): boolean {
    const untilMs = this.#fullUntil(nowMs);
    if (untilMs === null) this.#letIn(ticket);
    else refuse(ticket, untilMs);
    return untilMs === null;
  }

  #letIn(ticket: Ticket): void {
    this.#own.add(ticket.atMs);
    ticket.verdict = { isIn: true };
  }

  #counted(ticket: Ticket): void {
    ticket.isCounted = true;
    if (ticket.isReturned) this.#back.push(ticket);
  }
}

export function reportOf(call: GateCall): GateReport {
  const times = (tickets: readonly Ticket[]) => tickets.map(({ atMs }) => atMs);
  return { in: times(call.in), back: times(call.back), asked: times(call.asked) };
}

function refuse(ticket: Ticket, untilMs: number): void {
  ticket.verdict = { isIn: false, untilMs };
}
