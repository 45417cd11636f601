/** The real git-lfs, through a run's relay and the worker's own proxy, with objects in a store that has a secret of its own. */
import { execFile, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMIT_IDENTITY } from "#protocol/commit.ts";
import { gitEnvironment, gitSettings } from "#sandbox-runner/git/git-settings.ts";
import { type Relay, startRelay } from "#sandbox-runner/sandbox/relay.ts";
import { startGitServer } from "#scripts/demo-upstream/git-server.ts";
import { type LfsServer, startLfsServer } from "./support/lfs-server.ts";
import { seedUpstream } from "./support/upstream.ts";
import { startWorkerGit, type WorkerGit } from "./support/worker-git.ts";

const hasLfs = spawnSync("git", ["lfs", "version"]).status === 0;
const RUN_ID = "run_0ABCDEFGHJKMNPQRSTVWXYZ012";
const CREDENTIAL = "upstream-user:upstream-password-0001";
const POINTER = "version https://git-lfs.github.com/spec/v1\n";

if (!hasLfs) process.stderr.write("tests with git-lfs are skipped: it is not installed\n");

describe("files in Git LFS, where git-lfs is not there", () => {
  let folder: string;
  let tree: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "reveille-no-lfs-"));
    tree = join(folder, "tree");
    const { config, hooks } = gitSettings({
      commit: COMMIT_IDENTITY,
      folder,
      hasLfs: false,
      relayUrl: "http://127.0.0.1:9",
      runId: RUN_ID,
      repositories: [],
      proxyToken: "token",
      sessionUrl: "https://reveille.test/sessions/session_1",
    });
    writeFileSync(join(folder, "config"), config);
    mkdirSync(join(folder, "hooks"));
    for (const [name, text] of Object.entries(hooks)) writeFileSync(join(folder, "hooks", name), text, { mode: 0o755 });
    const pointer = `${POINTER}oid sha256:${"a".repeat(64)}\nsize 12\n`;
    const files = { ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "logo.bin": pointer };
    sh(`git clone -q ${seedUpstream(folder, "app", files)} tree`, folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function sh(script: string, cwd = tree): { code: number | null; said: string } {
    const env = { PATH: process.env["PATH"] ?? "", HOME: folder, ...gitEnvironment(folder) };
    const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", script], { cwd, env, encoding: "utf8" });
    return { code: status, said: stdout + stderr };
  }

  it.each([
    ["nothing is changed by the clone", "git status --porcelain", 0, /^$/],
    [
      "a pointer may be copied",
      "cp logo.bin new.bin && git add new.bin && git commit -qm Copy && git show HEAD:new.bin",
      0,
      /^version/,
    ],
    [
      "a pointer may be moved",
      "git mv logo.bin 'a b.bin' && git commit -qm Move && git mv 'a b.bin' logo.bin && git commit -qm Back",
      0,
      /^$/,
    ],
    ["a file may be emptied", ": > empty.bin && git add empty.bin && git cat-file -s :empty.bin", 0, /^0$/m],
    [
      "other contents are refused",
      "head -c 3000 /dev/urandom > logo.bin; git commit -qam Raw",
      128,
      /logo.bin is kept in Git LFS, and git-lfs is not installed here/,
    ],
    ["short contents are refused", "printf version > 'x y.bin'; git add 'x y.bin'", 128, /x y.bin is kept in Git LFS/],
    [
      "what is no file of Git LFS is taken",
      "echo text > a.txt && git add a.txt && git commit -qm Text -- a.txt && git show --format= --name-only",
      0,
      /^a.txt$/m,
    ],
  ])("%s", (_what, script, code, says) => {
    expect(sh(script)).toEqual({ code, said: expect.stringMatching(says) });
  });
});

