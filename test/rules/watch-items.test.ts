/** What a watch makes of an answer: its value, its items, and what each is known by. */
import { describe, expect, it } from "vitest";
import type { Json } from "#protocol/schema.ts";
import { resourceValue, toolValue } from "#rules/watch/answer-value.ts";
import { ITEMS_AT_MOST, readItems } from "#rules/watch/read-items.ts";
import { watchRetryMs } from "#rules/watch/retry.ts";

const text = (said: string) => ({ type: "text", text: said });
const nested = (levels: number): Json => (levels === 0 ? 1 : [nested(levels - 1)]);

describe("the value of an answer", () => {
  it.each<[string, Parameters<typeof toolValue>[0], unknown]>([
    ["structured content before texts", { structuredContent: [1], content: [text("2")] }, [1]],
    ["a text that is JSON", { content: [text('{"a": 1}')] }, { a: 1 }],
    ["a text that is none", { content: [text("all is well")] }, "all is well"],
    ["null", { content: [text("null")] }, null],
    ["several texts", { content: [text("1"), { type: "image" }, text("two")] }, [1, "two"]],
    ["nothing", { content: [] }, []],
  ])("is %s", (_what, result, value) => {
    expect(toolValue(result)).toEqual({ ok: true, value });
  });

  it("is none of an error, nor of images alone; of a resource it is its contents", () => {
    expect(toolValue({ isError: true, content: [text("no such state")] })).toMatchObject({ ok: false });
    expect(toolValue({ content: [{ type: "image" }] })).toMatchObject({ ok: false });
    expect(resourceValue({ contents: [{ text: "[1]" }, { blob: "AA==" }] })).toEqual({
      ok: true,
      value: [[1], "AA=="],
    });
  });
});

describe("items", () => {
  it.each<[string, Json, { items?: string; key?: string }, string[]]>([
    ["of a list are known by their id", [{ id: 7 }, { id: "b" }], {}, ["7", "b"]],
    ["without one by their content", [{ b: 1, a: 2 }, "x"], {}, ['{"a":2,"b":1}', '"x"']],
    ["by a path", { data: { nodes: [{ meta: { key: "k" } }] } }, { items: "data.nodes", key: "meta.key" }, ["k"]],
    ["that are one answer by its id", { id: "whole", more: [1, 2] }, {}, ["whole"]],
    ["that are one answer without one", "all is well", {}, ["answer"]],
    ["that are not there", { issues: [] }, { items: "issues" }, []],
    ["without one where it is empty", [{ id: "" }, { id: "", a: 1 }], {}, ['{"id":""}', '{"a":1,"id":""}']],
    ["without one where it is null", [{ id: null }, { id: null, a: 1 }], {}, ['{"id":null}', '{"a":1,"id":null}']],
    ["by a name that JavaScript has a use for", JSON.parse('[{"__proto__": "x"}]'), { key: "__proto__" }, ["x"]],
    ["twice in a list count once", [{ id: 1 }, { id: 1 }], {}, ["1"]],
  ])("%s", (_what, given, paths, keys) => {
    const read = readItems(given, paths);
    expect(read.ok && read.items.map(({ key }) => key)).toEqual(keys);
  });

  it("have one content in whatever order properties, and items of one key, come", () => {
    const contents = (given: Json) => {
      const read = readItems(given, {});
      return read.ok ? read.items.map(({ content }) => content) : [];
    };
    const one = { id: 1, a: { x: 1, y: [2, 1] } };
    const other = { id: 1, a: 3 };
    expect(contents([{ a: { y: [2, 1], x: 1 }, id: 1 }])).toEqual(contents([one]));
    expect(contents([one, other])).toEqual(contents([other, one]));
    expect(contents([one, other])).not.toEqual(contents([one]));
    expect(contents([{ id: 1, a: { x: 1, y: [1, 2] } }])).not.toEqual(contents([one]));
  });

  it.each<[string, Json, { items?: string; key?: string }, RegExp]>([
    ["where there is no list", { data: { issues: [] } }, { items: "issues" }, /no "issues".*Its lists: data\.issues/],
    ["where there is something else", { issues: {} }, { items: "issues" }, /is no list/],
    ["where none has the key", [{ id: 1 }], { key: "idd" }, /No item has "idd"/],
    ["where only JavaScript has it", [{ id: 1 }], { key: "constructor.name" }, /No item has "constructor.name"/],
    ["beyond the bound", Array.from({ length: ITEMS_AT_MOST + 1 }, (_one, id) => ({ id })), {}, /2001 items/],
    ["nested too deep", nested(200), {}, /deeper than 100/],
  ])("are none %s", (_what, given, paths, words) => {
    const read = readItems(given, paths);
    expect(read.ok ? "" : read.detail).toMatch(words);
  });
});

it("looks that fail are made again after a minute, and twice as long each time, up to an hour", () => {
  expect([1, 2, 6, 7, 100].map((failures) => watchRetryMs(failures) / 60_000)).toEqual([1, 2, 32, 60, 60]);
});
