/** What is missing for runs in containers is told before anything starts, with what to do; what is there is not made again. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { prepareContainers } from "#scripts/instance/prepare-containers.ts";
import { failed, type Outcome, succeeded } from "#scripts/outcome.ts";
import { FakeEngine } from "./support/fake-engine.ts";

const RECIPE = { variant: "default", base: null } as const;

let folder: string;
let engine: FakeEngine;
let address: string;
let built: unknown[];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "rvl-engine-"));
  address = `unix://${path.join(folder, "engine.sock")}`;
  engine = new FakeEngine(path.join(folder, "engine.sock"));
  built = [];
});
afterEach(() => {
  engine.close();
  rmSync(folder, { recursive: true });
});

function prepare(change: Record<string, unknown>, answer: Outcome<string> = succeeded("built")) {
  const settings = { count: 1, engine: address, sidecar: "there-side", image: RECIPE, ...change };
  return prepareContainers(settings, async (...given) => {
    built.push(given);
    return answer;
  });
}

it("asks for nothing where no containers are wanted", async () => {
  engine.close();
  expect(await prepareContainers(null, async () => failed("never"))).toEqual({ ok: true, value: null });
});

it("has the image built, or takes the one that is named", async () => {
  const value = { engine: address, sidecar: "there-side" };
  expect(await prepare({})).toEqual({ ok: true, value: { ...value, image: "built" } });
  expect(built).toEqual([[RECIPE, address]]);
  expect(await prepare({ image: "there" })).toEqual({ ok: true, value: { ...value, image: "there" } });
  expect(built).toHaveLength(1);
  expect(await prepare({}, failed("It could not be built."))).toEqual({ ok: false, message: "It could not be built." });
});

it.each([
  [
    "no engine",
    { engine: "unix:///nowhere.sock" },
    /^No container engine answers at unix:.+nowhere.+: start Docker, .+ without REVEILLE_CONTAINERS\.$/,
  ],
  [
    "no side-car",
    { sidecar: "missing" },
    /^The container engine at .+ has no image missing, .+: docker pull missing, .+\.$/,
  ],
  ["no image of that name", { image: "missing" }, /has no image missing, which REVEILLE_IMAGE names: build or pull it/],
  [
    "an engine at fault",
    { sidecar: "broken" },
    /can't tell its images \(it answered 500.*: repair it, or start without REVEILLE_CONTAINERS\.$/,
  ],
])("tells of %s in one line, and builds nothing", async (_what, change, line) => {
  expect(await prepare(change)).toEqual({ ok: false, message: expect.stringMatching(line) });
  expect(built).toEqual([]);
});
