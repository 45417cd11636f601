/** The demo upstream tells of what it takes as GitHub does: real git pushes, real signed requests. */
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { runCommand } from "#scripts/child-process.ts";
import { DEMO_REPOSITORY } from "#scripts/demo-upstream/demo-history.ts";
import { gitEnvironment } from "#scripts/demo-upstream/git-environment.ts";
import { type DemoUpstream, startDemoUpstream } from "#scripts/instance/demo-upstream.ts";
import { readGithub } from "#worker/inbound/sources/github/read-event.ts";
import { until } from "./support/until.ts";

const SECRET = "a-secret-of-the-webhook-test";
const CREDENTIAL = "demo:password";
const NONE = "0".repeat(40);

let folder: string;
let receiver: Server;
let upstream: DemoUpstream;
let received: { headers: Record<string, unknown>; body: string }[] = [];
let answers: number[] = [];
const said: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "rvl-webhooks-"));
  receiver = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    received.push({ headers: request.headers, body });
    response.writeHead(answers.shift() ?? 202).end("{}");
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const { port } = receiver.address() as AddressInfo;
  const started = await startDemoUpstream({
    stateFolder: folder,
    credential: CREDENTIAL,
    webhook: { url: `http://127.0.0.1:${port}/webhooks/github`, secret: SECRET },
    say: (line) => said.push(line),
    signal: new AbortController().signal,
  });
  if (!started.ok) throw new Error(started.message);
  upstream = started.value;
  await git(["clone", "--quiet", upstream.repository.url, "clone"], folder);
});

afterAll(async () => {
  await upstream.close();
  receiver.close();
  rmSync(folder, { recursive: true });
});

beforeEach(() => {
  received = [];
  answers = [];
});

async function git(args: string[], cwd = path.join(folder, "clone")): Promise<string> {
  const authorization = `Authorization: Basic ${Buffer.from(CREDENTIAL).toString("base64")}`;
  const identity = ["AUTHOR", "COMMITTER"].flatMap((who) => [
    [`GIT_${who}_NAME`, "Tia"],
    [`GIT_${who}_EMAIL`, "tia@example.com"],
  ]);
  const env = { ...gitEnvironment({ "http.extraHeader": authorization }), ...Object.fromEntries(identity) };
  const outcome = await runCommand("git", args, { cwd, env, deadlineMs: 20_000 });
  if (!outcome.ok) throw new Error(outcome.message);
  return outcome.stdout.trim();
}

async function commit(file: string, message: string): Promise<string> {
  writeFileSync(path.join(folder, "clone", file), message);
  await git(["add", "--all"]);
  await git(["commit", "--quiet", "-m", message]);
  return await git(["rev-parse", "HEAD"]);
}

async function deliveries(count: number) {
  await until(`${count} deliveries`, 10_000, () => received.length >= count);
  return received.map(({ body }) => JSON.parse(body));
}

test("a new branch, more of it, and its end, each signed and told once", async () => {
  const main = await git(["rev-parse", "HEAD"]);
  await git(["checkout", "--quiet", "-b", "claude/one"]);
  const first = await commit("a.txt", "feat: one\n\nWith words.");
  await git(["push", "--quiet", "origin", "HEAD"]);
  await deliveries(1);
  const second = await commit("b.txt", "fix: two");
  await git(["push", "--quiet", "origin", "HEAD"]);
  await deliveries(2);
  await git(["push", "--quiet", "origin", "--delete", "claude/one"]);
  const [created, updated, deleted, ...more] = await deliveries(3);
  expect(more).toEqual([]);
  const ref = "refs/heads/claude/one";
  expect(created).toMatchObject({ ref, before: NONE, after: first, created: true, deleted: false, forced: false });
  expect(created.commits).toMatchObject([
    { id: first, message: "feat: one\n\nWith words.", author: { name: "Tia" }, added: ["a.txt"], modified: [] },
  ]);
  expect(updated).toMatchObject({ ref, before: first, after: second, created: false, commits: [{ id: second }] });
  expect(deleted).toMatchObject({ ref, before: second, after: NONE, deleted: true, commits: [], head_commit: null });
  expect(created.repository).toMatchObject({ full_name: DEMO_REPOSITORY, clone_url: upstream.repository.url });
  for (const { headers, body } of received) {
    const signature = createHmac("sha256", SECRET).update(body).digest("hex");
    expect(headers).toMatchObject({ "x-github-event": "push", "x-hub-signature-256": `sha256=${signature}` });
    expect(readGithub("push", "1", JSON.parse(body))).toMatchObject({ kind: "event", github: { is_stranger: false } });
  }
  expect(new Set(received.map(({ headers }) => headers["x-github-delivery"])).size).toBe(3);
  await git(["checkout", "--quiet", main]);
});

test("a forced push says so, and a push that changes nothing is not told", async () => {
  await git(["checkout", "--quiet", "-b", "claude/two"]);
  await commit("c.txt", "one");
  await git(["push", "--quiet", "origin", "HEAD"]);
  await git(["push", "--quiet", "origin", "HEAD"]);
  await git(["commit", "--quiet", "--amend", "-m", "another"]);
  await git(["push", "--quiet", "--force", "origin", "HEAD"]);
  const told = await deliveries(2);
  expect(told.map(({ forced }) => forced)).toEqual([false, true]);
});

test("an instance that is away is told again under the same id; one that refuses is not, and that is said", async () => {
  answers = [503, 202, 401];
  await git(["checkout", "--quiet", "-b", "claude/three"]);
  await commit("d.txt", "one");
  await git(["push", "--quiet", "origin", "HEAD"]);
  await deliveries(2);
  expect(received[0]?.headers["x-github-delivery"]).toBe(received[1]?.headers["x-github-delivery"]);
  await commit("e.txt", "two");
  await git(["push", "--quiet", "origin", "HEAD"]);
  await until("the complaint", 10_000, () => said.length > 0);
  expect(said).toEqual(["The demo upstream's webhook was not taken in: 401 {}"]);
  expect(received).toHaveLength(3);
});
