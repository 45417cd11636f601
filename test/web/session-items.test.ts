/** Events become items, each event in exactly one of them, however the transcript is loaded. */
import { describe, expect, it } from "vitest";
import type { EventBody, TranscriptEvent } from "#protocol/transcript.ts";
import type { Item } from "#web/src/session/item-types.ts";
import { timedSteps } from "#web/src/session/run-items.ts";
import { messageKey, TranscriptItems } from "#web/src/session/transcript-items.ts";
import {
  atMs,
  called,
  eventsOf,
  finished,
  gave,
  queued,
  RUN,
  running,
  said,
  starting,
  stepped,
} from "./session-events.ts";

const prompt: EventBody = { type: "user.message", source: "routine", text: "Do it." };
const pushed: EventBody = {
  type: "git.push",
  repository: "https://github.com/acme/app",
  branch: "claude/a",
  commit: "968c1a255d5312466812b43005e54dd90a139414",
  previous: null,
};
const notice: EventBody = { type: "notice", level: "info", code: "demo_model", message: "The demo model answers." };

/** A whole run: what belongs together does not always stand together. */
const story = eventsOf([
  queued,
  prompt,
  starting,
  stepped("Allocating", "provisioning"),
  notice,
  stepped("Cloning"),
  running,
  said("a"),
  called("t1"),
  called("t2"),
  gave("t2"),
  pushed,
  gave("t1", true),
  stepped("Collecting", "finish"),
  called("t3"),
  {
    type: "usage",
    usage: { input_tokens: 1, output_tokens: 1, cache_read_tokens: 0, cache_write_tokens: 0, cost_usd: 0 },
  },
  finished,
]);

const shown = [
  "run 1 3 4 6 7",
  "user 2",
  "notice 5",
  "agent 8",
  "tool 9 13",
  "tool 10 11",
  "push 12",
  "step 14",
  "tool 15",
  "usage 16",
  "finished 17",
];

function itemsOf(events: readonly TranscriptEvent[]): TranscriptItems {
  const items = new TranscriptItems();
  items.append(events);
  return items;
}

function summary(items: readonly Item[]): string[] {
  return items.map(({ kind, seqs }) => `${kind} ${seqs.join(" ")}`);
}

describe("items", () => {
  it("join a run's beginning, and a call with its result, and keep the order of their first events", () => {
    expect(summary(itemsOf(story).items)).toEqual(shown);
  });

  it.each(story.map(({ seq }) => seq))("are the same when what stood before event %i is loaded later", (seq) => {
    const items = itemsOf(story.slice(seq - 1));
    items.prepend(itemsOf(story.slice(0, seq - 1)));
    expect(summary(items.items)).toEqual(shown);
    expect(items.items).toEqual(itemsOf(story).items);
  });

  it("are the same when everything is loaded backwards, one event at a time", () => {
    const items = new TranscriptItems();
    for (const event of story.toReversed()) items.prepend(itemsOf([event]));
    expect(items.items).toEqual(itemsOf(story).items);
  });

  it("are joined over three parts, whichever part the reader came from", () => {
    const items = itemsOf(story.slice(11));
    items.prepend(itemsOf(story.slice(5, 11)));
    items.prepend(itemsOf(story.slice(0, 5)));
    expect(summary(items.items)).toEqual(shown);
  });

  it("keep their keys and, unless they change, their identity as others come", () => {
    const items = itemsOf(story.slice(0, 10));
    const before = [...items.items];
    items.append(story.slice(10));
    const after = items.items.slice(0, before.length);
    expect(after.map(({ key }) => key)).toEqual(before.map(({ key }) => key));
    const changed = before.filter((item, index) => item !== after[index]).map(({ seqs }) => seqs[0]);
    expect(changed).toEqual([9, 10]);
  });

  it("have different keys, also when a message's id comes twice", () => {
    const items = itemsOf(eventsOf([said("a"), said("a"), said("b")]));
    items.prepend(itemsOf([]));
    const keys = items.items.map(({ key }) => key);
    expect(keys).toEqual([messageKey("a"), "e:2", messageKey("b")]);
    const later = itemsOf(eventsOf([said("a")], 4));
    later.prepend(items);
    expect(new Set(later.items.map(({ key }) => key)).size).toBe(4);
  });

  it("show a type that they do not know", () => {
    const event = { ...story[0], type: "of.tomorrow" } as unknown as TranscriptEvent;
    expect(itemsOf([event]).items).toMatchObject([{ kind: "unknown", type: "of.tomorrow", seqs: [1] }]);
  });

  it("tell when text was cut, and how long it was", () => {
    const [item] = itemsOf(
      eventsOf([{ type: "agent.message", message_id: "a", text: "…", truncated: true, bytes: 900_000 }]),
    ).items;
    expect(item).toMatchObject({ cut: { bytes: 900_000 } });
  });
});

