/** What git itself shows of a proxy's refusal: its reason, in every version of git's protocol. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Refusal } from "#protocol/errors.ts";
import { startGitServer } from "#scripts/demo-upstream/git-server.ts";
import { refusalReport } from "#worker/proxy/git/refused-push.ts";
import { gitWords, toldToGit } from "#worker/proxy/git/told-refusal.ts";
import { git, seedUpstream } from "./support/upstream.ts";

const REASON = "a rule of this test forbids it";
const refusal: Refusal = { code: "proxy_refused", reason: REASON, hint: "Do something else." };
const CREDENTIAL = "user:password-of-the-tests";

let folder: string;
let upstream: Awaited<ReturnType<typeof startGitServer>>;
let server: Server;
let address: string;
/** The path that is refused; every other one goes to the upstream. */
let refused = "";
/** Whether the upstream knows side bands. */
let hasBands = true;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "reveille-refusals-"));
  seedUpstream(folder, "app", { "README.md": "# App\n" });
  upstream = await startGitServer({ root: folder, credential: CREDENTIAL, port: 0 });
  server = createServer(async (request, response) => {
    const path = request.url ?? "";
    if (refused !== "" && path.includes(refused)) return refuse(request, response);
    return passOn(request, response);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/app.git`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

async function bytesOf(request: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function refuse(request: IncomingMessage, response: ServerResponse): Promise<void> {
  await bytesOf(request);
  const { status, headers, body } = toldToGit(refusal, request.method === "POST" ? (request.url ?? "") : null);
  response.writeHead(status, headers);
  response.end(body);
}

async function passOn(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bytesOf(request);
  const headers = new Headers({ authorization: `Basic ${btoa(CREDENTIAL)}` });
  for (const name of ["content-type", "content-encoding", "git-protocol"]) {
    const value = request.headers[name];
    if (typeof value === "string") headers.set(name, value);
  }
  const method = request.method ?? "GET";
  const answer = await fetch(`${upstream.url}${request.url}`, {
    method,
    headers,
    ...(method === "GET" ? {} : { body }),
  });
  response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
  const told = Buffer.from(await answer.arrayBuffer()).toString("latin1");
  response.end(Buffer.from(hasBands ? told : told.replace("side-band-64k", "side-bent-64k"), "latin1"));
}

function run(args: string[], cwd: string): Promise<{ code: number; said: string }> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder, GIT_CONFIG_NOSYSTEM: "1", GIT_TERMINAL_PROMPT: "0" };
  return new Promise((resolve) => {
    execFile("git", args, { cwd, env }, (error, out, words) =>
      resolve({ code: error === null ? 0 : 1, said: out + words }),
    );
  });
}

describe.each([0, 1, 2])("git's protocol %i", (version) => {
  const configured = ["-c", `protocol.version=${version}`];

  it.each([
    ["asks for refs", "info/refs?service=git-upload-pack"],
    ["asks for objects", "/git-upload-pack"],
  ])("shows why a clone is refused where it %s", async (_where, path) => {
    refused = path;
    const { code, said } = await run([...configured, "clone", "--quiet", address, `clone-${version}`], folder);
    refused = "";
    expect(code).toBe(1);
    expect(said).toMatch(new RegExp(`(remote: |fatal: remote error: )${REASON}`));
    expect(said).toContain("Do something else");
  });

  it.each([
    ["asks for refs", "info/refs?service=git-receive-pack", true],
    ["sends it", "/git-receive-pack", true],
    ["sends it without side bands", "/git-receive-pack", false],
  ])("shows why a push is refused where it %s", async (_where, path, bands) => {
    const tree = join(folder, `tree-${version}-${path.length}-${bands}`);
    hasBands = bands;
    git("clone", "--quiet", "--template=", join(folder, "app.git"), tree);
    refused = path;
    const { code, said } = await run([...configured, "push", address, "HEAD:refs/heads/claude/x"], tree);
    refused = "";
    expect(code).toBe(1);
    expect(said).toContain(REASON);
  });
});

it("shows each ref of a refused push with the reason", async () => {
  const commands = [
    {
      previous: "0".repeat(40),
      commit: "1".repeat(40),
      ref: "refs/heads/a",
      bytes: new TextEncoder().encode("refs/heads/a"),
    },
  ];
  const report = new TextDecoder().decode(refusalReport(commands, [gitWords(refusal)], new Set(["report-status"])));
  expect(report).toContain(`ng refs/heads/a ${REASON}. Do something else\n`);
});
