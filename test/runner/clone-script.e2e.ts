/** Cloning what a repository may look like before anyone has worked in it, by real git over HTTP; and counting what a run adds. */
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ClonedRepository } from "#protocol/repository.ts";
import { countChangedFiles } from "#sandbox-runner/attempt/evidence.ts";
import { CLONE_SETTINGS, cloneCommand, planClones, readSeen } from "#sandbox-runner/git/clone-plan.ts";
import { awaitProcess, startProcess } from "#sandbox-runner/process/spawn.ts";
import { withoutSandbox } from "#sandbox-runner/sandbox/sandbox.ts";
import { type GitServer, startGitServer } from "#scripts/demo-upstream/git-server.ts";
import { commitTo, type Files, git, seedUpstream } from "./support/upstream.ts";

const CREDENTIAL = "user:password";
const folder = mkdtempSync(join(tmpdir(), "reveille-clone-"));
const root = join(folder, "upstream");
let server: GitServer;
let work: string;

beforeAll(async () => {
  mkdirSync(join(folder, "template"));
  git("init", "--quiet", "--bare", "--template=", "--initial-branch=trunk", join(root, "empty.git"));
  const tree = join(folder, "sha256");
  git("init", "--quiet", "--template=", "--initial-branch=main", "--object-format=sha256", tree);
  git("-C", tree, "commit", "--quiet", "--allow-empty", "--message", "Begin");
  git("clone", "--quiet", "--template=", "--bare", tree, join(root, "sha256.git"));
  const made = (name: string, change: (bare: string) => void) => change(seedUpstream(root, name, { "a.txt": "a\n" }));
  const head = (bare: string, ref: string) => git("-C", bare, "symbolic-ref", "HEAD", ref);
  made("plain", () => {});
  made("one-branch", (bare) => head(bare, "refs/heads/gone"));
  made("two-branches", (bare) => {
    git("-C", bare, "branch", "other", "main");
    head(bare, "refs/heads/gone");
  });
  made("detached", (bare) => {
    commitTo(bare, "refs/heads/main", { "b.txt": "b\n" });
    git("-C", bare, "update-ref", "--no-deref", "HEAD", git("-C", bare, "rev-parse", "main~1"));
  });
  made("only-tags", (bare) => {
    git("-C", bare, "tag", "v1", "main");
    git("-C", bare, "update-ref", "-d", "refs/heads/main");
  });
  made("only-pulls", (bare) => {
    git("-C", bare, "update-ref", "refs/pull/1/head", "main");
    git("-C", bare, "update-ref", "-d", "refs/heads/main");
  });
  server = await startGitServer({ root, credential: CREDENTIAL, port: 0 });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  work = mkdtempSync(join(folder, "work-"));
});

const environment = (version = "2") => ({
  PATH: process.env["PATH"] ?? "",
  HOME: work,
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  GIT_CONFIG_PARAMETERS: `'protocol.version'='${version}' 'init.defaultBranch'='main'`,
  GIT_AUTHOR_NAME: "A",
  GIT_AUTHOR_EMAIL: "a@example.com",
  GIT_COMMITTER_NAME: "A",
  GIT_COMMITTER_EMAIL: "a@example.com",
});

function run(command: readonly [string, ...string[]], env: Record<string, string>, cwd = work) {
  const bounds = { deadlineMs: 30_000, outputCapBytes: 20_000, signal: new AbortController().signal };
  return awaitProcess(startProcess(command, { cwd, env }), bounds);
}

type Wanted = Omit<ClonedRepository, "url"> & { version?: string; reference?: string; through?: string };

async function clone(name: string, { version, reference, through = server.url, ...wanted }: Wanted = {}) {
  const url = `${through.replace("//", `//${CREDENTIAL}@`)}/${name}.git`;
  const [plan] = planClones([{ url, ...wanted }], null);
  if (plan === undefined) throw new Error("no plan");
  const command = cloneCommand(plan, { template: join(folder, "template"), reference: reference ?? null });
  const end = await run(command, { ...environment(version), ...CLONE_SETTINGS });
  return { end, ...readSeen(end.stdout), place: join(work, name) };
}

