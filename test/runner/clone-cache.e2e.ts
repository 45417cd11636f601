/** What a runner keeps of clones, by real git over HTTP: a later clone receives what is new, and nothing that is not its own. */
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { drawOwnerKey, IdMaker } from "#protocol/ids.ts";
import type { ClonedRepository } from "#protocol/repository.ts";
import { cloneRepositories } from "#sandbox-runner/git/clone.ts";
import { CloneCache, cacheKey } from "#sandbox-runner/git/clone-cache.ts";
import { CLONE_SETTINGS, cloneCommand, planClones, readSeen } from "#sandbox-runner/git/clone-plan.ts";
import { createRunFolder, removeRunFolder } from "#sandbox-runner/process/run-folder.ts";
import { awaitProcess, startProcess } from "#sandbox-runner/process/spawn.ts";
import { withoutSandbox } from "#sandbox-runner/sandbox/sandbox.ts";
import { type GitServer, startGitServer } from "#scripts/demo-upstream/git-server.ts";
import { runOrder } from "./support/run-order.ts";
import { commitTo, git, seedUpstream } from "./support/upstream.ts";

const CREDENTIAL = "user:password";
const folder = mkdtempSync(join(tmpdir(), "reveille-cache-"));
const root = join(folder, "upstream");
let server: GitServer;
let work: string;
let cache: CloneCache;
let nowMs: number;

beforeAll(async () => {
  mkdirSync(join(folder, "template"));
  server = await startGitServer({ root, credential: CREDENTIAL, port: 0 });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  work = mkdtempSync(join(folder, "work-"));
  nowMs = Date.now();
  cache = new CloneCache(join(work, "clones"), () => ++nowMs);
});

const noise = (bytes: number) => randomBytes(bytes).toString("base64");
const KEY = "a".repeat(40);

