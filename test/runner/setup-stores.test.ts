/** Both places for results of setup scripts: by the suite of all, and what each has of its own. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, describe, expect, it } from "vitest";
import { SETUP_HEADERS, setupPath } from "#protocol/setup-archive.ts";
import { FolderStore } from "#sandbox-runner/setup/folder-store.ts";
import { InstanceStore } from "#sandbox-runner/setup/instance-store.ts";
import { setupStoreSuite } from "../contracts/setup-store.ts";

const { signal } = new AbortController();
const hash = (text: string) => createHash("sha256").update(text).digest("hex");
const closings: (() => void)[] = [];
afterAll(() => closings.map((close) => close()));

setupStoreSuite("a folder for results of setup scripts", async (folder) => {
  let nowMs = Date.now();
  const store = new FolderStore({ stateFolder: mkdtempSync(join(folder, "state-")), now: () => nowMs });
  return { store, pass: (ms) => (nowMs += ms) };
});

setupStoreSuite("an instance for results of setup scripts", async () => {
  const kept = new Map<string, { body: Buffer; headers: Record<string, string> }>();
  let agoMs = 0;
  const url = await served(async (request, response) => {
    const place = `${request.url} ${request.headers.authorization}`;
    if (request.method === "PUT") {
      const body = await buffer(request);
      const sha256 = String(request.headers[SETUP_HEADERS.sha256]);
      kept.set(place, {
        body,
        headers: { [SETUP_HEADERS.sha256]: sha256, [SETUP_HEADERS.keptAt]: String(Date.now()) },
      });
      agoMs = 0;
      response.writeHead(204).end();
      return;
    }
    const found = kept.get(place);
    if (found === undefined) return void response.writeHead(404).end("{}");
    const keptAt = String(Number(found.headers[SETUP_HEADERS.keptAt]) - agoMs);
    response.writeHead(200, {
      ...found.headers,
      [SETUP_HEADERS.keptAt]: keptAt,
      [SETUP_HEADERS.bytes]: found.body.length,
    });
    response.end(found.body);
  });
  return { store: storeAt(url), pass: (ms) => (agoMs += ms) };
});

async function served(answer: (request: IncomingMessage, response: ServerResponse) => unknown): Promise<string> {
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  closings.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function storeAt(instanceUrl: string): InstanceStore {
  return new InstanceStore({ instanceUrl, runId: "run_1", linkToken: "link-token" });
}

describe("a folder", () => {
  function bed(roomBytes: number) {
    const stateFolder = mkdtempSync(join(tmpdir(), "reveille-setups-"));
    closings.push(() => rmSync(stateFolder, { recursive: true, force: true }));
    let nowMs = Date.now();
    const store = new FolderStore({ stateFolder, roomBytes, now: () => nowMs });
    const keep = async (name: string, bytes: number) => {
      nowMs += 1_000;
      const file = join(stateFolder, "file");
      writeFileSync(file, Buffer.alloc(bytes));
      await store.keep(hash(name), { file, bytes, sha256: name });
    };
    const has = async (name: string) => {
      nowMs += 1_000;
      const kept = await store.find(hash(name));
      kept?.content.destroy();
      return kept !== null;
    };
    return { stateFolder, setups: join(stateFolder, "setups"), keep, has, pass: (ms: number) => (nowMs += ms) };
  }

  it("lets go of what was not used for the longest time, when there is no more room", async () => {
    const { keep, has, setups } = bed(1_000);
    await keep("a", 400);
    await keep("b", 400);
    expect(await has("a")).toBe(true);
    await keep("c", 400);
    expect([await has("a"), await has("b"), await has("c")]).toEqual([true, false, true]);
    await keep("all of the room", 1_000);
    expect(readdirSync(setups)).toEqual([hash("all of the room")]);
    await keep("too much", 1_001);
    expect(readdirSync(setups)).toEqual([]);
  });

  it("lets go of what is too old, damaged, or left from a runner that has died", async () => {
    const { keep, has, setups, pass } = bed(1_000_000);
    await keep("old", 1);
    pass(8 * 24 * 3_600_000);
    for (const name of ["draft-left", "draft-new", hash("no-about"), hash("other-about")])
      mkdirSync(join(setups, name));
    writeFileSync(join(setups, hash("other-about"), "about.json"), '{"bytes":"many"}');
    utimesSync(
      join(setups, "draft-new"),
      new Date(Date.now() + 9 * 24 * 3_600_000),
      new Date(Date.now() + 9 * 24 * 3_600_000),
    );
    expect([await has("no-about"), await has("other-about")]).toEqual([false, false]);
    await keep("new", 1);
    expect(readdirSync(setups).sort()).toEqual([hash("new"), "draft-new"].sort());
  });

  it("has nothing where a file is missing", async () => {
    const { keep, has, setups } = bed(1_000_000);
    await keep("a", 1);
    rmSync(join(setups, hash("a"), "archive"));
    expect(await has("a")).toBe(false);
    expect(existsSync(join(setups, hash("a")))).toBe(true);
  });
});

describe("an instance", () => {
  it.each([
    ["refuses", (_: IncomingMessage, response: ServerResponse) => response.writeHead(401).end(), /answered 401/],
    [
      "has a fault",
      (_: IncomingMessage, response: ServerResponse) => response.writeHead(503).end("{}"),
      /answered 503/,
    ],
    [
      "refuses before all is sent",
      (_: IncomingMessage, response: ServerResponse) => response.writeHead(413, { connection: "close" }).end(),
      /answered 413|EPIPE|ECONNRESET|closed/,
    ],
    ["breaks off", (request: IncomingMessage) => request.socket.destroy(), /socket hang up|ECONNRESET|EPIPE|closed/],
  ])("that %s is told of, and the run goes on", async (_what, answer, words) => {
    const store = storeAt(await served(answer));
    const file = join(mkdtempSync(join(tmpdir(), "reveille-setups-")), "file");
    closings.push(() => rmSync(join(file, ".."), { recursive: true, force: true }));
    writeFileSync(file, Buffer.alloc(5_000_000));
    await expect(store.keep(hash("a"), { file, bytes: 5_000_000, sha256: "" }, signal)).rejects.toThrow(words);
    await expect(store.find(hash("a"), signal)).rejects.toThrow();
  });

  it("asks for its run's own path, with the token that the runner alone has", async () => {
    let asked: unknown = null;
    const url = await served(({ method, url, headers }, response) => {
      asked = [method, url, headers.authorization];
      response.writeHead(404).end();
    });
    expect(await storeAt(url).find(hash("a"), signal)).toBeNull();
    expect(asked).toEqual(["GET", setupPath("run_1", hash("a")), "Bearer link-token"]);
  });
});
