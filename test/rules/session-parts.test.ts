/** What of a session is kept, and in which words is told what is not. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { LEFT_OUT_NAMED, type Resume } from "#protocol/conversation.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import { lastCalls } from "#rules/run/last-calls.ts";
import { sdkSessionId } from "#rules/run/sdk-session-id.ts";
import {
  type Candidate,
  chooseFiles,
  namesOf,
  readFileRecord,
  readRecords,
} from "#sandbox-runner/session/choose-files.ts";
import { missingWords, type Restored, toldText } from "#sandbox-runner/session/told.ts";

const MIB = 1_024 ** 2;
const file = (name: string, bytes: number, isFirst = false): Candidate => ({
  path: `/w/${name}`,
  name,
  bytes,
  isFirst,
});
const names = (files: readonly Candidate[]) => files.map(({ name }) => name);

describe("of a workspace", () => {
  it.each<[string, Candidate[], string[]]>([
    ["nothing", [], []],
    ["what fits", [file("b", 2), file("a", 1)], ["a", "b"]],
    ["the small ones first", [file("huge", 9 * MIB), file("small", 1), file("large", 7 * MIB)], ["small", "large"]],
    ["commits before files", [file("a", 1), file("bundle", 7 * MIB, true), file("b", 2 * MIB)], ["bundle", "a"]],
    ["files, where the commits are too large", [file("bundle", 11 * MIB, true), file("a", 1)], ["a"]],
  ])("is kept: %s", (_what, candidates, kept) => {
    const choice = chooseFiles(candidates, 10 * MIB);
    expect(names(choice.kept)).toEqual(kept);
    expect(names([...choice.kept, ...choice.leftOut]).toSorted()).toEqual(names(candidates).toSorted());
  });

  it("so many files are kept at most, and so many of the others named, the largest first", () => {
    const choice = chooseFiles(
      Array.from({ length: 20_030 }, (_, number) => file(`f${number}`, number)),
      900 * MIB,
    );
    expect(choice.kept).toHaveLength(20_000);
    const named = namesOf(choice.leftOut);
    expect(named).toHaveLength(LEFT_OUT_NAMED);
    expect(named[0]).toBe("f20029 (20 KiB)");
    expect(namesOf([file("x", 3 * MIB)])).toEqual(["x (3.0 MiB)"]);
  });

  it("records are read with any name, and a record that was cut off is not", () => {
    const [one, two, three] = readRecords("file f\t12\ta\tb\nc\0head \0branch 01 claude/one\0file f\t1");
    expect([one?.kind, two, three]).toEqual([
      "file",
      { kind: "head", rest: "" },
      { kind: "branch", rest: "01 claude/one" },
    ]);
    expect(readFileRecord(one?.rest ?? "")).toEqual({ path: "a\tb\nc", bytes: 12, isKept: true });
    const kinds = ["regular file", "regular empty file", "symbolic link", "l", "directory", "fifo", "d", "s"];
    expect(kinds.map((kind) => readFileRecord(`${kind}\t1\tx`).isKept)).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe("an agent that goes on", () => {
  const workspace = { archive: null, left_out: [], left_out_count: 0, is_latest: true };
  const resume: Resume = { sdk_version: "1.0.0", files: [], calls: [], workspace };
  const whole: Restored = {
    resume,
    workspace: "/w",
    lost: [],
    isWorkspaceLost: false,
    fresh: [],
    forgotten: [],
    commit: null,
  };

  it.each<[string, Partial<Restored>, string | null]>([
    ["all is there", {}, null],
    ["nothing was kept", { resume: { ...resume, workspace: null } }, "Nothing of the earlier workspace was kept"],
    ["it can't be had", { isWorkspaceLost: true }, "can't be had"],
    [
      "it is an older one",
      { resume: { ...resume, workspace: { ...workspace, is_latest: false } } },
      "machine of the last run was lost",
    ],
    [
      "some is left out",
      { resume: { ...resume, workspace: { ...workspace, left_out: ["a"], left_out_count: 3 } } },
      "a and 2 more",
    ],
    ["some could not be put back", { lost: ["the stash of x", "y"] }, "the stash of x; y"],
  ])("is told when %s", (_case, change, words) => {
    const told = toldText({ ...whole, ...change });
    expect(missingWords({ ...whole, ...change })).toHaveLength(words === null ? 0 : 1);
    expect(told.includes("are as you left them")).toBe(words === null);
    if (words !== null) expect(told).toContain(words);
  });

  it("is told of calls that it has forgotten, and of the commit that the run is about", () => {
    const forgotten = [{ tool_call_id: "1", name: "Bash", input: '{"command":"make"}' }];
    const told = toldText({ ...whole, forgotten, commit: "0".repeat(40) });
    expect(told).toContain('Bash {"command":"make"}');
    expect(told).toContain("0".repeat(40));
  });
});

it("the last run's latest calls are told, and not those of the run that goes on", () => {
  const ids = { at: "2026-11-29T00:00:00.000Z", session_id: "session_1" };
  const called = (run_id: string, number: number): TranscriptEvent => ({
    ...ids,
    ...{ run_id, seq: number, type: "tool.call", tool_call_id: `${run_id}-${number}`, name: "Bash", input: { number } },
  });
  const events = [called("a", 1), ...Array.from({ length: 30 }, (_, number) => called("b", number)), called("c", 1)];
  const told = lastCalls(events, "c");
  expect(told).toHaveLength(20);
  expect(told.at(-1)).toEqual({ tool_call_id: "b-29", name: "Bash", input: '{"number":29}' });
  expect(lastCalls([called("c", 1)], "c")).toEqual([]);
});

it("a session has one name of its own for the agent's program, which is a UUID", () => {
  const sessions = [
    "session_1M8K9WRKQZ2NF1ARGYM8426BD4",
    "session_1M8K9WRKQZ2NF1ARGYM8426BD5",
    `session_${"Z".repeat(26)}`,
    `session_${"0".repeat(26)}`,
  ];
  const ids = sessions.map(sdkSessionId);
  expect(new Set(ids).size).toBe(4);
  for (const id of ids) expect(z.uuidv4().safeParse(id).success).toBe(true);
  expect(sessions.map(sdkSessionId)).toEqual(ids);
});