let count = 0;
/** A clone as a run makes it, with what the cache has, which then keeps what it has received. */
async function clone(name: string, wanted: Omit<ClonedRepository, "url"> = {}) {
  count += 1;
  const url = `${server.url.replace("//", `//${CREDENTIAL}@`)}/${name}.git`;
  const [plan] = planClones([{ url, ...wanted }], null);
  if (plan === undefined) throw new Error("no plan");
  const at = join(work, `run-${count}`);
  mkdirSync(at);
  const earlier = join(at, "earlier");
  const taken = await cache.take(KEY, earlier);
  const reference = taken === "taken" ? earlier : null;
  const env = { PATH: process.env["PATH"] ?? "", HOME: at, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  const command = cloneCommand(plan, { template: join(folder, "template"), reference });
  const bounds = { deadlineMs: 30_000, outputCapBytes: 20_000, signal: new AbortController().signal };
  const end = await awaitProcess(startProcess(command, { cwd: at, env: { ...env, ...CLONE_SETTINGS } }), bounds);
  const place = join(at, plan.name);
  const seen = readSeen(end.stdout);
  if (end.code === 0) await cache.keep(KEY, { gitFolder: join(place, ".git"), tips: seen.tips, reference });
  return { end, seen, place, taken };
}

/** How much a clone has received by itself. */
function received(place: string): number {
  const packs = join(place, ".git", "objects", "pack");
  return readdirSync(packs).reduce((sum, name) => sum + statSync(join(packs, name)).size, 0);
}

function seedLarge(name: string): string {
  return seedUpstream(root, name, {
    "large.bin": noise(300_000),
    "packages/app/a.txt": noise(100_000),
    "a.txt": "a\n",
  });
}

const isSound = (place: string) =>
  git("-C", place, "fsck", "--connectivity-only", "--no-dangling") === "" &&
  git("-C", place, "status", "--porcelain") === "";

describe("a second clone", () => {
  it.each<[string, Omit<ClonedRepository, "url">]>([
    ["as it is by default", {}],
    ["of one commit", { depth: 1 }],
    ["of all history", { depth: 0 }],
    ["of some folders", { paths: ["packages/app"] }],
    ["of another branch than the default one", { branch: "side" }],
  ])("%s receives what is new, and is as whole as one without", async (what, wanted) => {
    const name = `second-${what.replaceAll(" ", "-")}`;
    const bare = seedLarge(name);
    git("-C", bare, "config", "uploadpack.allowFilter", "true");
    const branch = wanted.branch ?? "main";
    commitTo(bare, `refs/heads/${branch}`, { "b.txt": "b\n" });
    const first = await clone(name, wanted);
    expect([first.end.code, first.taken]).toEqual([0, "none"]);
    const commit = commitTo(bare, `refs/heads/${branch}`, { "c.txt": "c\n" }, branch);
    const second = await clone(name, wanted);
    expect([second.end, second.taken]).toMatchObject([{ code: 0, stderr: "" }, "taken"]);
    expect(second.seen).toMatchObject({
      head: { commit, branch },
      isShallow: first.seen.isShallow && wanted.depth !== 0,
    });
    expect(received(second.place)).toBeLessThan(received(first.place) / 20);
    expect(isSound(second.place)).toBe(true);
    expect(git("-C", second.place, "for-each-ref", "refs/cached")).toBe("");
    const plain = await clone(name, wanted);
    expect(git("-C", second.place, "log", "--format=%H")).toBe(git("-C", plain.place, "log", "--format=%H"));
    expect(received(plain.place)).toBeLessThan(2_000);
  });

  it("follows a branch that was rewritten, and no ref of it leads to the old commits", async () => {
    const bare = seedLarge("rewritten");
    const old = commitTo(bare, "refs/heads/main", { "b.txt": "old\n" });
    await clone("rewritten");
    const commit = commitTo(bare, "refs/heads/main", { "b.txt": "new\n" }, "main~1");
    const { end, seen, place } = await clone("rewritten");
    expect(end.code).toBe(0);
    expect(seen.head?.commit).toBe(commit);
    expect(git("-C", place, "log", "--all", "--format=%H")).not.toContain(old);
    expect(isSound(place)).toBe(true);
  });

  it("has no commit of another ref than its branches", async () => {
    const bare = seedLarge("stranger");
    const strange = commitTo(bare, "refs/pull/7/head", { "evil.txt": noise(10_000) });
    const { place } = await clone("stranger");
    // What the run fetches itself comes after the cache has been made.
    git("-C", bare, "config", "uploadpack.allowAnySHA1InWant", "true");
    const { place: other } = await clone("stranger");
    expect(() => git("-C", other, "cat-file", "-e", strange)).toThrow();
    expect(existsSync(place)).toBe(true);
  });
});

describe("an entry", () => {
  const entry = () => join(work, "clones", KEY);
  const packOf = (place: string) => {
    const packs = join(place, "objects", "pack");
    return join(packs, readdirSync(packs).find((name) => name.endsWith(".pack")) ?? "");
  };

  it.each<[string, (pack: string) => void]>([
    ["is cut short", (pack) => truncateSync(pack, 100)],
    ["is gone", (pack) => rmSync(pack)],
    ["has grown", (pack) => writeFileSync(pack, "x", { flag: "a" })],
  ])("of which a file %s is thrown away", async (_what, damage) => {
    seedLarge(`damaged-${_what.replaceAll(" ", "-")}`);
    await clone(`damaged-${_what.replaceAll(" ", "-")}`);
    damage(packOf(entry()));
    expect(await cache.take(KEY, join(work, "into"))).toBe("damaged");
    expect(existsSync(entry())).toBe(false);
    expect(existsSync(join(work, "into"))).toBe(false);
  });

  it("of which a file has other bytes makes a clone fail, and no clone wrong", async () => {
    const bare = seedLarge("other-bytes");
    await clone("other-bytes");
    const pack = packOf(entry());
    const bytes = readFileSync(pack);
    rmSync(pack);
    writeFileSync(pack, bytes.fill(0x5a, 200, bytes.length - 200));
    commitTo(bare, "refs/heads/main", { "b.txt": "b\n" });
    const { end, taken } = await clone("other-bytes");
    expect([taken, end.code === 0]).toEqual(["taken", false]);
  });

  it("is not changed by what a run does to its links", async () => {
    seedLarge("links");
    await clone("links");
    const into = join(work, "into");
    expect(await cache.take(KEY, into)).toBe("taken");
    rmSync(packOf(into));
    expect(await cache.take(KEY, join(work, "again"))).toBe("taken");
  });

  it("is not used any more a week after it was made, however often it was replaced", async () => {
    const bare = seedLarge("old");
    await clone("old");
    for (let number = 0; number < 2; number += 1) {
      commitTo(bare, "refs/heads/main", { "b.txt": `${number}\n` });
      await clone("old");
    }
    nowMs += 8 * 86_400_000;
    expect(await cache.take(KEY, join(work, "into"))).toBe("none");
    expect(existsSync(entry())).toBe(false);
  });

  it("is none while the clock says that it is of a time to come", async () => {
    seedLarge("clock");
    await clone("clock");
    nowMs -= 86_400_000;
    expect(await cache.take(KEY, join(work, "into"))).toBe("none");
  });

  it("is not thrown away where it can't be given for another reason than its own", async () => {
    seedLarge("no-room");
    await clone("no-room");
    writeFileSync(join(work, "file"), "");
    expect(await cache.take(KEY, join(work, "file", "into"))).toBe("none");
    expect(await cache.take(KEY, join(work, "into"))).toBe("taken");
  });

  it("of another run is taken whole or not at all while others replace it", async () => {
    const bare = seedLarge("at-once");
    const first = await clone("at-once");
    const commit = commitTo(bare, "refs/heads/main", { "b.txt": "b\n" });
    await cache.drop(KEY);
    const second = await clone("at-once");
    const kept = [first, second].map(({ place, seen }) => ({
      gitFolder: join(place, ".git"),
      tips: seen.tips,
      reference: null,
    }));
    const takes = Array.from({ length: 20 }, (_, number) => cache.take(KEY, join(work, `into-${number}`)));
    await Promise.all([...takes, ...kept.map((one) => cache.keep(KEY, one)), cache.drop(KEY)]);
    for (const [number, taken] of (await Promise.all(takes)).entries()) {
      const into = join(work, `into-${number}`);
      expect(["taken", "none"]).toContain(taken);
      expect(existsSync(into)).toBe(taken === "taken");
      if (taken === "taken") expect(existsSync(packOf(into))).toBe(true);
    }
    expect((await clone("at-once")).seen.head?.commit).toBe(commit);
    expect(readdirSync(join(work, "clones"))).toEqual([KEY]);
  });

  it("stays for a clone that has it when it is replaced", async () => {
    const bare = seedLarge("replaced");
    await clone("replaced");
    const into = join(work, "into");
    await cache.take(KEY, into);
    await cache.drop(KEY);
    commitTo(bare, "refs/heads/main", { "b.txt": "b\n" });
    expect(existsSync(packOf(into))).toBe(true);
    expect(await cache.take(KEY, join(work, "again"))).toBe("none");
  });
});

describe("the folder of all entries", () => {
  const kept = () => readdirSync(join(work, "clones")).sort();
  const keepAs = async (key: string, place: string, in_ = cache) =>
    in_.keep(key, { gitFolder: join(place, ".git"), tips: ["1".repeat(40)], reference: null });

  it("has no more than fits: what was used longest ago goes first", async () => {
    seedLarge("bounded");
    const { place } = await clone("bounded");
    const small = new CloneCache(join(work, "clones"), () => ++nowMs, 2.5 * received(place));
    for (const key of ["b", "c"]) {
      nowMs += 10_000;
      await keepAs(key.repeat(40), place, small);
      nowMs += 10_000;
      await small.take(KEY, join(work, `into-${key}`));
    }
    expect(kept()).toEqual([KEY, "c".repeat(40)]);
    const tiny = new CloneCache(join(work, "clones"), () => ++nowMs, received(place));
    await keepAs("d".repeat(40), place, tiny);
    expect(kept()).toEqual([KEY]);
  });

  it("has nothing that is too old, can't be read, or was left by a process that died", async () => {
    seedLarge("leftovers");
    const { place } = await clone("leftovers");
    for (const name of ["draft-1", "gone-1", "e".repeat(40)]) {
      mkdirSync(join(work, "clones", name));
      writeFileSync(join(work, "clones", name, "entry.json"), '{"made_at_ms":');
    }
    await keepAs("b".repeat(40), place);
    expect(kept()).toHaveLength(5);
    nowMs += 2 * 3_600_000;
    await keepAs("b".repeat(40), place);
    expect(kept()).toEqual([KEY, "b".repeat(40)]);
    nowMs += 7 * 86_400_000 - 3_600_000;
    await keepAs("c".repeat(40), place);
    expect(kept()).toEqual(["b".repeat(40), "c".repeat(40)]);
  });

  it("that can't be written, and one that is removed meanwhile, are no fault of a run's", async () => {
    seedLarge("unwritable");
    const { place } = await clone("unwritable");
    rmSync(join(work, "clones"), { recursive: true });
    await keepAs(KEY, place);
    expect(kept()).toEqual([KEY]);
    rmSync(join(work, "clones"), { recursive: true });
    writeFileSync(join(work, "clones"), "");
    await keepAs(KEY, place);
    expect(await cache.take(KEY, join(work, "into"))).toBe("none");
  });
});

describe("a run's clone that fails with what is kept and without it", () => {
  const ids = new IdMaker(
    drawOwnerKey((bytes) => bytes),
    (bytes) => bytes,
  );
  async function cloneForRun(name: string, branch: string) {
    count += 1;
    const place = await createRunFolder(join(work, "state"), `run-${count}`, { pid: 1, startTime: null });
    const url = `${server.url.replace("//", `//${CREDENTIAL}@`)}/${name}.git`;
    const notices: string[] = [];
    const result = await cloneRepositories({
      order: runOrder(ids, "", [], { repositories: [{ url, branch }] }),
      folder: place,
      relayUrl: "http://relay.test",
      sandbox: withoutSandbox("none"),
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: place.home,
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_CONFIG_NOSYSTEM: "1",
      },
      signal: new AbortController().signal,
      isAside: false,
      cache: { clones: cache, instanceUrl: "" },
      gitFault: () => null,
      isAtLfs: () => false,
      received: () => 0,
      onStep: () => {},
      onNotice: ({ code }) => notices.push(code),
    });
    await removeRunFolder(place.root);
    return { ok: result.ok, notices };
  }

  it("is not said to have met a damaged one", async () => {
    const bare = seedLarge("branch-gone");
    git("-C", bare, "branch", "side", "main");
    for (const _ of [1, 2]) expect(await cloneForRun("branch-gone", "side")).toEqual({ ok: true, notices: [] });
    git("-C", bare, "branch", "--quiet", "--delete", "--force", "side");
    expect(await cloneForRun("branch-gone", "side")).toEqual({ ok: false, notices: [] });
  });
});

describe("the name of an entry", () => {
  const app = { url: "https://h/app" };
  it("is the same for the same clone, however its address is written", () => {
    expect(cacheKey("https://i", { url: "https://h/app.git" })).toBe(cacheKey("https://i", app));
    expect(cacheKey("https://i", app)).toMatch(/^[0-9a-f]{40}$/);
  });

  it("is another for another instance, address, branch, depth, or other folders", () => {
    const others = [{ url: "https://h/app2" }, { ...app, branch: "x" }, { ...app, depth: 1 }, { ...app, paths: ["a"] }];
    const keys = [
      cacheKey("https://i", app),
      cacheKey("https://j", app),
      ...others.map((one) => cacheKey("https://i", one)),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});
