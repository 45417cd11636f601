/** What of a transcript is loaded: its end as it grows, older events before it, and the beginning when it is asked for. */
import { describe, expect, it } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { Delta, TranscriptEvent } from "#protocol/transcript.ts";
import { TranscriptStore, type TranscriptView } from "#web/src/session/transcript-store.ts";
import { called, eventsOf, finished, gave, messages, said } from "./session-events.ts";

/** A store over a transcript that is there; `frame` shows what has come since the last one. */
function openStore(after: number, transcript: TranscriptEvent[] = [], answerAtMost = 1_000) {
  const frames: (() => void)[] = [];
  const asked: [number, number][] = [];
  let fail = false;
  const read = async (from: number, limit: number): Promise<Page<TranscriptEvent>> => {
    asked.push([from, limit]);
    if (fail) throw new Error("unreachable");
    return { data: transcript.slice(from, from + Math.min(limit, answerAtMost)), next_cursor: null };
  };
  const schedule = (callback: () => void) => {
    frames.push(callback);
    return () => frames.splice(frames.indexOf(callback), 1);
  };
  const store = new TranscriptStore(after, read, schedule, () => 0);
  let told = 0;
  store.subscribe(() => {
    told += 1;
  });
  return {
    store,
    asked,
    frame: () => {
      for (const callback of frames.splice(0)) callback();
    },
    told: () => told,
    setFailing: (next: boolean) => {
      fail = next;
    },
  };
}