describe.skipIf(!hasLfs)("git-lfs", () => {
  let folder: string;
  let git: Awaited<ReturnType<typeof startGitServer>>;
  let lfs: LfsServer;
  let worker: WorkerGit;
  let relay: Relay;
  let url: string;
  let token: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "reveille-lfs-"));
    mkdirSync(join(folder, "upstream"));
    seedUpstream(join(folder, "upstream"), "app", { ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n" });
    git = await startGitServer({ root: join(folder, "upstream"), credential: CREDENTIAL, port: 0 });
    lfs = await startLfsServer(git.url, CREDENTIAL);
    url = `${lfs.url}/app`;
    worker = await startWorkerGit({ credential: CREDENTIAL, addressOf: () => `${url}.git` });
    relay = await startRelay({ instanceUrl: worker.url });
    relay.serve({ runId: RUN_ID, repositories: 1 });
    token = await worker.tokenOf(RUN_ID);
    const settings = gitSettings({
      commit: COMMIT_IDENTITY,
      folder,
      hasLfs: true,
      relayUrl: relay.url,
      runId: RUN_ID,
      repositories: [{ url }],
      proxyToken: token,
      sessionUrl: "https://reveille.test/sessions/session_1",
    });
    writeFileSync(join(folder, "config"), settings.config);
  });
  afterAll(async () => {
    await Promise.all([relay.close(), worker.close(), lfs.close(), git.close()]);
    rmSync(folder, { recursive: true, force: true });
  });

  function run(cwd: string, ...args: string[]): Promise<{ code: number; said: string }> {
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: folder,
      GIT_CONFIG_SYSTEM: join(folder, "config"),
      GIT_TERMINAL_PROMPT: "0",
      GIT_ASKPASS: "true",
      // All that git-lfs sees of what goes to and fro.
      GIT_CURL_VERBOSE: "1",
      GIT_TRACE: "1",
    };
    return new Promise((resolve) => {
      execFile("git", args, { cwd, env, maxBuffer: 1 << 26 }, (error, out, words) =>
        resolve({ code: error === null ? 0 : 1, said: out + words }),
      );
    });
  }

  it("pushes an object and gets it again, and never sees the store's secret or the credential", async () => {
    const content = randomBytes(300_000);
    const tree = join(folder, "tree");
    const said: string[] = [];
    const done = async (cwd: string, ...args: string[]) => {
      const result = await run(cwd, ...args);
      said.push(result.said);
      expect([args.join(" "), result.code, result.code === 0 ? "" : result.said]).toEqual([args.join(" "), 0, ""]);
    };
    await done(folder, "clone", url, "tree");
    writeFileSync(join(tree, "big.bin"), content);
    await done(tree, "checkout", "-b", "claude/big");
    await done(tree, "add", "big.bin");
    await done(tree, "commit", "-m", "Big");
    expect((await run(tree, "cat-file", "-p", "HEAD:big.bin")).said).toContain(POINTER);
    await done(tree, "lfs", "push", "origin", "claude/big");
    await done(tree, "push", "origin", "claude/big");
    expect([...lfs.objects.values()].map((held) => held.equals(content))).toEqual([true]);
    expect(lfs.asked.filter((path) => path.includes("/store/verify-"))).toHaveLength(1);

    await done(folder, "clone", "--branch", "claude/big", url, "again");
    expect(readFileSync(join(folder, "again", "big.bin")).equals(content)).toBe(true);
    for (const secret of [lfs.secret, "upstream-password-0001"]) {
      for (const form of [secret, btoa(`upstream-user:${secret}`)]) expect(said.join("")).not.toContain(form);
    }
  });

  it("is told in words why it gets no object, or may send none", async () => {
    lfs.objects.clear();
    const missing = await run(folder, "clone", "--branch", "claude/big", url, "missing");
    expect(missing.said).toContain("Object does not exist");
    expect(readFileSync(join(folder, "missing", "big.bin"), "utf8")).toContain(POINTER);
    worker.seenOf(RUN_ID).rule = { push: "none", push_prefix: "claude/" };
    const refused = await run(join(folder, "tree"), "lfs", "push", "--all", "origin");
    expect(refused.said).toContain("nothing may be pushed");
    expect(lfs.objects.size).toBe(0);
  });
});
