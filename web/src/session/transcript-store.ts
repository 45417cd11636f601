/**
 * The part of a transcript that is loaded, for React: the end, which grows live and, as the reader scrolls up, backwards; and, when
 * the reader asked for another place, what is there, which grows both ways until it has reached the end and both are one.
 */
import type { Delta, TranscriptEvent } from "#protocol/transcript.ts";
import type { Item, WaitItem } from "./item-types.ts";
import { type ReadEvents, readRange } from "./read-events.ts";
import { TranscriptItems } from "./transcript-items.ts";
import { WritingItems } from "./writing-items.ts";

/** How many events are asked for at once. */
const PAGE_EVENTS = 1_000;
/** How many before one that is gone to. */
const AROUND_EVENTS = 100;

/** Calls back before the next painting, or at all events soon. @returns how to cancel it. */
export type Schedule = (callback: () => void) => () => void;

/** What is shown. A new object with every change; its items are read through it, and are those of the present moment. */
export interface TranscriptView {
  /** Another one is another place in the transcript, which is looked at from there. */
  listId: number;
  opensAt: "start" | "end";
  length: number;
  itemAt(index: number): Item | undefined;
  /** The first item's number: falls as older ones come, so that those that are there keep theirs. */
  firstIndex: number;
  /** The seqs of the events that the items show. */
  first: number;
  last: number;
  hasOlder: boolean;
  /** The reader is at another place than the end, and what lies between it and the end is not loaded. */
  hasNewer: boolean;
  /** The event that the reader has asked for last: `times` grows with each asking. */
  target: { seq: number; times: number } | null;
  /** Everything that was there when the page was opened has come. */
  isReady: boolean;
  /** What a run waits for at this moment. */
  openWait: WaitItem | null;
  /** How many items have been added live: what is new is told by its growth. */
  added: number;
  loading: Loading | null;
  /** What could not be loaded the last time, and why. */
  failure: { of: Loading; error: unknown } | null;
}

type Loading = "older" | "newer" | "start" | "place";

interface Part {
  listId: number;
  opensAt: "start" | "end";
  items: TranscriptItems;
  first: number;
  last: number;
  firstIndex: number;
}

export class TranscriptStore {
  readonly #readEvents: ReadEvents;
  readonly #schedule: Schedule;
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();
  readonly #writing = new WritingItems();
  #arrived: (TranscriptEvent | Delta)[] = [];
  #cancelFlush: (() => void) | null = null;
  #end: Part;
  #start: Part | null = null;
  #target: TranscriptView["target"] = null;
  #listIds = 1;
  #added = 0;
  #isReady = false;
  /** Whether what comes is of this moment, and not of before. */
  #isLive = false;
  #loading: Loading | null = null;
  #current: Promise<void> | null = null;
  #failure: TranscriptView["failure"] = null;
  #view: TranscriptView;

