/**
 * What docs/routines.md and docs/triggers.md say of admission, told a second time and in another way: a routine with one
 * schedule, and triggers for three names. For `alone` waits one that does not coalesce, for `many` one that does, and for
 * `both` one of each kind. It calls nothing of the product.
 */
import type { Overlap } from "#protocol/routine.ts";

export type EventName = "alone" | "many" | "both";
/** How the trigger for `many` coalesces: by the event's kind, or all together. */
export interface Coalesces {
  byKind: boolean;
  windowMs: number;
}

/** One thing that happens. Those that name a run name it by its place among those that could be meant. */
export type Step =
  | { do: "fire"; type: "api" | "manual"; key: string | null; body: string }
  | { do: "event"; name: EventName; kind: string; id: string; content: string | null }
  /** The last event is offered again, because its answer was lost. */
  | { do: "offer again" }
  /** @param isAlarmLate what comes next comes before the alarm. */
  | { do: "wait"; seconds: number; isAlarmLate: boolean }
  | { do: "look" }
  | { do: "pause" }
  | { do: "resume" }
  | { do: "change"; overlap: Overlap; max: number }
  /** @param to null to coalesce no more. */
  | { do: "coalesce"; to: Coalesces | null }
  | { do: "succeed" | "lose" | "cancel"; which: number };

export interface Facts {
  overlap: Overlap;
  max: number;
  /** From one time of the schedule to the next. */
  periodMs: number;
  coalesce: Coalesces | null;
  maxWaitMs: number;
  retryMs: number;
  retryMax: number;
}

type Status = "queued" | "on" | "succeeded" | "failed" | "timed_out" | "canceled";

interface Run {
  status: Status;
  attempt: number;
  onSince: number;
  notBefore: number;
  isCanceled: boolean;
  /** By trigger, the kind of events that it waits for; null when it waits for none. */
  coalesces: string | null;
  endsAt: number;
}

interface Waker {
  key: string | null;
  content: string | null;
  body: string;
  repeated: string;
  coalesces: { kind: string; windowMs: number } | null;
  isManual: boolean;
}

const MINUTE_MS = 60_000;
/** The routine's, and what the runner is given to end by itself. */
const TIMEOUT_MS = 24 * 60 * MINUTE_MS + 30_000;
const KEY_MS = 24 * 60 * MINUTE_MS;
const CONTENT_MS = 5 * MINUTE_MS;
const SCHEDULED = { key: null, content: null, body: "", repeated: "", coalesces: null, isManual: false };

export class AdmissionModel {
  /** In the order in which they came. */
  readonly runs: Run[] = [];
  /** `outcome reason` of each occurrence, in the order in which they came. */
  readonly told: string[] = [];
  #facts: Facts;
  #nowMs: number;
  #isPaused = false;
  #claimedUntil: number;
  /** What came first under each key, and when. */
  readonly #keys = new Map<string, { at: number; body: string }>();

  /** @param nowMs a moment at which the routine is made. */
  constructor(facts: Facts, nowMs: number) {
    this.#facts = facts;
    this.#nowMs = nowMs;
    this.#claimedUntil = nowMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Which runs a step could name, as places in `runs`. */
  meant(step: "succeed" | "lose" | "cancel"): number[] {
    return this.runs.flatMap(({ status, isCanceled }, place) => {
      if (step === "cancel") return (status === "queued" || status === "on") && !isCanceled ? [place] : [];
      return status === "on" ? [place] : [];
    });
  }

  take(step: Step): void {
    switch (step.do) {
      case "fire": {
        const key = step.key === null ? null : `${step.type} ${step.key}`;
        const isManual = step.type === "manual";
        this.#wake({ ...SCHEDULED, key, body: step.body, repeated: "same_idempotency_key", isManual });
        return;
      }
      case "event":
        for (const coalesces of this.#triggersOf(step.name, step.kind)) {
          const content = step.content === null ? null : `content ${step.content}`;
          this.#wake({ ...SCHEDULED, key: `event ${step.id}`, content, repeated: "same_delivery", coalesces });
        }
        return;
      case "offer again":
        return;
      case "wait":
        this.#nowMs += step.seconds * 1_000;
        this.#promote();
        return;
      case "look":
        this.#claim();
        return;
      case "pause":
      case "resume":
        this.#claim();
        this.#isPaused = step.do === "pause";
        return;
      case "change":
        this.#claim();
        this.#facts = { ...this.#facts, overlap: step.overlap, max: step.max };
        this.#promote();
        return;
      case "coalesce":
        this.#claim();
        this.#facts = { ...this.#facts, coalesce: step.to };
        return;
      case "succeed":
      case "lose":
      case "cancel":
        this.#endOne(step.do, this.meant(step.do), step.which);
    }
  }

  /** For each trigger that waits for the event, how it coalesces. */
  #triggersOf(name: EventName, kind: string): Waker["coalesces"][] {
    const { coalesce, maxWaitMs } = this.#facts;
    if (name === "alone") return [null];
    if (name === "both") return [{ kind: "both", windowMs: maxWaitMs }, null];
    if (coalesce === null) return [null];
    return [{ kind: coalesce.byKind ? `many ${kind}` : "many", windowMs: coalesce.windowMs }];
  }

