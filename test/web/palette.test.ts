/** What the palette finds for what was typed. */
import { describe, expect, it } from "vitest";
import { matching } from "#web/src/shell/palette-match.ts";

const ENTRIES = [
  { title: "Routines" },
  { title: "Docs sync", words: "routine prod" },
  { title: "Sync issues", words: "routine" },
  { title: "Review: is in sync", words: "run Succeeded" },
  { title: "Theme: Dark" },
];

describe("the palette", () => {
  it.each([
    ["", ["Routines", "Docs sync", "Sync issues", "Review: is in sync", "Theme: Dark"]],
    ["sync", ["Sync issues", "Docs sync", "Review: is in sync"]],
    ["SYNC doc", ["Docs sync"]],
    ["routine", ["Routines", "Docs sync", "Sync issues"]],
    ["succeeded", ["Review: is in sync"]],
    ["heme", ["Theme: Dark"]],
    ["nothing", []],
  ])("finds for “%s”", (typed, titles) => {
    expect(matching(ENTRIES, typed).map(({ title }) => title)).toEqual(titles);
  });
});
