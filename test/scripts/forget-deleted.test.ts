/** The files of a local instance's databases have nothing of what was deleted in them, once it has ended. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, it } from "vitest";
import { forgetDeleted } from "#scripts/instance/forget-deleted.ts";

const GO_ON = new AbortController().signal;
const CANARY = "canary-of-a-deleted-row";
const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function build() {
  const folder = mkdtempSync(path.join(tmpdir(), "rvl-forget-"));
  folders.push(folder);
  mkdirSync(path.join(folder, "do"));
  return { folder, file: path.join(folder, "do", "a.sqlite") };
}

/** As a worker that was killed leaves it: with its log beside it. */
function write(file: string): void {
  const database = new DatabaseSync(file);
  database.exec("PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS texts (text TEXT)");
  for (let row = 0; row < 200; row += 1) {
    const text = row % 10 === 0 ? `stays ${row}` : `${CANARY} ${"x".repeat(row)}`;
    database.prepare("INSERT INTO texts VALUES (?)").run(text);
  }
  database.prepare("DELETE FROM texts WHERE text LIKE 'canary%'").run();
  database.close();
}

function filesWith(folder: string, text: string): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .filter((entry) => readFileSync(path.join(entry.parentPath, entry.name)).includes(text))
    .map(({ name }) => name);
}

it("leaves what stays, and of what was deleted nothing, also in a database that has changed again", async () => {
  const { folder, file } = build();
  for (let times = 1; times <= 2; times += 1) {
    write(file);
    expect(filesWith(folder, CANARY)).toEqual(["a.sqlite"]);
    await forgetDeleted(folder, GO_ON);
    expect(filesWith(folder, CANARY)).toEqual([]);
    const database = new DatabaseSync(file);
    expect(database.prepare("SELECT count(*) AS count FROM texts").get()).toEqual({ count: 20 * times });
    database.close();
  }
});

it.each(["BEGIN IMMEDIATE", "BEGIN; SELECT count(*) FROM texts"])(
  "comes back to a database that could not be written anew, for somebody had it open: %s",
  async (open) => {
    const { folder, file } = build();
    write(file);
    const other = new DatabaseSync(file);
    other.exec(open);
    await forgetDeleted(folder, GO_ON);
    expect(filesWith(folder, CANARY)).toContain("a.sqlite");
    other.close();
    await forgetDeleted(folder, GO_ON);
    expect(filesWith(folder, CANARY)).toEqual([]);
  },
);

it("leaves all to the next time when it is told to", async () => {
  const { folder, file } = build();
  write(file);
  await forgetDeleted(folder, AbortSignal.abort());
  expect(filesWith(folder, CANARY)).toEqual(["a.sqlite"]);
  await forgetDeleted(folder, GO_ON);
  expect(filesWith(folder, CANARY)).toEqual([]);
});

it("goes on behind a file that is no database, and needs no folder", async () => {
  const { folder, file } = build();
  writeFileSync(path.join(folder, "broken.sqlite"), "no database");
  write(file);
  await forgetDeleted(folder, GO_ON);
  expect(filesWith(folder, CANARY)).toEqual([]);
  await expect(forgetDeleted(path.join(folder, "none"), GO_ON)).resolves.toBeUndefined();
});
