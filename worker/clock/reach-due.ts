/**
 * Has everything that is due looked at: the sweep asks the routines' objects itself, side by side. What it does not reach in
 * time, and what does not answer, goes to the queue, which asks again until it is done.
 */
import type { DueChange, DueRow, DueStore } from "#instance/d1/due.ts";
import { NoAnswer, withinDeadline } from "#instance/in-time.ts";
import { logTrouble } from "#protocol/log.ts";
import type { ClockMessage } from "../bindings.ts";
import type { Deps } from "../deps.ts";
import { type LookDeps, look } from "./look-at.ts";

/** What is read of D1 at one time. */
const READ_AT_ONCE = 5_000;
/** What is written there with one statement. */
const WRITTEN_AT_ONCE = 500;
/** What one batch of messages may hold. */
const BATCH = 100;
/** How many objects are asked at one time. In a local instance they share a thread: more would not make them faster. */
const ASKED_AT_ONCE = { local: 100, deployed: 500 };
/**
 * And by one sweep. On Cloudflare an invocation may make 10,000 calls in all (Workers Paid), and has other things to do; in a local
 * instance each object that is in memory has three open files.
 */
const ASKED_AT_MOST = 5_000;
/** Whatever has not been asked by then is for the queue, so that the sweep is over when the next one comes. */
const LONGEST_MS = 30_000;
/** An object that has not answered by then gives its place to another. Asked twice, it fires once. */
const ANSWER_MS = 5_000;
/** So long a look takes where it is not known yet. */
const LOOK_MS = 1;
/** After so many it is known. */
const MEASURED_AFTER = 100;
/** What follows from a run waits no longer than this for others. */
const LONGEST_QUIET_MS = 10_000;
/** A routine comes again with the next sweep, in case its message is lost: a local queue keeps messages in memory alone. */
const AGAIN_MS = 30_000;

interface ReachDeps extends LookDeps, Pick<Deps, "sendDue"> {
  config: Pick<Deps["config"], "isLocal">;
  due: Pick<DueStore, "due" | "settle" | "postpone">;
}

/**
 * A row stays due until its object has looked: what is cut off here is found by the next sweep, and by the first one after a
 * restart. @throws Error when D1 or the queue failed, once everything else has been done.
 */
export async function reachDue(deps: ReachDeps, nowMs: number): Promise<void> {
  const { isLocal } = deps.config;
  const others = new Others();
  const rows = dueRows(deps.due, nowMs, (count) => others.come(count));
  const settled = new Gathered<DueChange>(WRITTEN_AT_ONCE, (changes) => deps.due.settle(changes));
  // First sent, then put off: what is cut off between the two is sent again.
  const passedOn = new Gathered<DueRow>(BATCH, async (some) => {
    await deps.sendDue(some.map(({ routine_id }): ClockMessage => ({ routine_id })));
    await deps.due.postpone(some, nowMs + AGAIN_MS);
  });
  const endsAtMs = Date.now() + LONGEST_MS;
  let asked = 0;
  const reach = async (row: DueRow): Promise<void> => {
    asked += 1;
    const isForQueue = asked > ASKED_AT_MOST || Date.now() >= endsAtMs;
    const change = isForQueue ? null : await answerOf(deps, row.routine_id, isLocal ? others.needMs() : 0);
    others.goes();
    // One that is due still has more to fire, or its clock is behind that of the sweep: it is asked again in a moment.
    const isStillDue = change !== null && change.due_at !== null && change.due_at <= nowMs;
    await (change === null || isStillDue ? passedOn.add(row) : settled.add(change));
  };
  const places = Array.from({ length: isLocal ? ASKED_AT_ONCE.local : ASKED_AT_ONCE.deployed }, async () => {
    for (let next = await rows.next(); next.done !== true; next = await rows.next()) await reach(next.value);
  });
  const ends = await Promise.allSettled(places);
  const flushed = await Promise.allSettled([settled.flush(), passedOn.flush()]);
  for (const end of [...ends, ...flushed]) if (end.status === "rejected") throw end.reason;
}

/** @returns null where the object has not answered, or not as it should. */
async function answerOf(deps: LookDeps, routineId: string, quietMs: number): Promise<DueChange | null> {
  try {
    return await withinDeadline(look(deps, routineId, quietMs), ANSWER_MS, "the routine");
  } catch (error) {
    // One that is slow may have much to fire. The queue gives it longer, and tells when that was not enough.
    if (!(error instanceof NoAnswer)) logTrouble("schedules_not_looked_at", { routine_id: routineId }, error);
    return null;
  }
}

/** What is due, the earliest first; read a page at a time, when it is wanted. @param onRead is told how many a page has. */
async function* dueRows(
  due: Pick<DueStore, "due">,
  nowMs: number,
  onRead: (count: number) => void,
): AsyncGenerator<DueRow, undefined> {
  for (let last: DueRow | null = null; ; ) {
    const page: DueRow[] = await due.due(nowMs, READ_AT_ONCE, last);
    onRead(page.length);
    yield* page;
    last = page.at(-1) ?? null;
    if (page.length < READ_AT_ONCE) return undefined;
  }
}

/**
 * Those that have not looked yet. Where all objects share one thread, as in a local instance, what follows from the first runs, which
 * takes several times as long as to admit one, would be done before the last run is admitted: it waits for about as long as they need.
 */
class Others {
  readonly #beganMs = Date.now();
  #left = 0;
  #gone = 0;

  come(count: number): void {
    this.#left += count;
  }

  goes(): void {
    this.#left -= 1;
    this.#gone += 1;
  }

  /** How long those need who look beside one that looks now, as far as can be told: none for one that is alone. */
  needMs(): number {
    // The clock may have been put back.
    const passedMs = Math.max(0, Date.now() - this.#beganMs);
    const lookMs = this.#gone < MEASURED_AFTER ? LOOK_MS : passedMs / this.#gone;
    return Math.min(LONGEST_QUIET_MS, Math.ceil((this.#left - 1) * lookMs));
  }
}

/** Gathers what is written together: as much as fits into one write, and at last the rest. */
class Gathered<Item> {
  #items: Item[] = [];
  readonly #most: number;
  readonly #write: (items: readonly Item[]) => Promise<void>;

  constructor(most: number, write: (items: readonly Item[]) => Promise<void>) {
    this.#most = most;
    this.#write = write;
  }

  async add(item: Item): Promise<void> {
    this.#items.push(item);
    if (this.#items.length >= this.#most) await this.flush();
  }

  async flush(): Promise<void> {
    const items = this.#items;
    this.#items = [];
    if (items.length > 0) await this.#write(items);
  }
}
