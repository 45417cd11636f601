/** Where a run begins in a transcript that is read page by page. */
import { expect, it } from "vitest";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import type { ReadEvents } from "#web/src/session/read-events.ts";
import { firstSeqOf } from "#web/src/session/run-place.ts";

const PAGE = 2;
const RUNS = ["run_1", "run_1", "run_1", "run_2", "run_1", "run_2"];
const EVENTS = RUNS.map((run_id, place) => ({ seq: place + 1, run_id }) as TranscriptEvent);
const read: ReadEvents = async (after) => ({ data: EVENTS.slice(after, after + PAGE), next_cursor: null });

it.each([
  ["run_1", 1],
  ["run_2", 4],
  ["run_3", null],
])("%s begins at %s", async (id, seq) => {
  expect(await firstSeqOf(id, read)).toBe(seq);
});
