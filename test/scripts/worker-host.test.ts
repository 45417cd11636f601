/** What comes to a local instance is for the path that was asked for: no header names another, and nothing else answers there. */
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Program, runCommand } from "#scripts/child-process.ts";
import { buildWorker } from "#scripts/instance/build-worker.ts";
import { drawFreePort } from "#scripts/instance/ports.ts";
import { toolEnvironment } from "#scripts/instance/tool-environment.ts";
import { OWNER_TOKEN, serveWorker } from "./support/served-worker.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
/** As the development server puts it into requests to its own other side. */
const CONNECT_HOST = "miniflare-unsafe-internal-capnp-connect";

describe("a local instance", () => {
  let folder: string;
  let host: Program;
  let port: number;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "reveille-front-"));
    const built = await buildWorker(ROOT, path.join(folder, "built"), new AbortController().signal);
    if (!built.ok) throw new Error(built.message);
    port = await drawFreePort();
    host = await serveWorker(folder, built.value, port);
  }, 90_000);
  afterAll(async () => {
    await host.stop(2_000);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  const ask = (target: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}${target}`, { headers }).then(async (answer) => [
      answer.status,
      await answer.text(),
    ]);

  it.each([
    ["MF-Original-URL", "http://localhost/api/v1/routines"],
    ["mf-original-url", "http://localhost/healthz"],
    ["MF-Original-URL", "not an address"],
    ["MF-Op-Original-URL", "http://localhost/api/v1/routines"],
    ["MF-Route-Override", "web-app"],
    ["MF-Route-Override", "nobody"],
    ["MF-Proxy-Shared-Secret", "x"],
    ["MF-CF-Blob", '{"clientIp":"203.0.113.9"}'],
    ["MF-Custom-Fetch-Service", "outbound"],
    ["MF-Disable-Pretty-Error", "1"],
    ["X-Original-URL", "/api/v1/routines"],
    ["X-Rewrite-URL", "/healthz"],
    ["X-Forwarded-Proto", "https"],
    ["X-Forwarded-Host", "example.com"],
  ])("is asked for the same with %s: %s", async (name, value) => {
    const authorization = `Bearer ${OWNER_TOKEN}`;
    const [status, body] = await ask("/webhooks/nobody", { authorization, [name]: value });
    expect([status, JSON.parse(String(body)).error.type]).toEqual([404, "not_found_error"]);
    expect(await ask("/healthz", { [name]: value })).toEqual([200, expect.stringContaining('"ok":true')]);
  });

  it.each([
    "/cdn-cgi/local/platform-proxy",
    "/cdn-cgi/local/scheduled",
    "/cdn-cgi/local/email",
    "/cdn-cgi/local/explorer",
    "/cdn-cgi/local/r2/public/reveille-bodies/x",
    "/cdn-cgi/local/r2/s3/reveille-bodies",
    "/cdn-cgi/mf/scheduled",
    "/__cf_local/stream/x",
  ])("has nothing of the development server's at %s", async (target) => {
    const [status, body] = await ask(target, { "MF-Op": "GET", "MF-Op-Target": "1" });
    expect([status, JSON.parse(String(body)).error.type]).toEqual([404, "not_found_error"]);
  });

  it("has its lists made again by one command, which says what it did, or what it lacks", async () => {
    const rebuild = (token: string) =>
      runCommand(process.execPath, ["scripts/rebuild-index.ts", "--url", `http://127.0.0.1:${port}/`], {
        cwd: ROOT,
        env: { ...toolEnvironment(), OWNER_TOKEN: token },
        deadlineMs: 30_000,
      });
    expect(await rebuild(OWNER_TOKEN)).toMatchObject({
      ok: true,
      stdout: expect.stringMatching(/^Entries written: 0\./),
    });
    expect(await rebuild("another")).toMatchObject({ ok: false, message: expect.stringContaining("failed (401)") });
    expect(await rebuild("")).toMatchObject({ ok: false, message: expect.stringContaining("Set OWNER_TOKEN") });
  });

  it("can be called by nothing but requests", async () => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.end(`CONNECT ${CONNECT_HOST}:80 HTTP/1.1\r\nHost: ${CONNECT_HOST}\r\n\r\n`);
    expect(await text(socket)).not.toMatch(/^HTTP\/1.1 2/);
  });
});
