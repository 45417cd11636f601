/** What a long, much watched transcript costs in memory, beside an object in which nothing happens. */
import { setTimeout as delay } from "node:timers/promises";
import { VIEWER_WINDOW } from "#protocol/viewer.ts";
import type { Figure, Row } from "../row.ts";
import { type LiveSide, ourSide } from "../support/live-sides.ts";

const EVENT_BYTES = 16_384;
const EVENTS = 6_400;
const VIEWERS = 100;
const SAMPLE_MS = 200;
/** All viewers would read 10 GB: how much is in use shows within a part of it. */
const REPLAY_MS = 12_000;
/** What an object may use at Cloudflare; and for each viewer its window, as the text and as the bytes that leave. */
const HEAP_LIMIT_MIB = 128;
const VIEWER_MIB = (2 * VIEWER_WINDOW.bytes) / 1_048_576;

export const memory: Row = {
  id: "memory",
  title: "workerd with an object that has a 100 MB transcript and 100 viewers",
  baseline: "the same workerd before, with the object idle",
  measure: async () => {
    await using side = await ourSide(1);
    const idle = side.served.workerdMemory();
    const writing = await peak(side, side.push({ events: EVENTS, perSecond: null, kind: EVENT_BYTES }));
    const written = side.served.workerdMemory();
    const replay = side.watch(VIEWERS, "start");
    const replaying = await peak(side, Promise.race([replay, delay(REPLAY_MS)]));
    await Promise.allSettled([side.unwatch(), replay]);
    await side.watch(VIEWERS, "end");
    const watched = side.served.workerdMemory();
    const figure = (what: string, ours: number): Figure => ({ what, unit: "MiB", ours, baseline: idle, goal: null });
    const bound = { bound: "at most", value: HEAP_LIMIT_MIB + VIEWERS * VIEWER_MIB } as const;
    return [
      figure("while 100 MB are written", writing),
      figure("afterwards", written),
      figure("while 100 viewers read it all", replaying),
      { ...figure("  more than before they came", replaying - written), baseline: null, goal: bound },
      figure("with 100 viewers at its end", watched),
    ];
  },
};

/** The most memory in use until something is done. */
async function peak(side: LiveSide, work: Promise<unknown>): Promise<number> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  let most = 0;
  while (!isDone) {
    most = Math.max(most, side.served.workerdMemory());
    await delay(SAMPLE_MS);
  }
  await done;
  return most;
}