  /** @param after the seq after which live events come. */
  constructor(after: number, readEvents: ReadEvents, schedule: Schedule, now: () => number) {
    this.#readEvents = readEvents;
    this.#schedule = schedule;
    this.#now = now;
    const items = new TranscriptItems();
    this.#end = { listId: 1, opensAt: "end", items, first: after + 1, last: after, firstIndex: after };
    this.#view = this.#makeView();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly view = (): TranscriptView => this.#view;

  /** The seq of the last event that has come, wherever the reader is. */
  last(): number {
    return this.#end.last;
  }

  /** What came live: shown with the next frame. */
  receive(arrived: readonly (TranscriptEvent | Delta)[]): void {
    for (const one of arrived) this.#arrived.push(one);
    this.#cancelFlush ??= this.#schedule(() => {
      this.#cancelFlush = null;
      this.#flush();
    });
  }

  /** All that was there has come. */
  caughtUp(): void {
    this.#isReady = true;
    this.#flush();
    this.#isLive = true;
  }

  /** The connection broke: deltas are missing. */
  interrupted(): void {
    this.#flush();
    this.#isLive = false;
    this.#writing.interrupt();
  }

  dispose(): void {
    this.#cancelFlush?.();
    this.#listeners.clear();
  }

  /** The events before the first that is loaded, where the reader is. */
  async loadOlder(): Promise<void> {
    const part = this.#start ?? this.#end;
    if (part.first === 1) return;
    const after = Math.max(0, part.first - 1 - PAGE_EVENTS);
    await this.#load("older", after, part.first - 1, (events) => {
      const before = new TranscriptItems();
      before.append(events);
      const length = part.items.items.length;
      part.items.prepend(before);
      part.firstIndex -= part.items.items.length - length;
      part.first = after + 1;
    });
  }

  /** Shows the beginning of the transcript; what lies between it and the end is loaded as the reader goes on. */
  async goToStart(): Promise<void> {
    // Older events may be on their way: the reader's wish waits for them, and is not lost.
    await this.#current;
    if ((this.#start ?? this.#end).first !== 1) await this.#open("start", 0, null);
  }

  /** Shows the place where an event is. */
  async goTo(seq: number): Promise<void> {
    await this.#current;
    const target = { seq, times: (this.#target?.times ?? 0) + 1 };
    if (seq < 1 || seq > this.#end.last) return;
    if (isIn(this.#start ?? this.#end, seq) || isIn(this.#end, seq)) {
      this.#target = target;
      if (!isIn(this.#start ?? this.#end, seq)) this.goToEnd();
      else this.#tell();
    } else await this.#open("place", Math.max(0, seq - 1 - AROUND_EVENTS), target);
  }

  async #open(what: "start" | "place", after: number, target: TranscriptView["target"]): Promise<void> {
    const last = Math.min(after + PAGE_EVENTS, this.#end.first - 1);
    await this.#load(what, after, last, (events) => {
      const items = new TranscriptItems();
      items.append(events);
      this.#listIds += 1;
      this.#target = target;
      this.#start = { listId: this.#listIds, opensAt: "start", items, first: after + 1, last, firstIndex: after };
      this.#joinParts();
    });
  }

  /** The events after those at the reader's place. */
  async loadNewer(): Promise<void> {
    const part = this.#start;
    if (part === null) return;
    const last = Math.min(part.last + PAGE_EVENTS, this.#end.first - 1);
    await this.#load("newer", part.last, last, (events) => {
      part.items.append(events);
      part.last = last;
      this.#joinParts();
    });
  }

  /** Shows the end again. */
  goToEnd(): void {
    if (this.#start === null) return;
    this.#start = null;
    this.#listIds += 1;
    this.#end = { ...this.#end, listId: this.#listIds, opensAt: "end" };
    this.#failure = null;
    this.#tell();
  }

  #flush(): void {
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const one of arrived) {
      if (one.type === "agent.delta") {
        if (!this.#end.items.hasMessage(one.message_id)) this.#writing.add(one, this.#now());
      } else this.#append(one);
    }
    this.#tell();
  }

  #append(event: TranscriptEvent): void {
    const { items } = this.#end;
    const length = items.items.length;
    items.append([event]);
    this.#added += items.items.length - length;
    this.#end.last = event.seq;
    if (this.#isLive) this.#writing.begin();
    if (event.type === "agent.message" || event.type === "agent.thinking") this.#writing.supersede(event.message_id);
    if (event.type === "run.finished" || event.type === "run.queued") this.#writing.clear();
  }

  /** The beginning has grown up to the end: from here on they are one list, which keeps the beginning's numbers. */
  #joinParts(): void {
    const start = this.#start;
    if (start === null || start.last + 1 < this.#end.first) return;
    this.#end.items.prepend(start.items);
    this.#end = { ...start, items: this.#end.items, last: this.#end.last };
    this.#start = null;
  }

  /** One thing at a time. */
  async #load(
    what: Loading,
    after: number,
    last: number,
    take: (events: readonly TranscriptEvent[]) => void,
  ): Promise<void> {
    if (this.#loading !== null) return;
    this.#current = this.#loadNow(what, after, last, take);
    await this.#current;
  }

  async #loadNow(
    what: Loading,
    after: number,
    last: number,
    take: (events: readonly TranscriptEvent[]) => void,
  ): Promise<void> {
    const shown = this.#start;
    this.#loading = what;
    this.#failure = null;
    this.#tell();
    try {
      const events = await readRange(this.#readEvents, after, last);
      // The reader may have gone back to the end meanwhile: then this belongs nowhere.
      if (this.#start === shown) take(events);
    } catch (error) {
      this.#failure = { of: what, error };
    } finally {
      this.#loading = null;
      this.#tell();
    }
  }

  #tell(): void {
    this.#view = this.#makeView();
    for (const listener of this.#listeners) listener();
  }

  #makeView(): TranscriptView {
    const part = this.#start ?? this.#end;
    const { items } = part.items;
    const writing = this.#start === null ? this.#writing.items : [];
    return {
      listId: part.listId,
      opensAt: part.opensAt,
      length: items.length + writing.length,
      itemAt: (index) => items[index] ?? writing[index - items.length],
      firstIndex: part.firstIndex,
      first: part.first,
      last: part.last,
      hasOlder: part.first > 1,
      hasNewer: this.#start !== null,
      target: this.#target,
      isReady: this.#isReady,
      openWait: this.#end.items.openWait,
      added: this.#added,
      loading: this.#loading,
      failure: this.#failure,
    };
  }
}

function isIn({ first, last }: Part, seq: number): boolean {
  return seq >= first && seq <= last;
}
