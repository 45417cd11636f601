/** The rooms of a routine's object stand one upon the other: what is imported lies below. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { importsOf } from "./rules/support/imports.ts";

const ROOT = join(import.meta.dirname, "..");
const OBJECT = "durable-objects/routine";
/** From below: files on which all rooms stand, the rooms, and the files that build, open and ask the whole. */
const LEVELS = [
  [
    "schema.ts",
    "work-tables.ts",
    "session-tables.ts",
    "trouble-tables.ts",
    "notification-tables.ts",
    "budget-tables.ts",
    "watch-tables.ts",
    "gate-tables.ts",
    "retention-tables.ts",
    "database.ts",
    "work.ts",
  ],
  ["outbox"],
  ["transcript"],
  ["definition"],
  ["sessions"],
  ["conversations"],
  ["notifications"],
  ["viewers"],
  ["runs"],
  ["wakes"],
  ["retention"],
  ["changes"],
  ["receivers"],
  [
    "assemble-core.ts",
    "assemble.ts",
    "concerns.ts",
    "opening.ts",
    "object-for-runs.ts",
    "object-for-work.ts",
    "routine-object.ts",
  ],
];
/** What is in one room may use what else is there; so may the lowest and the highest. */
const levelOf = (path: string) => LEVELS.findIndex((names) => names.includes(placeOf(path)));

const files = readdirSync(join(ROOT, OBJECT), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => `${OBJECT}/${file}`);

function placeOf(path: string): string {
  return path.slice(OBJECT.length + 1).split("/")[0] ?? "";
}

it("has a level for every room and file, and no other", () => {
  expect([...new Set(files.map(placeOf))].sort()).toEqual(LEVELS.flat().sort());
});

it("lets nothing import from above", () => {
  const arrows = files.flatMap((from) =>
    importsOf(from, readFileSync(join(ROOT, from), "utf8"))
      .filter(({ target }) => target.startsWith(`${OBJECT}/`))
      .map(({ target }) => ({ from, target })),
  );
  expect(arrows.length).toBeGreaterThan(100);
  expect(arrows.filter(({ from, target }) => levelOf(target) > levelOf(from))).toEqual([]);
});

it("lets every room be used by a room or file above it", () => {
  const used = files.flatMap((from) =>
    importsOf(from, readFileSync(join(ROOT, from), "utf8")).flatMap(({ target }) =>
      target.startsWith(`${OBJECT}/`) && placeOf(target) !== placeOf(from) ? [placeOf(target)] : [],
    ),
  );
  const rooms = LEVELS.slice(1, -1).flat();
  expect(rooms.filter((room) => !used.includes(room))).toEqual([]);
});