  #wake(waker: Waker): void {
    const { key, content, body, repeated, isManual } = waker;
    const earlier = this.#known(key, KEY_MS);
    const isAlike = this.#known(content, CONTENT_MS) !== undefined;
    if (earlier !== undefined && earlier.body !== body) this.#tell("refused", "idempotency_key_reused");
    else if (earlier !== undefined || isAlike) {
      this.#tell("duplicate", earlier === undefined ? "same_event" : repeated);
      for (const one of [key, content]) if (this.#known(one, KEY_MS) === undefined) this.#keep(one, body);
    } else if (this.#isPaused && !isManual) this.#tell("refused", "routine_paused");
    else {
      for (const one of [key, content]) this.#keep(one, body);
      this.#admit(waker.coalesces);
    }
  }

  #known(key: string | null, windowMs: number) {
    const kept = key === null ? undefined : this.#keys.get(key);
    return kept !== undefined && this.#nowMs - kept.at < windowMs ? kept : undefined;
  }

  #keep(key: string | null, body: string): void {
    if (key !== null) this.#keys.set(key, { at: this.#nowMs, body });
  }

  #admit(coalesces: Waker["coalesces"]): void {
    const { overlap } = this.#facts;
    const open = coalesces === null ? undefined : this.#openFor(coalesces.kind);
    const mustWait = open === undefined && !this.#hasRoom();
    if (coalesces !== null && open !== undefined) {
      open.notBefore = Math.min(this.#nowMs + coalesces.windowMs, open.endsAt);
      this.#tell("queued", "coalesced");
    } else if (mustWait && overlap === "skip") this.#tell("skipped", "overlap_skip");
    else {
      this.#tell(...this.#word(mustWait, coalesces !== null));
      const run = this.#newRun(coalesces, mustWait);
      if (mustWait && (overlap === "queue_latest" || overlap === "cancel_running")) this.#supersede(run, overlap);
      this.#promote();
    }
  }

  #word(mustWait: boolean, coalesces: boolean): [string, string] {
    if (coalesces) return ["queued", "coalesced"];
    if (!mustWait) return ["started", "admitted"];
    const { overlap } = this.#facts;
    return ["queued", overlap === "parallel" ? "at_max_concurrent" : `overlap_${overlap}`];
  }

  #newRun(coalesces: Waker["coalesces"], mustWait: boolean): Run {
    const run: Run = {
      status: coalesces === null && !mustWait ? "on" : "queued",
      attempt: 1,
      onSince: this.#nowMs,
      notBefore: coalesces === null ? 0 : this.#nowMs + coalesces.windowMs,
      isCanceled: false,
      coalesces: coalesces?.kind ?? null,
      endsAt: this.#nowMs + this.#facts.maxWaitMs,
    };
    this.runs.push(run);
    return run;
  }

  /** Whether a new run may begin at once. */
  #hasRoom(): boolean {
    const { overlap } = this.#facts;
    if (this.#on().length >= this.#places()) return false;
    const waiting = this.runs.filter((run) => run.status === "queued" && !this.#isWaitingForMore(run));
    const asksForPlaces = overlap === "parallel" || overlap === "queue";
    return !waiting.some(({ notBefore }) => !asksForPlaces || notBefore <= this.#nowMs);
  }

  #supersede(by: Run, overlap: "queue_latest" | "cancel_running"): void {
    for (const run of this.runs) {
      if (run === by) continue;
      if (run.status === "queued" && !this.#isWaitingForMore(run)) run.status = "canceled";
      if (run.status === "on" && overlap === "cancel_running") run.isCanceled = true;
    }
  }

  #openFor(kind: string): Run | undefined {
    return this.runs.findLast((run) => run.coalesces === kind && this.#isWaitingForMore(run));
  }

  #isWaitingForMore(run: Run): boolean {
    return run.status === "queued" && run.coalesces !== null && run.attempt === 1 && run.notBefore > this.#nowMs;
  }

  /** Times that have come since the last look: all within two minutes are on time, else the newest alone. */
  #claim(): void {
    const { periodMs } = this.#facts;
    const times: number[] = [];
    for (let at = (Math.floor(this.#claimedUntil / periodMs) + 1) * periodMs; at <= this.#nowMs; at += periodMs) {
      times.push(at);
    }
    const isLate = (times[0] ?? this.#nowMs) <= this.#nowMs - 2 * MINUTE_MS;
    for (const [place, at] of times.entries()) {
      this.#claimedUntil = at;
      if (!this.#isPaused && isLate && place < times.length - 1) this.#tell("missed", "slot_superseded");
      else this.#wake(SCHEDULED);
    }
  }

  #endOne(how: "succeed" | "lose" | "cancel", meant: readonly number[], which: number): void {
    const run = this.runs[meant[which % meant.length] ?? -1];
    if (run === undefined) return;
    if (how === "cancel" && run.status === "on") run.isCanceled = true;
    else if (how === "cancel") run.status = "canceled";
    else if (how === "succeed") run.status = "succeeded";
    else if (run.isCanceled) run.status = "canceled";
    else if (this.#nowMs - run.onSince >= TIMEOUT_MS) run.status = "timed_out";
    else if (run.attempt > this.#facts.retryMax) run.status = "failed";
    else {
      run.status = "queued";
      run.notBefore = this.#nowMs + this.#facts.retryMs * 2 ** (run.attempt - 1);
      run.attempt += 1;
    }
    this.#promote();
  }

  /** Whatever waits and may begin takes the free places, the oldest first. */
  #promote(): void {
    for (const run of this.runs) {
      if (this.#on().length >= this.#places()) return;
      if (run.status !== "queued" || run.notBefore > this.#nowMs) continue;
      run.status = "on";
      run.onSince = this.#nowMs;
    }
  }

  #on(): Run[] {
    return this.runs.filter(({ status }) => status === "on");
  }

  #places(): number {
    return this.#facts.overlap === "parallel" ? this.#facts.max : 1;
  }

  #tell(outcome: string, reason: string): void {
    this.told.push(`${outcome} ${reason}`);
  }
}