describe("a tool call", () => {
  it.each<[string, EventBody[], string]>([
    ["runs until its result comes", [running, called("t")], "running"],
    ["is done with a result", [running, called("t"), gave("t")], "ok"],
    ["has failed with an error", [running, called("t"), gave("t", true)], "error"],
    ["has stopped when its run has ended without a result", [running, called("t"), finished], "stopped"],
    [
      "has stopped when its attempt is repeated",
      [running, called("t"), { ...queued, attempt: 2 } as EventBody],
      "stopped",
    ],
    ["goes on when another one has its result", [running, called("t"), called("u"), gave("u")], "running"],
  ])("%s", (_name, bodies, state) => {
    const events = eventsOf(bodies);
    expect(itemsOf(events).items.find(({ kind }) => kind === "tool")).toMatchObject({ state });
    for (let at = 1; at < events.length; at += 1) {
      const items = itemsOf(events.slice(at));
      items.prepend(itemsOf(events.slice(0, at)));
      expect(items.items.find(({ kind }) => kind === "tool")).toMatchObject({ state });
    }
  });

  it("takes the first result when two come under its id", () => {
    const items = itemsOf(eventsOf([called("t"), gave("t"), gave("t")]));
    expect(summary(items.items)).toEqual(["tool 1 2", "result 3"]);
  });

  it("under an id that was used before has its own result", () => {
    const items = itemsOf(eventsOf([called("t"), gave("t"), called("t"), gave("t")]));
    expect(summary(items.items)).toEqual(["tool 1 2", "tool 3 4"]);
  });
});

describe("a run's beginning", () => {
  it("tells how long each step took, and which one goes on", () => {
    const [item] = itemsOf(story.slice(0, 6)).items;
    if (item?.kind !== "run") throw new Error("no run");
    expect(timedSteps(item, atMs(10))).toEqual([
      { message: "Allocating", ms: 2_000, isOn: false },
      { message: "Cloning", ms: 4_000, isOn: true },
    ]);
  });

  it("ends its last step when the agent is on", () => {
    const [item] = itemsOf(story).items;
    if (item?.kind !== "run") throw new Error("no run");
    expect(timedSteps(item, atMs(99)).at(-1)).toEqual({ message: "Cloning", ms: 1_000, isOn: false });
  });

  it("of each attempt is an item of its own; the one that failed has ended", () => {
    const bodies: EventBody[] = [
      queued,
      starting,
      stepped("Cloning"),
      { ...queued, attempt: 2 } as EventBody,
      starting,
      running,
    ];
    const { items } = itemsOf(eventsOf(bodies));
    expect(summary(items)).toEqual(["run 1 2 3", "run 4 5 6"]);
    expect(items).toMatchObject([
      { endedAtMs: atMs(4), runningAtMs: null },
      { endedAtMs: null, runningAtMs: atMs(6) },
    ]);
  });

  it("of each run in a session is its own", () => {
    const other = "run_00000000000000000000000002";
    const events = [
      ...eventsOf([queued, starting], 1, RUN),
      ...eventsOf([queued], 3, other),
      ...eventsOf([running], 4, RUN),
    ];
    expect(summary(itemsOf(events).items)).toEqual(["run 1 2 4", "run 3"]);
  });
});