describe.each(["0", "1", "2"])("a clone in protocol version %s", (version) => {
  it.each<[string, string | undefined, string]>([
    ["empty", undefined, version === "2" ? "trunk" : "main"],
    ["empty", "claude/first", "claude/first"],
    ["only-tags", undefined, "main"],
    ["only-pulls", undefined, "main"],
  ])("of %s with the branch %s has no commit yet, and takes the first push of %s", async (name, branch, first) => {
    const { end, head, place } = await clone(name, { version, ...(branch === undefined ? {} : { branch }) });
    expect(end).toMatchObject({ code: 0 });
    expect(head).toBeNull();
    expect(git("-C", place, "symbolic-ref", "HEAD")).toBe(`refs/heads/${first}`);
    expect(git("-C", place, "config", "remote.origin.fetch")).toBe("+refs/heads/*:refs/remotes/origin/*");
  });

  it("of a repository whose HEAD is gone takes its one branch", async () => {
    const { end, head, place } = await clone("one-branch", { version });
    expect(end).toMatchObject({ code: 0, stderr: expect.not.stringContaining("fatal") });
    const commit = git("-C", join(root, "one-branch.git"), "rev-parse", "main");
    expect(head).toEqual({ commit, branch: "main" });
    expect(git("-C", place, "status", "--porcelain", "--branch")).toBe("## main...origin/main");
  });

  it("of a repository whose HEAD is gone names HEAD and the branches to choose from", async () => {
    const { end } = await clone("two-branches", { version });
    expect(end.code).not.toBe(0);
    expect(end.stderr).toMatch(/HEAD .* not there.*branch.*: main other/);
  });

  it("of a repository whose HEAD is gone takes the branch that is chosen", async () => {
    expect((await clone("two-branches", { version, branch: "other" })).head).toMatchObject({ branch: "other" });
  });

  it("of a repository whose HEAD is no branch stands on its commit", async () => {
    const { end, head, place } = await clone("detached", { version });
    expect(end.code).toBe(0);
    expect(head).toEqual({ commit: git("-C", join(root, "detached.git"), "rev-parse", "HEAD"), branch: null });
    expect(git("-C", place, "config", "remote.origin.fetch")).toBe("+refs/heads/*:refs/remotes/origin/*");
  });

  it("of a branch that is not there is refused in git's words", async () => {
    const { end } = await clone("plain", { version, branch: "gone" });
    expect(end.code).not.toBe(0);
    expect(end.stderr).toContain("Remote branch gone not found");
  });
});

