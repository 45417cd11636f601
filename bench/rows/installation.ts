/** What `npm start` installs on a fresh clone, on disk. */
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import type { Row } from "../row.ts";
import { ROOT } from "../support/scratch.ts";

const BLOCK_BYTES = 512;
const MB = 1_000_000;

const lockSchema = z.object({ packages: z.record(z.string(), z.object({ dev: z.boolean().optional() })) });

export const installation: Row = {
  id: "installation",
  title: "packages on disk",
  baseline: "what npm test installs",
  measure: async () => {
    const list = path.join(ROOT, "node_modules", ".package-lock.json");
    const { packages } = lockSchema.parse(JSON.parse(readFileSync(list, "utf8")));
    const places = new Set(Object.keys(packages).map((place) => path.join(ROOT, place)));
    const seen = new Set<number>();
    // Those of a start first: a file that both have is theirs.
    const sizeOf = (isForTests: boolean) =>
      Object.entries(packages)
        .filter(([, { dev = false }]) => dev === isForTests)
        .reduce((sum, [place]) => sum + bytesOf(path.join(ROOT, place), places, seen), 0) / MB;
    const ours = sizeOf(false);
    return [
      {
        what: "installed for npm start",
        unit: "MB",
        ours,
        baseline: ours + sizeOf(true),
        goal: { bound: "at most", value: 1_100, of: "ours" },
      },
    ];
  },
};

/**
 * On disk, with what a package has put into its own folder.
 * @param places the packages, which are counted by themselves. @param seen files that have been: one with two names is there once.
 */
function bytesOf(place: string, places: ReadonlySet<string>, seen: Set<number>): number {
  const found = lstatSync(place);
  if (seen.has(found.ino)) return 0;
  seen.add(found.ino);
  const entries = found.isDirectory() ? readdirSync(place).map((name) => path.join(place, name)) : [];
  return entries
    .filter((entry) => !places.has(entry))
    .reduce((sum, entry) => sum + bytesOf(entry, places, seen), found.blocks * BLOCK_BYTES);
}
