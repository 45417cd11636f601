/**
 * What is deleted is in no file of a local instance once that has ended. Each thing has a word of its own that nothing else
 * has, and each is seen to be in the files before. Run it by `node --test test/scripts/deleted.e2e.ts`. Linux only.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { z } from "zod";
import { cleanUp, printedCurl, type StartedInstance, startProcess } from "./support/started-instance.ts";
import { until } from "./support/until.ts";

const DEADLINE_MS = 60_000;
const idSchema = z.object({ id: z.string() });
const runSchema = z.object({ status: z.string() });

const folders: string[] = [];
after(() => {
  for (const folder of folders) cleanUp(folder);
});

/** Letters alone, so that it is written the same way in JSON, in a URL and in a name. */
function makeWord(): string {
  return Array.from(randomBytes(24), (byte) => String.fromCharCode(97 + (byte % 26))).join("");
}

/** @returns the files below a folder that hold a word, plainly or compressed. */
function holding(folder: string, word: string): string[] {
  return (
    filesBelow(folder)
      // Built of the sources, with a link to all packages.
      .filter((file) => !path.relative(folder, file).startsWith(`executor${path.sep}`))
      .filter((file) => {
        const bytes = readIfThere(file);
        const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
        return bytes.includes(word) || (isGzip && gunzipSync(bytes).includes(word));
      })
  );
}

/** @returns what stands in the rows of all databases below a folder, whatever their freed pages hold. */
function rowsBelow(folder: string): string[] {
  return filesBelow(folder)
    .filter((name) => name.endsWith(".sqlite"))
    .flatMap(rowsOf);
}

function rowsOf(file: string): string[] {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 1_000 });
  try {
    const tables = z
      .array(z.object({ name: z.string() }))
      .parse(database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all());
    return tables.flatMap(({ name }) => {
      const statement = database.prepare(`SELECT * FROM "${name}"`);
      statement.setReadBigInts(true);
      const rows = statement.all();
      return rows.flatMap((row) => Object.values(row).map((value) => textOf(value)));
    });
  } finally {
    database.close();
  }
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : String(value);
}

/** An instance that is on makes folders and files, and takes them away meanwhile. */
function filesBelow(folder: string): string[] {
  const entries = ifThere(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  return entries.flatMap((entry) => {
    const place = path.join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(place);
    return entry.isFile() ? [place] : [];
  });
}

function readIfThere(file: string): Buffer {
  return ifThere(() => readFileSync(file)) ?? Buffer.alloc(0);
}

function ifThere<Value>(read: () => Value): Value | null {
  try {
    return read();
  } catch {
    return null;
  }
}

async function asker(instance: StartedInstance) {
  const { owner_token: token } = z
    .object({ owner_token: z.string() })
    .parse(JSON.parse(readFileSync(path.join(instance.state, "local.json"), "utf8")));
  return async (method: string, where: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${instance.port}${where}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${where}: ${response.status} ${text}`);
    return text === "" ? null : JSON.parse(text);
  };
}

test("what is deleted is in no file once the instance has ended", async () => {
  const instance = await startProcess();
  folders.push(instance.state);
  await printedCurl(instance);
  const ask = await asker(instance);
  const words = {
    prompt: makeWord(),
    tag: makeWord(),
    note: makeWord(),
    text: makeWord(),
    revision: makeWord(),
    session: makeWord(),
    connector: makeWord(),
  };
  const make = async (input: Record<string, unknown>) =>
    idSchema.parse(await ask("POST", "/api/v1/routines", { name: "Kept", prompt: "Look.", ...input })).id;
  const runOf = async (routine: string, text: string) => {
    const run = z
      .object({ run_id: z.string(), session_id: z.string() })
      .parse(await ask("POST", `/api/v1/routines/${routine}/run`, { text }));
    await until("the run's end", DEADLINE_MS, async () => {
      const { status } = runSchema.parse(await ask("GET", `/api/v1/runs/${run.run_id}`));
      return !["queued", "starting", "running"].includes(status);
    });
    return run;
  };

  const kept = await make({});
  const gone = await make({ prompt: words.revision, tags: { team: words.tag } });
  await ask("PATCH", `/api/v1/routines/${gone}`, { prompt: words.prompt });
  await ask("PUT", `/api/v1/routines/${gone}/notes/where-it-stands`, { text: words.note });
  await runOf(gone, words.text);
  const { session_id: session } = await runOf(kept, words.session);
  await ask("POST", "/api/v1/connectors", { name: words.connector, url: "https://mcp.reveille.invalid/mcp" });
  for (const [what, word] of Object.entries(words)) {
    assert.notDeepEqual(holding(instance.state, word), [], `${what} is in no file before it is deleted`);
  }

  await ask("DELETE", `/api/v1/routines/${gone}`);
  await ask("DELETE", `/api/v1/sessions/${session}`);
  await ask("DELETE", `/api/v1/connectors/${words.connector}`);
  // What is owed to D1 and R2 follows by itself.
  const bucket = path.join(instance.state, "storage", "v3", "r2");
  const storage = path.join(instance.state, "storage");
  await until("R2 and all databases to have nothing of it", DEADLINE_MS, () => {
    const rows = rowsBelow(storage);
    return Object.values(words).every(
      (word) => holding(bucket, word).length === 0 && !rows.some((row) => row.includes(word)),
    );
  });
  instance.child.kill("SIGINT");
  assert.equal(await instance.exited, 0, instance.output());
  for (const [what, word] of Object.entries(words)) assert.deepEqual(holding(instance.state, word), [], what);
});