function seqs({ length, itemAt }: TranscriptView): number[] {
  return Array.from({ length }, (_, index) => itemAt(index)?.seqs ?? []).flat();
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function delta(id: string, text: string, kind: "text" | "thinking" = "text"): Delta {
  return { type: "agent.delta", message_id: id, kind, text };
}

function texts({ length, itemAt }: TranscriptView): string[] {
  return Array.from({ length }, (_, index) => {
    const item = itemAt(index);
    return item?.kind === "agent" ? `${item.writing ? "writes" : "said"}: ${item.text}` : (item?.kind ?? "");
  });
}

describe("the end", () => {
  it("is told of once a frame, however much comes", () => {
    const { store, frame, told } = openStore(0);
    for (const event of messages(1, 50)) store.receive([event]);
    expect([told(), seqs(store.view())]).toEqual([0, []]);
    frame();
    expect([told(), seqs(store.view())]).toEqual([1, range(1, 50)]);
  });

  it("is ready when all has come that was there, without waiting for a frame", () => {
    const { store } = openStore(0);
    store.receive(messages(1, 3));
    expect(store.view()).toMatchObject({ isReady: false, length: 0 });
    store.caughtUp();
    expect(store.view()).toMatchObject({ isReady: true, length: 3, hasOlder: false, hasNewer: false });
  });

  it("counts what is added live, not what is loaded, nor what joins an item", async () => {
    const transcript = messages(1, 40);
    const { store, frame } = openStore(20, transcript);
    store.receive(transcript.slice(20));
    store.caughtUp();
    const { added } = store.view();
    await store.loadOlder();
    store.receive(eventsOf([called("t"), gave("t")], 41));
    frame();
    expect(store.view().added - added).toBe(1);
  });
});

describe("older events", () => {
  it("come page by page, and items that are there keep their numbers", async () => {
    const transcript = messages(1, 2_500);
    const { store, asked } = openStore(2_200, transcript);
    store.receive(transcript.slice(2_200));
    store.caughtUp();
    const numberOf = (seq: number) => store.view().firstIndex + seqs(store.view()).indexOf(seq);
    const before = numberOf(2_250);
    await store.loadOlder();
    expect(seqs(store.view())).toEqual(range(1_201, 2_500));
    await store.loadOlder();
    await store.loadOlder();
    expect(store.view().hasOlder).toBe(false);
    await store.loadOlder();
    expect(asked).toEqual([
      [1_200, 1_000],
      [200, 1_000],
      [0, 200],
    ]);
    expect(seqs(store.view())).toEqual(range(1, 2_500));
    expect(numberOf(2_250)).toBe(before);
    expect(store.view().firstIndex).toBeGreaterThanOrEqual(0);
  });

  it("are asked for again when an answer holds fewer than were asked for", async () => {
    const transcript = messages(1, 300);
    const { store, asked } = openStore(250, transcript, 100);
    store.receive(transcript.slice(250));
    store.caughtUp();
    await store.loadOlder();
    expect(asked.map(([from]) => from)).toEqual([0, 100, 200]);
    expect(seqs(store.view())).toEqual(range(1, 300));
  });

  it("are asked for once at a time", async () => {
    const transcript = messages(1, 300);
    const { store, asked } = openStore(250, transcript);
    await Promise.all([store.loadOlder(), store.loadOlder()]);
    expect(asked).toHaveLength(1);
  });

  it("that could not be loaded leave what is there, say why, and can be asked for again", async () => {
    const transcript = messages(1, 300);
    const { store, setFailing } = openStore(250, transcript);
    store.receive(transcript.slice(250));
    store.caughtUp();
    setFailing(true);
    await store.loadOlder();
    expect(store.view()).toMatchObject({
      first: 251,
      loading: null,
      failure: { of: "older", error: new Error("unreachable") },
    });
    setFailing(false);
    await store.loadOlder();
    expect(store.view()).toMatchObject({ first: 1, failure: null });
  });

  it("with a gap are no events", async () => {
    const transcript = messages(1, 300).filter(({ seq }) => seq !== 77);
    const { store } = openStore(250, transcript);
    await store.loadOlder();
    expect(store.view()).toMatchObject({
      first: 251,
      failure: { of: "older", error: new Error("event 78 came after 76") },
    });
  });
});

describe("the start", () => {
  it("is another list, which grows towards the end until both are one", async () => {
    const transcript = messages(1, 3_000);
    const { store, frame } = openStore(2_700, transcript);
    store.receive(transcript.slice(2_700, 2_990));
    store.caughtUp();
    const { listId } = store.view();
    await store.goToStart();
    expect(store.view()).toMatchObject({ opensAt: "start", hasNewer: true, first: 1, last: 1_000, firstIndex: 0 });
    expect(store.view().listId).not.toBe(listId);
    store.receive(transcript.slice(2_990));
    frame();
    expect(seqs(store.view())).toEqual(range(1, 1_000));
    await store.loadNewer();
    expect(seqs(store.view())).toEqual(range(1, 2_000));
    const atStart = store.view().listId;
    await store.loadNewer();
    expect(store.view()).toMatchObject({ hasNewer: false, listId: atStart, firstIndex: 0, last: 3_000 });
    expect(seqs(store.view())).toEqual(range(1, 3_000));
    store.receive(messages(3_001, 5));
    frame();
    expect(seqs(store.view())).toEqual(range(1, 3_005));
  });

  it("is left for the end, which has grown meanwhile", async () => {
    const transcript = messages(1, 3_000);
    const { store, frame } = openStore(2_700, transcript);
    store.receive(transcript.slice(2_700, 2_900));
    store.caughtUp();
    await store.goToStart();
    store.receive(transcript.slice(2_900));
    frame();
    store.goToEnd();
    expect(store.view()).toMatchObject({ opensAt: "end", hasNewer: false, first: 2_701 });
    expect(seqs(store.view())).toEqual(range(2_701, 3_000));
    await store.loadOlder();
    expect(seqs(store.view())).toEqual(range(1_701, 3_000));
  });

  it("that is left while it is loading is not shown", async () => {
    const transcript = messages(1, 3_000);
    const { store } = openStore(2_700, transcript);
    store.receive(transcript.slice(2_700));
    store.caughtUp();
    await store.goToStart();
    const loading = store.loadNewer();
    store.goToEnd();
    await loading;
    expect(seqs(store.view())).toEqual(range(2_701, 3_000));
  });

  it("is gone to also while older events are loading", async () => {
    const transcript = messages(1, 3_000);
    const { store } = openStore(2_700, transcript);
    store.receive(transcript.slice(2_700));
    store.caughtUp();
    await Promise.all([store.loadOlder(), store.goToStart()]);
    expect(store.view()).toMatchObject({ opensAt: "start", first: 1, last: 1_000 });
  });

  it("that could not be loaded leaves the end where it is", async () => {
    const transcript = messages(1, 3_000);
    const { store, setFailing } = openStore(2_700, transcript);
    store.receive(transcript.slice(2_700));
    store.caughtUp();
    setFailing(true);
    await store.goToStart();
    expect(store.view()).toMatchObject({ opensAt: "end", failure: { of: "start" } });
    setFailing(false);
    await store.goToStart();
    expect(store.view()).toMatchObject({ opensAt: "start", failure: null });
  });

  it("of a transcript that is loaded whole needs no other list", async () => {
    const { store, asked } = openStore(0);
    store.receive(messages(1, 10));
    store.caughtUp();
    await store.goToStart();
    expect([asked, store.view().listId]).toEqual([[], 1]);
  });
});

describe("what is being written", () => {
  function openLive() {
    const opened = openStore(0);
    opened.store.receive([...messages(1, 1)]);
    opened.store.caughtUp();
    opened.store.receive(eventsOf([called("t")], 2));
    opened.frame();
    return opened;
  }

  it("grows at the end, and becomes its message under the same key", () => {
    const { store, frame } = openLive();
    store.receive([delta("w", "Hel"), delta("w", "lo")]);
    frame();
    expect(texts(store.view())).toEqual(["said: message m1", "tool", "writes: Hello"]);
    const writing = store.view().itemAt(2);
    store.receive(eventsOf([gave("t"), said("w", "Hello!")], 3));
    frame();
    expect(texts(store.view())).toEqual(["said: message m1", "tool", "said: Hello!"]);
    expect(store.view().itemAt(2)).toMatchObject({ key: writing?.key, seqs: [4] });
  });

  it("is not begun again by what comes after its message", () => {
    const { store, frame } = openLive();
    store.receive([delta("w", "Hel"), ...eventsOf([said("w", "Hello!")], 3), delta("w", "lo")]);
    frame();
    expect(texts(store.view()).at(-1)).toBe("said: Hello!");
  });

  it("says that its beginning was missed when the page was opened in its midst", () => {
    const { store, frame } = openStore(0);
    store.receive(messages(1, 1));
    store.caughtUp();
    store.receive([delta("w", "lo")]);
    frame();
    expect(texts(store.view()).at(-1)).toBe("writes: … lo");
  });

  it("says where something is missing after the connection broke", () => {
    const { store, frame } = openLive();
    store.receive([delta("w", "One")]);
    store.interrupted();
    store.caughtUp();
    store.receive([delta("w", "three")]);
    frame();
    expect(texts(store.view()).at(-1)).toBe("writes: One … three");
  });

  it("is superseded by a message that came while the connection was broken", () => {
    const { store, frame } = openLive();
    store.receive([delta("w", "One")]);
    store.interrupted();
    store.receive(eventsOf([said("w", "One two three")], 3));
    store.caughtUp();
    store.receive([delta("x", "ne")]);
    frame();
    expect(texts(store.view()).slice(2)).toEqual(["said: One two three", "writes: … ne"]);
  });

  it("is gone when the run has ended without it", () => {
    const { store, frame } = openLive();
    store.receive([delta("w", "Hel"), ...eventsOf([finished], 3)]);
    frame();
    expect(texts(store.view()).at(-1)).toBe("finished");
  });

  it("does not show at the start of a transcript", async () => {
    const transcript = messages(1, 3_000);
    const { store, frame } = openStore(2_700, transcript);
    store.receive(transcript.slice(2_700));
    store.caughtUp();
    await store.goToStart();
    store.receive([delta("w", "Hel")]);
    frame();
    expect(store.view().length).toBe(1_000);
  });
});
