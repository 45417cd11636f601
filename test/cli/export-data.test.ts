/** `reveille export-data`: follows answers to the end, and leaves no half of a file as a whole one. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { main } from "#cli/main.ts";

const TOKEN = "owner-token-of-the-export-test-00001";
const RUN = `{"type":"run","run":{"summary":"\\u001b[2J é"}}`;

let folder: string;
let server: Server;
/** What was asked for, and how each is answered. */
let asked: string[];
let answer: (path: string, response: ServerResponse) => void;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "reveille-export-"));
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    if (request.headers.authorization !== `Bearer ${TOKEN}`) response.writeHead(401).end("{}");
    else answer(request.url ?? "", response);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  asked = [];
  answer = (path, response) => {
    const next = path.includes("cursor=") ? "null" : '"rtn_1.runs.run_1"';
    response.writeHead(200).end(`${RUN}\n{"type":"end","next_cursor":${next}}\n`);
  };
});

async function reveille(words: string[], token = TOKEN) {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = { out: (text: string) => void out.push(text), say: (text: string) => void err.push(text) };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const code = await main(["export-data", "--url", url, ...words], terminal, { HOME: folder, OWNER_TOKEN: token });
  return { code, out, err: err.join("\n") };
}

it.each([
  [[], "/api/v1/export"],
  [["--json"], "/api/v1/export"],
  [["--routine", "rtn_1"], "/api/v1/routines/rtn_1/export"],
  [["--sign-in", "sgn_1"], "/api/v1/export"],
])("follows %j to its end", async (words, path) => {
  const { code, out, err } = await reveille(words);
  expect({ code, out, err }).toEqual({ code: 0, out: [RUN, RUN], err: "2 lines. Values of secrets are in none." });
  const signIn = words[0] === "--sign-in" ? "sign_in=sgn_1" : "";
  expect(asked.map((address) => address.split("?")[0])).toEqual([path, path]);
  expect(asked[0]?.split("?")[1] ?? "").toBe(signIn);
  expect(asked[1]).toContain("cursor=rtn_1.runs.run_1");
});

it("writes a file that is there once it is whole", async () => {
  const file = join(folder, "all.jsonl");
  expect((await reveille(["--out", file])).code).toBe(0);
  expect(readFileSync(file, "utf8")).toBe(`${RUN}\n${RUN}\n`);
  const broken = join(folder, "broken.jsonl");
  answer = (_path, response) => void response.writeHead(200).end(`${RUN}\n`);
  const { code, err } = await reveille(["--out", broken]);
  expect([code, err]).toEqual([1, "The export broke off: its last line is missing."]);
  expect([broken, `${broken}.part`].filter((path) => existsSync(path))).toEqual([]);
});

describe("a file that can't be written", () => {
  const long = "x".repeat(300);
  beforeAll(() => {
    writeFileSync(join(folder, "file"), "");
    mkdirSync(join(folder, "a-folder", "inside"), { recursive: true });
    symlinkSync("/dev/full", join(folder, "full.part"));
  });

  it.each([
    ["in a folder that is not there", "none/all.jsonl", /its folder is not there: make it/],
    ["below a file", "file/all.jsonl", /is a file/],
    ["that is a folder", "a-folder", /is a folder/],
    ["on a full disk", "full", /the disk is full: make room/],
    ["with a name that is too long", long, /the name is too long/],
  ])("%s is told with its name and what to do", async (_title, name, remedy) => {
    const file = join(folder, name);
    const { code, err } = await reveille(["--out", file]);
    expect([code, err]).toEqual([1, expect.stringContaining(`${file} can't be written (`)]);
    expect(err).toMatch(remedy);
    expect(existsSync(`${file}.part`)).toBe(false);
  });
});

it("says in one line that it does not reach the instance", async () => {
  const gone = createServer();
  await new Promise<void>((ready) => gone.listen(0, "127.0.0.1", ready));
  const { port } = gone.address() as AddressInfo;
  await new Promise((closed) => gone.close(closed));
  // The later of two options counts.
  const { code, err } = await reveille(["--url", `http://127.0.0.1:${port}`]);
  expect([code, err]).toEqual([1, `Error: connect ECONNREFUSED 127.0.0.1:${port}`]);
});

it("says what the instance could not read, and has the rest", async () => {
  const unread = (session: string | null) =>
    JSON.stringify({ type: "unread", routine_id: "rtn_2", session_id: session, why: "It did not answer." });
  answer = (_path, response) =>
    void response
      .writeHead(200)
      .end(`${unread(null)}\n${unread("session_1")}\n${RUN}\n{"type":"end","next_cursor":null}\n`);
  const { code, out, err } = await reveille([]);
  expect([code, out]).toEqual([1, [unread(null), unread("session_1"), RUN]]);
  expect(err).toContain("Not in it, or not whole: rtn_2. It did not answer. Try again: --routine rtn_2");
  expect(err).toContain("session_1 of rtn_2");
});

it.each([
  ["another token", [], "x".repeat(32), 3, /answers 401/],
  ["a routine that is not there", ["--routine", "rtn_2"], TOKEN, 4, /answers 404/],
  ["two things at once", ["--routine", "rtn_2", "--sign-in", "sgn_1"], TOKEN, 2, /give one of them/],
  ["no token", [], "", 2, /OWNER_TOKEN/],
])("refuses %s", async (_what, words, token, code, said) => {
  answer = (_path, response) => void response.writeHead(404).end('{"type":"error"}');
  const ended = await reveille(words, token);
  expect([ended.code, ended.out]).toEqual([code, []]);
  expect(ended.err).toMatch(said);
});
