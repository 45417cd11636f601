/** Commits of a run are signed by the worker, through the relay: real git makes them, and ssh-keygen finds the signatures good. */
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCommitKey, shownIdentity } from "#instance/commit-key.ts";
import { gitSettings } from "#sandbox-runner/git/git-settings.ts";
import { type Relay, startRelay } from "#sandbox-runner/sandbox/relay.ts";
import { startWorkerGit, type WorkerGit } from "./support/worker-git.ts";

const hasKeygen = spawnSync("ssh-keygen", ["-?"]).error === undefined;
const RUN_ID = "run_0ABCDEFGHJKMNPQRSTVWXYZ012";
const WHO = { name: "Acme [bot]", email: "bot@acme.example" };

describe.skipIf(!hasKeygen)("a signing key of the instance", () => {
  let folder: string;
  let worker: WorkerGit;
  let relay: Relay;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "reveille-signed-"));
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "tests", "-f", join(folder, "key")]);
    const key = readCommitKey(readFileSync(join(folder, "key"), "utf8").replaceAll("\n", "\\n"));
    const commit = { ...WHO, key };
    const identity = shownIdentity(commit);
    expect(readFileSync(join(folder, "key.pub"), "utf8")).toBe(`${identity.signing_key} tests\n`);
    worker = await startWorkerGit({ credential: "a:b", addressOf: () => "http://127.0.0.1:1/app.git", commit });
    relay = await startRelay({ instanceUrl: worker.url });
    relay.serve({ runId: RUN_ID, repositories: 1 });
    const { config, hooks } = gitSettings({
      folder,
      hasLfs: false,
      relayUrl: relay.url,
      runId: RUN_ID,
      repositories: [],
      proxyToken: await worker.tokenOf(RUN_ID),
      sessionUrl: "https://reveille.test/sessions/session_1",
      commit: identity,
    });
    writeFileSync(join(folder, "config"), config);
    mkdirSync(join(folder, "hooks"));
    for (const [name, text] of Object.entries(hooks)) writeFileSync(join(folder, "hooks", name), text, { mode: 0o755 });
    writeFileSync(join(folder, "allowed"), `${WHO.email} namespaces="git" ${identity.signing_key}\n`);
    execFileSync("git", ["init", "--quiet", "--template=", "--initial-branch=main", join(folder, "tree")]);
  });
  afterAll(async () => {
    await Promise.all([relay.close(), worker.close()]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Not synchronous: the relay is in this process. */
  function run(...args: string[]): Promise<{ code: number; said: string }> {
    const env = { PATH: process.env["PATH"] ?? "", HOME: folder, GIT_CONFIG_SYSTEM: join(folder, "config") };
    return new Promise((resolve) => {
      execFile("git", args, { cwd: join(folder, "tree"), env }, (error, out, words) =>
        resolve({ code: error === null ? 0 : 1, said: out + words }),
      );
    });
  }

  const verify = () =>
    run(
      "-c",
      `gpg.ssh.allowedSignersFile=${join(folder, "allowed")}`,
      "-c",
      "gpg.ssh.program=ssh-keygen",
      "verify-commit",
      "-v",
      "HEAD",
    );

  it.each([
    ["a commit", ["commit", "--allow-empty", "-m", "Grüße, and a line\n\nof more"]],
    ["an amended one", ["commit", "--amend", "--allow-empty", "-m", "Again"]],
    ["one of another author", ["commit", "--allow-empty", "--author", "Ada <ada@example.com>", "-m", "Hers"]],
  ])("signs %s", async (_what, args) => {
    expect(await run(...args)).toMatchObject({ code: 0 });
    const { code, said } = await verify();
    expect([code, said]).toEqual([
      0,
      expect.stringContaining(`Good "git" signature for ${WHO.email} with ED25519 key`),
    ]);
    expect((await run("log", "-1", "--format=%cn <%ce>")).said).toBe(`${WHO.name} <${WHO.email}>\n`);
  });

  it("does not sign a commit of somebody else, nor a tag, and says why", async () => {
    const hers = await run("-c", "user.name=Eve", "commit", "--allow-empty", "-m", "x");
    expect(hers).toEqual({
      code: 1,
      said: expect.stringContaining("only commits of Acme [bot] <bot@acme.example> are signed"),
    });
    // Whether git then makes the tag without a signature depends on its version.
    expect((await run("tag", "-s", "-m", "x", "v1")).said).toContain("only commits are signed");
    expect((await run("cat-file", "tag", "v1")).said).not.toContain("SSH SIGNATURE");
  });

  it("leaves a commit alone that is to have no signature", async () => {
    expect(await run("commit", "--no-gpg-sign", "--allow-empty", "-m", "Plain")).toMatchObject({ code: 0 });
    expect((await verify()).code).toBe(1);
  });
});
