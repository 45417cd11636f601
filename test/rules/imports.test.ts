/** The reader of imports, on which the architecture test rests. */
import { describe, expect, it } from "vitest";
import { type Import, importsOf } from "./support/imports.ts";

function target(name: string): Import {
  return { target: name, isType: false };
}

describe("the reader of imports", () => {
  it.each<[string, string, Import[]]>([
    ["a value", 'import { a } from "#protocol/run.ts";', [{ target: "protocol/run.ts", isType: false }]],
    ["a type", 'import type { A } from "#protocol/run.ts";', [{ target: "protocol/run.ts", isType: true }]],
    ["marked types alone", 'import { type A, type B } from "./b.ts";', [{ target: "worker/x/b.ts", isType: true }]],
    ["a value beside a type", 'import { type A, b } from "./b.ts";', [{ target: "worker/x/b.ts", isType: false }]],
    ["a value named type", 'import { type } from "./b.ts";', [{ target: "worker/x/b.ts", isType: false }]],
    ["several lines", 'import {\n  a,\n  type B,\n} from "../b.ts";', [{ target: "worker/b.ts", isType: false }]],
    ["a default and all", 'import a, * as b from "zod";', [{ target: "zod", isType: false }]],
    ["nothing but the effect", 'import "./b.ts";', [{ target: "worker/x/b.ts", isType: false }]],
    ["what is passed on", 'export { A } from "./b.ts";', [{ target: "worker/x/b.ts", isType: false }]],
    ["types that are passed on", 'export type { A } from "./b.ts";', [{ target: "worker/x/b.ts", isType: true }]],
    ["everything, passed on", 'export * from "./b.ts";', [{ target: "worker/x/b.ts", isType: false }]],
    ["an import at run time", 'const a = await import("./b.ts");', [{ target: "worker/x/b.ts", isType: false }]],
    ["a computed import", "const a = await import(name);", [{ target: "(computed)", isType: false }]],
    ["two statements", 'import "zod";\nimport { b } from "hono";', [target("zod"), target("hono")]],
    ["an alias that leaves its folder", 'import "#worker/../scripts/b.ts";', [target("scripts/b.ts")]],
    ["no import in an exported text", 'export const a = "./b.ts";', []],
    ["no import in a comment", '// await import("./b.ts")\n/** import("./c.ts") */', []],
    ["no import in what tells of itself", "const here = import.meta.dirname;", []],
  ])("sees %s", (_sentence, text, imports) => {
    expect(importsOf("worker/x/a.ts", text)).toEqual(imports);
  });
});
