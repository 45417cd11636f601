/** What looks for secrets in the files of an instance finds them, whatever file they are in. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { deflateSync, gzipSync } from "node:zlib";
import { afterAll, expect, it } from "vitest";
import { filesWithSecrets } from "./support/files-with-secrets.ts";

const SECRET = "planted-in-the-files-1234";
const folder = mkdtempSync(path.join(tmpdir(), "files-with-secrets-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("finds them as they are, encoded, in a log, in a database, in a folder of a folder, and not where they may be", () => {
  const write = (name: string, text: string | Buffer) => writeFileSync(path.join(folder, name), text);
  mkdirSync(path.join(folder, "cache/run"), { recursive: true });
  write("secrets.json", SECRET);
  write("clean", "planted-in-the-files-123 and much else");
  write("worker.log", `{"text":"a ${SECRET}"}\n`);
  write("cache/run/environment", `A=B\0TOKEN=${Buffer.from(`user:${SECRET}`).toString("base64")}\0`);
  write("cache/binary", Buffer.concat([Buffer.from([0, 255, 254]), Buffer.from(SECRET), Buffer.from([0])]));
  write("cache/archive", gzipSync(`a file ${SECRET}`));
  write("object", deflateSync(`blob 9\0${SECRET}`));
  write(
    "pack",
    Buffer.concat([Buffer.from("PACK x\x9c"), deflateSync("clean"), deflateSync(`a ${SECRET}`), Buffer.from("end")]),
  );
  write("drawn.log", `rvf_${"0123456789abcdef".repeat(4)}`);
  const database = new DatabaseSync(path.join(folder, "d1.sqlite"));
  database.exec("CREATE TABLE t (x)");
  database.prepare("INSERT INTO t VALUES (?)").run(JSON.stringify({ value: SECRET }));
  database.close();
  expect(filesWithSecrets(folder, [SECRET], ["secrets.json"])).toEqual([
    "cache/archive",
    "cache/binary",
    "cache/run/environment",
    "d1.sqlite",
    "drawn.log",
    "object",
    "pack",
    "worker.log",
  ]);
});
