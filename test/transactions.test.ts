/** Whatever a routine's object writes, it writes by an open transaction: a `Tx`, which the compiler asks for. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { withoutComments } from "./rules/support/imports.ts";

const ROOM = join(import.meta.dirname, "..", "durable-objects", "routine");
/** Opens the transactions. */
const WORK = "work.ts";
/** A statement that writes, as it begins. */
const WRITES = String.raw`(?:INSERT|UPDATE|DELETE|REPLACE)\b`;

const files = readdirSync(ROOM, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));

/** Where code writes by something else than a transaction. @param code without comments. */
function writesWithoutTx(code: string): string[] {
  const byDrizzle = [...code.matchAll(/([\w.#]*database)\s*\.(?:insert|update|delete)\(/gi)];
  const texts = [...code.matchAll(new RegExp(`const (\\w+)(?:: \\w+)? =\\s*["\`]${WRITES}`, "g"))].map(
    ([, name]) => name,
  );
  const isText = [`["\`]${WRITES}`, ...texts.map((name) => `${name}\\b`)].join("|");
  const bySql = [...code.matchAll(new RegExp(`([\\w.#]*)\\.exec(?:<[^(]*>)?\\(\\s*(?:${isText})`, "g"))];
  const wrong = [
    ...byDrizzle.filter(([, by]) => by !== "tx.database"),
    ...bySql.filter(([, by]) => by !== "tx.sql"),
  ].map(([found]) => found);
  // A text that writes goes nowhere else: who it is handed to is not seen here.
  const handedOn = texts.filter((name) => {
    const given = code.match(new RegExp(`[(,=[]\\s*${name}\\s*[,);\\]]`, "g"))?.length ?? 0;
    return given !== bySql.filter(([found]) => found.endsWith(name ?? "")).length;
  });
  return [...wrong, ...handedOn.map((name) => `${name} is handed on`)];
}

it.each([
  ["this.#database.insert(runs).values(row).run();", 1],
  ["this.#database\n      .delete(runs)\n      .run();", 1],
  ["tx.database\n      .update(runs)", 0],
  ["this.#known.delete(key); crypto.createHash('x').update(text);", 0],
  ['this.#sql.exec("DELETE FROM runs");', 1],
  ['tx.sql.exec("DELETE FROM runs"); this.#sql.exec<Row>("SELECT 1");', 0],
  ["sql.exec(KEEP, id);\nconst KEEP = `INSERT OR REPLACE INTO runs`;", 1],
  ["tx.sql.exec<Row>(KEEP, id);\nconst KEEP =\n  `REPLACE INTO runs`;", 0],
  ["this.#ids(KEEP);\nconst KEEP = `UPDATE runs`;", 1],
])("tells what writes without a transaction: %j", (code, count) => {
  expect(writesWithoutTx(code)).toHaveLength(count);
});

it("is so in every file", () => {
  const wrong = files.flatMap((file) => writesWithoutTx(codeOf(file)).map((found) => `${file}: ${found}`));
  expect(files.length).toBeGreaterThan(30);
  expect(wrong).toEqual([]);
});

it("is opened in one place, and comes from nowhere but a parameter", () => {
  const others = files.filter((file) => file !== WORK);
  expect(others.filter((file) => /\btransaction(Sync)?\(/.test(codeOf(file)))).toEqual([]);
  expect(others.filter((file) => /\b(?:const|let) tx\b|as Tx\b|\bTx\(/.test(codeOf(file)))).toEqual([]);
});

function codeOf(file: string): string {
  return withoutComments(readFileSync(join(ROOM, file), "utf8"));
}
