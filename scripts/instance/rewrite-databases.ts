/**
 * A program: writes the databases below a folder anew, so that nothing of what was deleted in them is left in their files. SQLite
 * gives the room of deleted rows to later ones, and leaves what stood there until then; the worker may not have it otherwise.
 * Its argument is the folder. Nobody else may have the databases open.
 */
import { readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";

const DATABASE = ".sqlite";
/**
 * Its time is when all databases were written anew: those that have not changed since are left as they are. One that could not be
 * written, for instance because the disk was full, is given a later time, so that the next pass comes back to it.
 */
const MARK = "databases-rewritten";

const [folder = ""] = process.argv.slice(2);
const mark = path.join(folder, MARK);
const before = changedAtMs(mark);
// Those that a pass which was cut off has written have changed last, and so come last.
const changed = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(DATABASE))
  .map((entry) => path.join(entry.parentPath, entry.name))
  .map((file) => ({ file, at: Math.max(changedAtMs(file), changedAtMs(`${file}-wal`)) }))
  .filter(({ at }) => at > before)
  .toSorted((one, other) => one.at - other.at);
const left = changed.filter(({ file }) => !rewrite(file));
writeFileSync(mark, "", { mode: 0o600 });
const afterwards = new Date(changedAtMs(mark) + 1_000);
for (const { file } of left) utimesSync(file, afterwards, afterwards);

function changedAtMs(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** One that can't be opened or written is left to whoever uses it, and says so then. @returns whether it was written anew. */
function rewrite(file: string): boolean {
  try {
    using database = new DatabaseSync(file);
    database.exec("PRAGMA secure_delete = ON; VACUUM");
    // While somebody reads in it, what is new stays beside it.
    return database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"] === 0;
  } catch {
    return false;
  }
}
