/** What goes to the instance and comes from it: for as long as it goes on, and no longer. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { askInstance } from "#sandbox-runner/link/instance-request.ts";
import { TransferPace } from "#sandbox-runner/link/transfer-pace.ts";
import { givenUp } from "#test/support/given-up.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("the pace", () => {
  it("lets through what goes on at 128 kbit/s, however long it takes", async () => {
    const pace = new TransferPace();
    for (let second = 0; second < 3_600; second += 1) {
      await pass(1_000);
      pace.passed(16_000);
    }
    expect(pace.signal.aborted).toBe(false);
    pace.end();
    await pass(1_000_000);
    expect(pace.signal.aborted).toBe(false);
  });

  it.each([
    ["after nothing", 0],
    ["after much that went fast", 1_000_000_000],
  ])("ends what stops %s, after two minutes", async (_title, bytes) => {
    const pace = new TransferPace();
    pace.passed(bytes);
    await pass(119_000);
    expect(pace.signal.aborted).toBe(false);
    await pass(1_000);
    expect(pace.signal.aborted).toBe(true);
  });

  it("ends what goes on by drops", async () => {
    const pace = new TransferPace();
    for (let second = 0; second < 130; second += 1) {
      await pass(1_000);
      pace.passed(100);
    }
    expect(pace.signal.aborted).toBe(true);
  });
});

describe("a file", () => {
  let server: Server;
  let folder: string;
  let handle: (request: IncomingMessage, response: ServerResponse) => void;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "reveille-upload-"));
    writeFileSync(join(folder, "file"), new Uint8Array(8_000_000));
    server = createServer((request, response) => handle(request, response));
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });

  function put(signal = new AbortController().signal) {
    const instanceUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const headers = { "content-length": "8000000" };
    return askInstance(
      { instanceUrl, linkToken: "t" },
      { method: "PUT", path: "/x", headers, signal, file: join(folder, "file") },
    );
  }

  it.each<[string, typeof handle]>([
    ["takes nothing of it", (request) => void request.pause()],
    ["takes all of it, and says nothing", (request) => void request.resume()],
  ])("is given up where the instance %s", async (_title, handler) => {
    handle = handler;
    expect(await givenUp(put())).toEqual(new Error("the instance takes or sends too slowly, or gives no answer"));
  });

  it("goes through where the instance takes it slowly", async () => {
    let atMs = 0;
    handle = async (request, response) => {
      for await (const piece of request) await pass((piece as Buffer).length / 20);
      atMs = performance.now();
      response.writeHead(204).end();
    };
    expect((await put()).status).toBe(204);
    expect(atMs).toBeGreaterThanOrEqual(390_000);
  });

  it("ends at once when nobody wants it any more", async () => {
    const stop = new AbortController();
    handle = (request) => {
      request.pause();
      stop.abort();
    };
    await expect(put(stop.signal)).rejects.toThrow("aborted");
  });
});

describe("what the instance sends", () => {
  let server: Server;
  let handle: (response: ServerResponse) => void;

  beforeAll(async () => {
    server = createServer((_request, response) => handle(response));
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  async function get(): Promise<number> {
    const instanceUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const signal = new AbortController().signal;
    const { body } = await askInstance({ instanceUrl, linkToken: "t" }, { method: "GET", path: "/x", signal });
    let bytes = 0;
    for await (const piece of body) {
      bytes += (piece as Buffer).length;
      // As long as it takes on a line of 160 kbit/s.
      await pass((piece as Buffer).length / 20);
    }
    return bytes;
  }

  it("comes through where it comes slowly, however long it takes", async () => {
    handle = (response) => void response.end(Buffer.alloc(8_000_000));
    expect(await get()).toBe(8_000_000);
    expect(performance.now()).toBeGreaterThanOrEqual(400_000);
  });

  it.each<[string, typeof handle]>([
    ["says nothing", () => {}],
    ["stops in the midst of it", (response) => void response.write("begun")],
  ])("is given up where it %s", async (_title, handler) => {
    handle = handler;
    expect(await givenUp(get())).toEqual(new Error("the instance takes or sends too slowly, or gives no answer"));
    expect(performance.now()).toBeLessThan(130_000);
  });
});
