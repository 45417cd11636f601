/** What has been built is kept while it is what it was, of what it was made of; whatever else is there, it is made anew. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { madeOnce } from "#scripts/instance/made-of.ts";
import { failed, type Outcome, succeeded } from "#scripts/outcome.ts";

let root = "";
let count = 0;
const at = (...names: string[]) => path.join(root, ...names);

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "reveille-made-"));
  count = 0;
  mkdirSync(at("sources", "inner"), { recursive: true });
  writeFileSync(at("sources", "one.ts"), "one");
  writeFileSync(at("sources", "inner", "two.ts"), "two");
});
afterEach(() => rmSync(root, { recursive: true }));

function make(outcome: Outcome<null> = succeeded(null), settings: string[] = []): Promise<Outcome<null>> {
  return madeOnce({
    mark: at("made-of"),
    sources: [at("sources"), at("lock.json")],
    settings,
    results: [at("results"), at("options.json")],
    make: async () => {
      count += 1;
      rmSync(at("results"), { recursive: true, force: true });
      mkdirSync(at("results"));
      writeFileSync(at("results", "index.js"), `made ${count}`);
      writeFileSync(at("options.json"), "{}");
      return outcome;
    },
  });
}

it("is made once, also beside what another made", async () => {
  expect(await make()).toEqual(succeeded(null));
  expect(await make()).toEqual(succeeded(null));
  writeFileSync(at("other.json"), "");
  expect(await make()).toEqual(succeeded(null));
  expect(count).toBe(1);
});

it.each<[string, () => void]>([
  ["a source changed", () => writeFileSync(at("sources", "inner", "two.ts"), "owt")],
  ["a source is new", () => writeFileSync(at("sources", "three.ts"), "")],
  ["a source is gone", () => rmSync(at("sources", "one.ts"))],
  ["a source has another name", () => renameSync(at("sources", "one.ts"), at("sources", "eno.ts"))],
  ["a folder of sources is new", () => mkdirSync(at("sources", "empty"))],
  ["a source that was not there is", () => writeFileSync(at("lock.json"), "")],
  ["a result was cut off", () => writeFileSync(at("results", "index.js"), "made")],
  ["a result is gone", () => rmSync(at("options.json"))],
  ["all results are gone", () => rmSync(at("results"), { recursive: true })],
  ["something lies among the results", () => writeFileSync(at("results", "older.js"), "")],
  ["the mark is gone", () => rmSync(at("made-of"))],
  ["the mark was cut off", () => writeFileSync(at("made-of"), readFileSync(at("made-of"), "utf8").slice(0, 70))],
])("is made anew when %s", async (_, happens) => {
  await make();
  happens();
  await make();
  expect(count).toBe(2);
  expect(readFileSync(at("results", "index.js"), "utf8")).toBe("made 2");
  expect(existsSync(at("results", "older.js"))).toBe(false);
  await make();
  expect(count).toBe(2);
});

it("is made anew with another setting", async () => {
  await make(succeeded(null), ["/here"]);
  await make(succeeded(null), ["/there"]);
  expect(count).toBe(2);
});

it("does not count as made when it could not be, though it had been before", async () => {
  await make();
  writeFileSync(at("sources", "one.ts"), "another");
  expect(await make(failed("no"))).toEqual(failed("no"));
  writeFileSync(at("sources", "one.ts"), "one");
  expect(await make(failed("still no"))).toEqual(failed("still no"));
  expect(await make()).toEqual(succeeded(null));
  expect(count).toBe(4);
});
