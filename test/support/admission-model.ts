/**
 * What docs/routines.md and docs/triggers.md say of admission, told a second time and in another way: a routine with one
 * schedule of every minute, one trigger that coalesces, and one that does not. It calls nothing of the product.
 */
import type { Overlap } from "#protocol/routine.ts";

/** One thing that happens. Those that name a run name it by its place among those that could be meant. */
export type Step =
  | { do: "fire"; key: string | null }
  | { do: "event"; coalesces: boolean; kind: string; id: string }
  | { do: "wait"; seconds: number }
  | { do: "look" }
  | { do: "pause" }
  | { do: "resume" }
  | { do: "change"; overlap: Overlap; max: number }
  | { do: "succeed" | "lose" | "cancel"; which: number };

export interface Facts {
  overlap: Overlap;
  max: number;
  windowMs: number;
  maxWaitMs: number;
  retryMs: number;
  retryMax: number;
}

type Status = "queued" | "on" | "succeeded" | "failed" | "canceled";

interface Run {
  status: Status;
  attempt: number;
  notBefore: number;
  isCanceled: boolean;
  /** The kind of events that it waits for; null when it waits for none, or has begun. */
  coalesces: string | null;
  endsAt: number;
}

const MINUTE_MS = 60_000;

export class AdmissionModel {
  /** In the order in which they came. */
  readonly runs: Run[] = [];
  /** `outcome reason` of each occurrence, in the order in which they came. */
  readonly told: string[] = [];
  #facts: Facts;
  #nowMs: number;
  #isPaused = false;
  #claimedUntil: number;
  readonly #keys = new Set<string>();

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
      case "fire":
        this.#wake(step.key === null ? null : `fire ${step.key}`, "same_idempotency_key", null);
        return;
      case "event":
        this.#wake(`event ${step.id}`, "same_delivery", step.coalesces ? step.kind : null);
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
      case "succeed":
      case "lose":
      case "cancel":
        this.#endOne(step.do, this.meant(step.do), step.which);
    }
  }

  #wake(key: string | null, repeated: string, kind: string | null): void {
    const isKnown = key !== null && this.#keys.has(key);
    if (isKnown) this.#tell("duplicate", repeated);
    else if (this.#isPaused) this.#tell("refused", "routine_paused");
    else {
      if (key !== null) this.#keys.add(key);
      this.#admit(kind);
    }
  }

  #admit(kind: string | null): void {
    const { overlap, windowMs } = this.#facts;
    const open = kind === null ? undefined : this.#openFor(kind);
    const mustWait = open === undefined && !this.#hasRoom();
    if (open !== undefined) {
      open.notBefore = Math.min(this.#nowMs + windowMs, open.endsAt);
      this.#tell("queued", "coalesced");
    } else if (mustWait && overlap === "skip") this.#tell("skipped", "overlap_skip");
    else {
      this.#tell(...this.#word(mustWait, kind !== null));
      const run = this.#newRun(kind, mustWait);
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

  #newRun(kind: string | null, mustWait: boolean): Run {
    const { windowMs, maxWaitMs } = this.#facts;
    const run: Run = {
      status: kind === null && !mustWait ? "on" : "queued",
      attempt: 1,
      notBefore: kind === null ? 0 : this.#nowMs + windowMs,
      isCanceled: false,
      coalesces: kind,
      endsAt: this.#nowMs + maxWaitMs,
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

  /** Minutes that have come since the last look: all within two minutes are on time, else the newest alone. */
  #claim(): void {
    const minutes: number[] = [];
    for (let at = (Math.floor(this.#claimedUntil / MINUTE_MS) + 1) * MINUTE_MS; at <= this.#nowMs; at += MINUTE_MS) {
      minutes.push(at);
    }
    const isLate = (minutes[0] ?? this.#nowMs) <= this.#nowMs - 2 * MINUTE_MS;
    for (const [place, at] of minutes.entries()) {
      this.#claimedUntil = at;
      if (!this.#isPaused && isLate && place < minutes.length - 1) this.#tell("missed", "slot_superseded");
      else this.#wake(null, "", null);
    }
  }

  #endOne(how: "succeed" | "lose" | "cancel", meant: readonly number[], which: number): void {
    const run = this.runs[meant[which % meant.length] ?? -1];
    if (run === undefined) return;
    if (how === "cancel" && run.status === "on") run.isCanceled = true;
    else if (how === "cancel") run.status = "canceled";
    else if (how === "succeed") run.status = "succeeded";
    else if (run.isCanceled) run.status = "canceled";
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
      if (run.status === "queued" && run.notBefore <= this.#nowMs) run.status = "on";
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