/** Notes what is asked of the git server, without the first answer that wants a password, and how much it answers. */
async function startCounting() {
  const asked: string[] = [];
  let bytes = 0;
  const counting = createServer((request, response) => {
    if (request.headers.authorization !== undefined) asked.push(`${request.method} ${request.url?.split("/").at(-1)}`);
    const { method, headers } = request;
    const upstream = httpRequest(`${server.url}${request.url}`, { method, headers }, (answer) => {
      answer.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(upstream);
  });
  await new Promise<void>((ready) => counting.listen(0, "127.0.0.1", ready));
  const take = () => {
    const seen = { asked: asked.splice(0), bytes };
    bytes = 0;
    return seen;
  };
  return { url: `http://127.0.0.1:${(counting.address() as AddressInfo).port}`, take, server: counting };
}

describe("what a clone asks of a host with thousands of pull requests", () => {
  const PULLS = 4_000;
  const big = randomBytes(100_000).toString("hex");
  let counting: Awaited<ReturnType<typeof startCounting>>;
  let bare: string;
  beforeAll(async () => {
    bare = seedUpstream(root, "pulls", { "a.txt": big, "docs/b.txt": big });
    git("-C", bare, "config", "uploadpack.allowFilter", "true");
    const tip = git("-C", bare, "rev-parse", "main");
    const pulls = Array.from({ length: PULLS }, (_, number) => `${tip} refs/pull/${number}/head\n`);
    writeFileSync(join(bare, "packed-refs"), `# pack-refs with:\n${tip} refs/heads/main\n${pulls.join("")}`);
    counting = await startCounting();
  });
  afterAll(() => void counting.server.close());

  // A fetch of contents alone, as git makes for a partial clone, is two more.
  it.each<[string, Wanted, requests: [number, number, number]]>([
    ["as many commits as by default", {}, [3, 3, 3]],
    ["all history", { depth: 0 }, [3, 2, 3]],
    ["one folder", { paths: ["docs"] }, [5, 3, 5]],
    ["its default branch by name", { branch: "main" }, [3, 3, 3]],
  ])(
    "of %s: few requests, of other refs nothing; and with what an earlier one had the news alone",
    async (what, wanted, requests) => {
      const through = counting.url;
      const before = git("-C", bare, "rev-parse", "main");
      const first = await clone("pulls", { ...wanted, through });
      expect(first).toMatchObject({
        end: { code: 0 },
        head: { commit: before, branch: "main" },
        defaultBranch: "main",
      });
      const whole = counting.take();
      expect(whole.bytes).toBeGreaterThan(100_000);
      expect(whole.bytes).toBeLessThan(100_000 + big.length + PULLS * 10);

      const reference = join(work, "kept");
      cpSync(join(first.place, ".git", "objects"), join(reference, "objects"), { recursive: true });
      if (readdirSync(join(first.place, ".git")).includes("shallow"))
        cpSync(join(first.place, ".git", "shallow"), join(reference, "shallow"));
      writeFileSync(join(reference, "tips"), `${first.tips.join("\n")}\n`);
      rmSync(first.place, { recursive: true });
      const unchanged = await clone("pulls", { ...wanted, through, reference });
      expect(unchanged).toMatchObject({ end: { code: 0 }, head: first.head, tips: first.tips });
      const again = counting.take();
      expect(again.bytes).toBeLessThan(1_000);

      rmSync(unchanged.place, { recursive: true });
      const newer = commitTo(bare, "refs/heads/main", { "b.txt": `${what}\n` });
      const changed = await clone("pulls", { ...wanted, through, reference });
      expect(changed).toMatchObject({ end: { code: 0 }, head: { commit: newer, branch: "main" }, tips: [newer] });
      const news = counting.take();
      expect(news.bytes).toBeLessThan(3_000);
      expect([whole, again, news].map(({ asked }) => asked.length)).toEqual(requests);
      expect(git("-C", changed.place, "for-each-ref", "refs/cached")).toBe("");
      expect(git("-C", changed.place, "status", "--porcelain", "--branch")).toBe("## main...origin/main");
    },
  );
});

it("a clone of another branch has the default one beside it, and no local branch but its own", async () => {
  const bare = seedUpstream(root, "other", { "a.txt": "a\n" });
  const other = commitTo(bare, "refs/heads/other", { "b.txt": "b\n" });
  git("-C", bare, "tag", "other", "main");
  const counting = await startCounting();
  const { end, head, defaultBranch, tips, place } = await clone("other", { branch: "other", through: counting.url });
  expect([end.code, head, defaultBranch]).toEqual([0, { commit: other, branch: "other" }, "main"]);
  expect(tips).toHaveLength(2);
  expect(git("-C", place, "for-each-ref", "--format=%(refname)", "refs/heads", "refs/remotes").split("\n")).toEqual([
    "refs/heads/other",
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/other",
  ]);
  expect(git("-C", place, "config", "--get-regexp", "^branch\\.")).toBe(
    "branch.other.remote origin\nbranch.other.merge refs/heads/other",
  );
  expect(git("-C", place, "status", "--porcelain", "--branch")).toBe("## other...origin/other");
  expect(counting.take().asked).toHaveLength(6);
  counting.server.close();
});

describe("what is seen of a working tree", () => {
  const endless = { link: "/dev/zero" };
  const itself = { link: "/proc/self/fd/1" };
  const pointer = "version https://git-lfs.github.com/spec/v1\n";
  it.each<[string, Files, number]>([
    ["a link to what has no end as .gitattributes", { ".gitattributes": endless }, 0],
    ["a link to what is being written as .gitattributes", { ".gitattributes": itself }, 0],
    ["such links deeper down", { "a/.gitattributes": endless, "b/.gitattributes": itself }, 0],
    [
      "such links as files of Git LFS",
      { ".gitattributes": "*.bin filter=lfs\n", "a.bin": endless, "b.bin": itself },
      0,
    ],
    ["a pointer with a name of two lines", { ".gitattributes": "*.bin filter=lfs\n", "a\nb\t.bin": pointer }, 1],
    [
      "pointers beside links",
      { ".gitattributes": "*.bin filter=lfs\n", "-a.bin": pointer, "b.bin": { link: "-a.bin" } },
      1,
    ],
    ["a file of Git LFS with its contents", { ".gitattributes": "*.bin filter=lfs\n", "a.bin": "contents\n" }, 0],
  ])("with %s ends, and counts pointers", async (what, files, pointers) => {
    const name = what.toLowerCase().replaceAll(/[^a-z]/g, "-");
    seedUpstream(root, name, files);
    const { end, pointers: counted } = await clone(name);
    expect([end.how, end.code, counted]).toEqual(["exited", 0, pointers]);
  });
});

describe("what a run adds to", () => {
  it.each([
    ["empty", "on a branch"],
    ["plain", "on a branch"],
    ["sha256", "on a branch"],
    ["plain", "on no branch"],
  ])("%s, %s, is counted", async (name, where) => {
    const { place, head } = await clone(name);
    if (where === "on no branch") git("-C", place, "checkout", "-q", "--detach");
    writeFileSync(join(place, "one.txt"), "1\n");
    writeFileSync(join(place, "two.txt"), "2\n");
    const branch = where.replaceAll(" ", "-");
    const script = `git add one.txt && git commit -qm One && git add two.txt && git commit -qm Two && git push -q origin HEAD:refs/heads/${branch} && echo draft > three.txt && git tag mine`;
    expect(await run(["/bin/sh", "-c", script], environment(), place)).toMatchObject({ code: 0, stderr: "" });
    expect(await filesChanged(place, head?.commit ?? null)).toBe(3);
  });

  it("an empty repository is nothing when nothing was done", async () => {
    const { place } = await clone("empty", { branch: "x" });
    expect(await filesChanged(place, null)).toBe(0);
  });
});

function filesChanged(folder: string, commit: string | null): Promise<number> {
  const signal = new AbortController().signal;
  return countChangedFiles([{ folder, commit }], { workspace: work }, withoutSandbox("none"), environment(), signal);
}
