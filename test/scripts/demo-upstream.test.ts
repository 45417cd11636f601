/** The demo upstream: a real git talks to it over HTTP. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "#scripts/child-process.ts";
import { gitEnvironment } from "#scripts/demo-upstream/git-environment.ts";
import { parseCgiHead, parseGitRequest } from "#scripts/demo-upstream/git-http-path.ts";
import { type GitServer, startGitServer } from "#scripts/demo-upstream/git-server.ts";
import { seedDemoRepository } from "#scripts/demo-upstream/seed-repository.ts";
import { until } from "./support/until.ts";

const CREDENTIAL = "demo:correct-password";
let folder: string;
let server: GitServer;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "rvl-upstream-"));
  expect(await seedDemoRepository(path.join(folder, "root"))).toMatchObject({ ok: true });
  server = await startGitServer({
    root: path.join(folder, "root"),
    credential: CREDENTIAL,
    port: 0,
    requestDeadlineMs: 8_000,
  });
});

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

function git(args: string[], credential = CREDENTIAL) {
  const authorization = `Authorization: Basic ${Buffer.from(credential).toString("base64")}`;
  const identity = {
    GIT_AUTHOR_NAME: "t",
    GIT_AUTHOR_EMAIL: "t@t",
    GIT_COMMITTER_NAME: "t",
    GIT_COMMITTER_EMAIL: "t@t",
  };
  const env = { ...gitEnvironment({ "http.extraHeader": authorization, "http.postBuffer": "65536" }), ...identity };
  return runCommand("git", args, { cwd: folder, env, deadlineMs: 20_000 });
}

function refsOf(name: string) {
  return git(["-C", name, "for-each-ref", "--format=%(refname) %(objectname)"]);
}

describe("the seed", () => {
  test("has a history with two releases and commits that no changelog tells", async () => {
    const repository = path.join(folder, "root", "changelog-demo.git");
    const log = await git(["-C", repository, "log", "--format=%s", "v0.2.0..main"]);
    expect(log).toEqual({
      ok: true,
      stdout:
        "feat(format): stop at the largest unit when asked to\ndocs: show days in the README\nfix(parse): ignore white space around the text\nfeat(parse): accept days\n",
    });
    expect(await git(["-C", repository, "tag"])).toEqual({ ok: true, stdout: "v0.1.0\nv0.2.0\n" });
  });

  test("is the same each time, and repeating it changes nothing", async () => {
    const before = await refsOf("root/changelog-demo.git");
    expect(await seedDemoRepository(path.join(folder, "root"))).toMatchObject({ ok: true });
    expect(await refsOf("root/changelog-demo.git")).toEqual(before);
    expect(await seedDemoRepository(path.join(folder, "other"))).toMatchObject({ ok: true });
    expect(await refsOf("other/changelog-demo.git")).toEqual(before);
    expect(readdirSync(path.join(folder, "other"))).toEqual(["changelog-demo.git"]);
  });

  test("a folder that is no repository is named", async () => {
    const broken = mkdtempSync(path.join(folder, "broken-"));
    writeFileSync(path.join(broken, "changelog-demo.git"), "");
    const seeded = await seedDemoRepository(broken);
    expect(seeded.ok ? "" : seeded.message).toContain("is no usable git repository");
  });
});

describe("over HTTP", () => {
  test("clones, shallow too, and takes a push of several megabytes", async () => {
    const url = `${server.url}/changelog-demo.git`;
    expect(await git(["clone", "--quiet", "--depth=1", url, "clone"])).toMatchObject({ ok: true });
    expect(readFileSync(path.join(folder, "clone", "CHANGELOG.md"), "utf8")).toContain("## 0.2.0");
    expect(await git(["-C", "clone", "fetch", "--quiet", "--unshallow", "--tags"])).toMatchObject({ ok: true });
    // Over the buffer's size, so that git sends it chunked.
    writeFileSync(path.join(folder, "clone", "noise"), crypto.getRandomValues(new Uint8Array(65_536)));
    for (let part = 0; part < 40; part += 1) {
      writeFileSync(path.join(folder, "clone", `noise-${part}`), crypto.getRandomValues(new Uint8Array(65_536)));
    }
    expect(await git(["-C", "clone", "checkout", "--quiet", "-b", "claude/noise"])).toMatchObject({ ok: true });
    expect(await git(["-C", "clone", "add", "--all"])).toMatchObject({ ok: true });
    expect(await git(["-C", "clone", "commit", "--quiet", "-m", "noise"])).toMatchObject({ ok: true });
    expect(await git(["-C", "clone", "push", "--quiet", "origin", "HEAD"])).toMatchObject({ ok: true });
    const [here, there] = await Promise.all([
      git(["-C", "clone", "rev-parse", "HEAD"]),
      git(["-C", "root/changelog-demo.git", "rev-parse", "claude/noise"]),
    ]);
    expect(there).toEqual(here);
  });

  test.each([
    ["a wrong password", "demo:wrong"],
    ["another user", "someone:correct-password"],
  ])("%s is refused", async (_what, credential) => {
    const listed = await git(["ls-remote", `${server.url}/changelog-demo.git`], credential);
    expect(listed.ok).toBe(false);
    const response = await fetch(`${server.url}/changelog-demo.git/info/refs?service=git-upload-pack`);
    expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, 'Basic realm="demo upstream"']);
  });

  test("a repository that is not there", async () => {
    expect((await git(["ls-remote", `${server.url}/nothing.git`])).ok).toBe(false);
  });

  test("a caller that goes away takes its git process along", async () => {
    const { port } = server;
    const socket = connect({ host: "127.0.0.1", port });
    const authorization = `Basic ${Buffer.from(CREDENTIAL).toString("base64")}`;
    socket.write(
      `POST /changelog-demo.git/git-receive-pack HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n` +
        "Content-Type: application/x-git-receive-pack-request\r\nContent-Length: 1000000\r\n\r\n0000",
    );
    await until("a git process", 5_000, () => backendsOf(folder).length > 0);
    socket.destroy();
    await until("its end", 5_000, () => backendsOf(folder).length === 0);
  });
});

/** Running git processes that serve a folder. */
function backendsOf(root: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").includes(`GIT_PROJECT_ROOT=${root}`);
    } catch {
      return false;
    }
  });
}

