/** The local D1 is brought up to date by the names of its migrations; one that fails is named, and changes nothing. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, expect, it } from "vitest";
import { isMigrated, migrateD1 } from "#scripts/instance/migrate-d1.ts";

const folder = mkdtempSync(path.join(tmpdir(), "reveille-migrate-"));
const worker = new Miniflare(
  convertV4MiniflareOptions({
    modules: true,
    script: "export default {}",
    compatibilityDate: "2026-01-01",
    d1Databases: ["DB"],
  }),
);

afterAll(async () => {
  await worker.dispose();
  rmSync(folder, { recursive: true });
});

function write(name: string, ...statements: string[]): void {
  writeFileSync(path.join(folder, name), statements.join("\n--> statement-breakpoint\n"));
}

it("applies each once, also one that was merged late, and undoes one that fails", async () => {
  const database = await worker.getD1Database("DB");
  const names = async (of: string) => {
    const { results } = await database.prepare(`SELECT name FROM ${of}`).all<{ name: string }>();
    return results
      .map(({ name }) => name)
      .filter((name) => !name.startsWith("sqlite_") && !name.startsWith("_cf"))
      .sort();
  };
  write("0000_one.sql", "CREATE TABLE one (id text)");
  write("0002_three.sql", "CREATE TABLE three (id text);");
  await migrateD1(database, folder);
  write("0001_two.sql", "CREATE TABLE two (id text)", "INSERT INTO two VALUES ('kept')");
  await migrateD1(database, folder);
  await migrateD1(database, folder);
  expect(await names("d1_migrations")).toEqual(["0000_one.sql", "0001_two.sql", "0002_three.sql"]);
  expect(await database.prepare("SELECT id FROM two").all()).toMatchObject({ results: [{ id: "kept" }] });

  write("0003_four.sql", "CREATE TABLE four (id text)", "CREATE TABLE three (id text)");
  await expect(migrateD1(database, folder)).rejects.toThrow(/0003_four\.sql.*table three already exists/s);
  expect(await names("sqlite_master WHERE type = 'table'")).not.toContain("four");
  write("0003_four.sql", "CREATE TABLE four (id text)");
  await migrateD1(database, folder);
  expect(await names("d1_migrations")).toContain("0003_four.sql");
});

it("is known from the file of D1 to be done, once it is and until another comes; whatever is wrong there, it is not known", async () => {
  const [storage, migrations] = [path.join(folder, "storage"), path.join(folder, "of-file")];
  mkdirSync(migrations);
  writeFileSync(path.join(migrations, "0000_one.sql"), "CREATE TABLE one (id text)");
  expect(isMigrated(storage, migrations)).toBe(false);
  const stored = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: "export default {}",
      compatibilityDate: "2026-01-01",
      d1Databases: ["DB"],
      resourcePersistencePath: storage,
    }),
  );
  try {
    await migrateD1(await stored.getD1Database("DB"), migrations);
  } finally {
    await stored.dispose();
  }
  expect(isMigrated(storage, migrations)).toBe(true);

  writeFileSync(path.join(migrations, "0001_two.sql"), "CREATE TABLE two (id text)");
  expect(isMigrated(storage, migrations)).toBe(false);
  rmSync(path.join(migrations, "0001_two.sql"));
  expect(isMigrated(storage, migrations)).toBe(true);

  const databases = path.join(storage, "d1", "miniflare-D1DatabaseObject");
  const [name = ""] = readdirSync(databases).filter((each) => /^[0-9a-f]+\.sqlite$/.test(each));
  copyFileSync(path.join(databases, name), path.join(databases, "another.sqlite"));
  expect(isMigrated(storage, migrations)).toBe(false);
  rmSync(path.join(databases, "another.sqlite"));
  expect(isMigrated(storage, migrations)).toBe(true);
  for (const beside of ["-wal", "-shm"]) rmSync(path.join(databases, `${name}${beside}`), { force: true });
  writeFileSync(path.join(databases, name), "no database");
  expect(isMigrated(storage, migrations)).toBe(false);
});
