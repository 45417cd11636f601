/** What is added to the sandbox, as a table; and that a sandbox in which something of it is missing is not used. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { accountFiles, confinedArguments, steadyHome } from "#sandbox-runner/sandbox/sandbox-arguments.ts";
import { possibleOwners } from "#sandbox-runner/sandbox/sandbox-owner.ts";
import { noSandbox } from "./support/bed.ts";

const GIVEN = [
  "--unshare-net",
  "--tmpfs",
  "/etc",
  "--tmpfs",
  "/tmp",
  "--dev",
  "/dev",
  "--proc",
  "/proc",
  "--",
  "sh",
  "--proc",
];
const proc = [
  { name: "sys", isFolder: true, mode: 0o555 },
  { name: "mtrr", isFolder: false, mode: 0o644 },
  { name: "slabinfo", isFolder: false, mode: 0o400 },
  { name: "cpuinfo", isFolder: false, mode: 0o444 },
];
const confine = (words: string[], uid: number) =>
  confinedArguments(words, { uid, passwd: "/run/passwd", group: "/run/group", proc, home: "/state/home" })?.join(" ");

describe("the words for bubblewrap", () => {
  it("get namespaces, sizes, and read-only folders; what runs inside is left as it is", () => {
    expect(confine(GIVEN, 1_000)).toBe(
      "--unshare-ipc --unshare-cgroup-try --unshare-uts --hostname localhost --unshare-net --tmpfs /etc " +
        "--size 268435456 --tmpfs /tmp --ro-bind /run/passwd /etc/passwd --ro-bind /run/group /etc/group " +
        "--dev /dev --size 67108864 --perms 1777 --tmpfs /dev/shm --proc /proc --remount-ro /etc --remount-ro /dev -- sh --proc",
    );
  });

  it("cover for user 0 what it could write or alone could read below /proc", () => {
    expect(confine(GIVEN, 0)).toContain(
      "--proc /proc --ro-bind /proc/sys /proc/sys --ro-bind /proc/mtrr /proc/mtrr --ro-bind /dev/null /proc/slabinfo " +
        "--bind-try /proc/sys/user /proc/sys/user --remount-ro",
    );
    expect(confine(GIVEN, 0)).not.toContain("cpuinfo");
  });

  it("show the home at its steady place, where nothing of the machine's is to be seen there", () => {
    const words = ["--tmpfs", "/home", ...GIVEN];
    expect(confine(words, 1_000)).toContain("--tmpfs /home --bind /state/home /home/sandbox --unshare-net");
    expect(steadyHome(words)).toBe("/home/sandbox");
    expect(steadyHome(GIVEN)).toBeNull();
    expect(steadyHome([...words, "--bind", "/home/sandbox/state", "/home/sandbox/state"])).toBeNull();
    expect(steadyHome([...words, "--ro-bind", "/home/sandboxes", "/home/sandboxes"])).toBe("/home/sandbox");
  });

  it.each([
    ["words in a file", ["--args", "9", ...GIVEN]],
    ["no /dev", GIVEN.filter((word) => word !== "--dev")],
    ["no /proc of its own", ["--dev", "/dev", "--", "sh", "--proc"]],
    ["no command", ["--dev", "/dev", "--proc", "/proc"]],
    ["nothing", []],
  ])("of an unknown form are none: %s", (_what, words) => {
    expect(confine(words, 1_000)).toBeUndefined();
  });

  it("come with accounts for who is inside", () => {
    expect(accountFiles({ uid: 60_600, gid: 61_183 }, "/r/home")).toEqual({
      passwd: expect.stringContaining("\nagent:x:60600:61183:agent:/r/home:/bin/bash\n"),
      group: expect.stringContaining("\nagent:x:61183:\n"),
    });
    expect(accountFiles({ uid: 0, gid: 0 }, "/r/home").passwd).toMatch(
      /^root:x:0:0:root:\/r\/home:\/bin\/bash\nnobody:/,
    );
  });
});

describe("who enters a sandbox", () => {
  const all = 0x1ff_ffff_ffffn;
  const without = (bit: number) => all & ~(1n << BigInt(bit));
  const root = { uid: 0, gid: 0, pid: 1_000, capabilities: all };

  it("is another user where the runner is root, then root", () => {
    expect(possibleOwners(root)).toEqual([
      { uid: 60_578 + (1_000 % 605), gid: 61_183 },
      { uid: 0, gid: 0 },
    ]);
    expect(possibleOwners({ ...root, pid: 1_001 })[0]).not.toEqual(possibleOwners(root)[0]);
    for (const pid of [1, 604, 605, 606, 4_194_303]) {
      const uid = possibleOwners({ ...root, pid })[0]?.uid ?? 0;
      expect(uid >= 60_578 && uid <= 61_182).toBe(true);
    }
  });

  it.each([
    ["give files away", 0],
    ["remove another's files", 1],
    ["change another's files", 3],
    ["end another's processes", 5],
    ["leave its group", 6],
    ["become another user", 7],
    ["see another's processes", 19],
  ])("is root itself where root can't %s", (_what, bit) => {
    expect(possibleOwners({ ...root, capabilities: without(bit) })).toEqual([{ uid: 0, gid: 0 }]);
  });

  it("is the runner's own user otherwise", () => {
    expect(possibleOwners({ uid: 1_000, gid: 100, pid: 5, capabilities: 0n })).toEqual([{ uid: 1_000, gid: 100 }]);
  });
});

const isRoot = process.geteuid?.() === 0;
const PROC_SYS = ["--ro-bind", "/proc/sys", "/proc/sys"];
const MISSING: [what: string, words: string[], fault: RegExp][] = [
  ["all of it", ["*"], /: System V IPC is shared with the machine$/],
  ["the namespace for IPC", ["--unshare-ipc"], /: System V IPC is shared with the machine$/],
  [
    "the namespace for names",
    ["--unshare-uts", "--hostname", "localhost"],
    /: the host.s name is shared with the machine$/,
  ],
  ["the read-only /etc", ["--remount-ro", "/etc"], /: \/etc can be written$/],
  ["the read-only /dev", ["--remount-ro", "/dev"], /: \/dev can be written$/],
  ...(isRoot
    ? [["the read-only settings", PROC_SYS, /: kernel settings can be written$/] satisfies [string, string[], RegExp]]
    : []),
  ["a known form", ["--args"], /not known/],
];

describe.skipIf(noSandbox !== null)("a sandbox without", () => {
  it("any one part is not used, and says what it lacks; with all it is", { timeout: 120_000 }, () => {
    // Shut to others, so that a runner that is root has no other user to fall back on.
    const state = mkdtempSync(join(tmpdir(), "reveille-bed-"));
    const program = fileURLToPath(import.meta.resolve("./support/try-sandbox.ts"));
    const tries = [...MISSING.map(([, words]) => words), []].map((words) => JSON.stringify(words));
    const { stdout, stderr } = spawnSync(process.execPath, [program, state, ...tries], { encoding: "utf8" });
    rmSync(state, { recursive: true, force: true });
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.length, stderr).toBe(MISSING.length + 1);
    for (const [number, [what, , fault]] of MISSING.entries()) {
      expect([what, lines[number]]).toEqual([what, { ok: false, reason: expect.stringMatching(fault) }]);
    }
    expect(lines.at(-1)).toEqual({ ok: true, user: process.geteuid?.() });
  });
});