describe("which requests pass", () => {
  const good: [string, string, string][] = [
    ["GET", "/a-1.git/info/refs?service=git-upload-pack", "/a-1.git/info/refs"],
    ["GET", "/a-1.git/info/refs?service=git-receive-pack", "/a-1.git/info/refs"],
    ["POST", "/a-1.git/git-upload-pack", "/a-1.git/git-upload-pack"],
    ["POST", "/a-1.git/git-receive-pack?x=1", "/a-1.git/git-receive-pack"],
  ];
  test.each(good)("%s %s", (method, target, pathInfo) => {
    expect(parseGitRequest(method, target)).toMatchObject({ repository: "a-1", pathInfo });
  });

  const bad: [string, string, number][] = [
    ["GET", "/a.git/HEAD", 404],
    ["GET", "/a.git/objects/info/packs", 404],
    ["GET", "/a.git/info/refs", 404],
    ["GET", "/a.git/info/refs?service=git-upload-archive", 404],
    ["GET", "/../a.git/info/refs?service=git-upload-pack", 404],
    ["GET", "/b/../a.git/info/refs?service=git-upload-pack", 404],
    ["GET", "/%2e%2e/a.git/info/refs?service=git-upload-pack", 404],
    ["GET", "/a.git%00/info/refs?service=git-upload-pack", 404],
    ["GET", "//a.git/info/refs?service=git-upload-pack", 404],
    ["GET", "/.git/info/refs?service=git-upload-pack", 404],
    ["GET", "http://elsewhere/a.git/info/refs?service=git-upload-pack", 404],
    ["POST", "/a.git/info/refs?service=git-upload-pack", 405],
    ["GET", "/a.git/git-upload-pack", 405],
    ["DELETE", "/a.git/git-receive-pack", 405],
  ];
  test.each(bad)("not %s %s", (method, target, status) => {
    expect(parseGitRequest(method, target)).toBe(status);
  });

  test("a program's head is read as status and headers", () => {
    expect(parseCgiHead("Status: 404 Not Found\r\nContent-Type: text/plain\r\nnonsense")).toEqual({
      status: 404,
      headers: [["Content-Type", "text/plain"]],
    });
    expect(parseCgiHead("Expires: never").status).toBe(200);
  });
});
