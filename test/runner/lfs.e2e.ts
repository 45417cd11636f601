/** The real git-lfs, through a run's relay and the worker's own proxy, with objects in a store that has a secret of its own. */
import { execFile, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMIT_IDENTITY } from "#protocol/commit.ts";
import { gitSettings } from "#sandbox-runner/git/git-settings.ts";
import { type Relay, startRelay } from "#sandbox-runner/sandbox/relay.ts";
import { startGitServer } from "#scripts/demo-upstream/git-server.ts";
import { type LfsServer, startLfsServer } from "./support/lfs-server.ts";
import { seedUpstream } from "./support/upstream.ts";
import { startWorkerGit, type WorkerGit } from "./support/worker-git.ts";

const hasLfs = spawnSync("git", ["lfs", "version"]).status === 0;
const RUN_ID = "run_0ABCDEFGHJKMNPQRSTVWXYZ012";
const CREDENTIAL = "upstream-user:upstream-password-0001";
const POINTER = "version https://git-lfs.github.com/spec/v1\n";

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
