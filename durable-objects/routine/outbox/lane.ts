/** The calls to one receiver: a bounded number at one time, each bounded in size and time. */
import { CALL_DEADLINE_MS, NoAnswer, withinDeadline } from "#instance/in-time.ts";
import { logTrouble } from "#protocol/log.ts";
import type { Work } from "../work.ts";
import { keyOf, type Outbox, type Owed, type OwedKind } from "./outbox.ts";

/** Who takes calls that are owed. Each has a lane of its own: one that does not answer holds up no other. */
export interface Receiver {
  /** For the log. */
  readonly name: string;
  /** How many of one kind go out together, by how often they have been tried: one that fails is soon alone. */
  readonly sizes: readonly number[];
  /** How many calls are under way at one time. */
  readonly atOnce: number;
  /** What has become owed waits for so long, and goes out with what comes meanwhile. @param lastCount of the call before. */
  delayMs?(lastCount: number): number;
  /** Makes a call. @returns the refs that have to be tried again. @throws when all of them have to be. */
  deliver(kind: OwedKind, refs: readonly string[]): Promise<readonly string[]>;
}

interface Waiting {
  owed: Owed;
  /** Counts up, so that whoever waits for what there is now does not wait for what follows. */
  turn: number;
}

export class Lane {
  readonly #receiver: Receiver;
  readonly #outbox: Outbox;
  readonly #work: Work;
  /** What has happened to a call is written down. */
  readonly #onTried: () => void;
  /** In the order in which they go out. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #underWay = new Set<readonly Waiting[]>();
  #listeners: { turn: number; resolve: () => void }[] = [];
  #turn = 0;
  #lastCount = 0;
  #timer: { atMs: number; id: ReturnType<typeof setTimeout> } | null = null;
  /** Whether something waits for nothing but a place. */
  #isPressed = false;

  constructor(receiver: Receiver, outbox: Outbox, work: Work, onTried: () => void) {
    this.#receiver = receiver;
    this.#outbox = outbox;
    this.#work = work;
    this.#onTried = onTried;
  }

  /**
   * Has claimed calls go out. @param quietMs those that have become owed just now may wait for so long, and wait for others like them;
   * null for others, which go out at once.
   */
  add(owed: Owed, quietMs: number | null): void {
    const key = keyOf(owed);
    this.#waiting.set(key, { owed, turn: this.#waiting.get(key)?.turn ?? ++this.#turn });
    const delayMs = quietMs === null ? 0 : Math.max(quietMs, this.#receiver.delayMs?.(this.#lastCount) ?? 0);
    if (delayMs > 0) this.#startIn(delayMs);
    // What else is done before anybody waits is in the call.
    else queueMicrotask(() => this.#start());
  }

  /** Resolves when all that waits or is under way now has been tried. Never rejects. */
  settled(): Promise<void> {
    this.#start();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#listeners.push({ turn: this.#turn, resolve });
    this.#tell();
    return promise;
  }

  /** What may wait longer goes out with what may not. */
  #startIn(delayMs: number): void {
    const atMs = Date.now() + delayMs;
    if (this.#timer !== null && this.#timer.atMs <= atMs) return;
    if (this.#timer !== null) clearTimeout(this.#timer.id);
    this.#timer = { atMs, id: setTimeout(() => this.#start(), delayMs) };
  }

  #start(): void {
    if (this.#timer !== null) clearTimeout(this.#timer.id);
    this.#timer = null;
    while (this.#waiting.size > 0 && this.#underWay.size < this.#receiver.atOnce) this.#begin(this.#nextBatch());
    this.#isPressed = this.#waiting.size > 0;
  }

  #begin(batch: readonly Waiting[]): void {
    this.#underWay.add(batch);
    this.#lastCount = batch.length;
    void this.#try(batch.map(({ owed }) => owed))
      .finally(() => {
        this.#underWay.delete(batch);
        this.#tell();
        // What has become owed meanwhile goes on waiting for more, unless there is enough for a call.
        if (this.#isPressed || this.#waiting.size >= (this.#receiver.sizes[0] ?? 1)) this.#start();
        this.#onTried();
      })
      // The claims last on: what can't be written down is not tried again without a pause.
      .catch((error) => logTrouble("outbox_failed", { receiver: this.#receiver.name }, error));
  }

  /** The one that waits longest, and others of its kind that have been tried as often. */
  #nextBatch(): Waiting[] {
    const batch: Waiting[] = [];
    for (const [key, waiting] of this.#waiting) {
      const { kind, tries } = (batch[0] ?? waiting).owed;
      if (batch.length >= (this.#receiver.sizes[tries] ?? 1)) break;
      if (waiting.owed.kind !== kind || waiting.owed.tries !== tries) continue;
      batch.push(waiting);
      this.#waiting.delete(key);
    }
    return batch;
  }

  async #try(claimed: readonly Owed[]): Promise<void> {
    const lasts = claimed.every(({ due_at }) => due_at - Date.now() >= CALL_DEADLINE_MS);
    const owed = lasts ? claimed : this.#outbox.renew(claimed);
    const [first] = owed;
    if (first === undefined) return;
    const { name } = this.#receiver;
    try {
      const refs = owed.map(({ ref }) => ref);
      const failed = await withinDeadline(this.#receiver.deliver(first.kind, refs), CALL_DEADLINE_MS, name);
      this.#work.change((tx) => {
        this.#outbox.settle(tx, failed.length === 0 ? owed : owed.filter(({ ref }) => !failed.includes(ref)));
        this.#outbox.postpone(
          tx,
          owed.filter(({ ref }) => failed.includes(ref)),
        );
      });
    } catch (error) {
      const { kind: call, ref } = first;
      logTrouble("owed_call_failed", { receiver: name, call, ref, calls: owed.length }, error);
      const isSilent = error instanceof NoAnswer && this.#receiver.atOnce === 1;
      this.#putOff(owed, isSilent);
    }
  }

  /** @param isSilent the receiver gives no answer: what waits for it need not be tried now. */
  #putOff(owed: readonly Owed[], isSilent: boolean): void {
    const others = isSilent ? [...this.#waiting.values()].map((waiting) => waiting.owed) : [];
    if (isSilent) this.#waiting.clear();
    this.#work.change((tx) => {
      this.#outbox.postpone(tx, owed);
      this.#outbox.release(tx, others);
    });
  }

  #tell(): void {
    const open = [...this.#waiting.values(), ...[...this.#underWay].flat()].map(({ turn }) => turn);
    const first = Math.min(...open);
    const isDone = ({ turn }: { turn: number }) => turn < first;
    for (const { resolve } of this.#listeners.filter(isDone)) resolve();
    this.#listeners = this.#listeners.filter((listener) => !isDone(listener));
  }
}
