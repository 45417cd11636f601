/** A home as an archive, and back: archives as nobody should make them, and homes that are hard to pack and to empty. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { zstdCompressSync } from "node:zlib";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { type Command, type PipedProcess, type Place, startProcess } from "#sandbox-runner/process/spawn.ts";
import { BASH, ENTER } from "#sandbox-runner/sandbox/entering.ts";
import { Sandbox } from "#sandbox-runner/sandbox/sandbox.ts";
import { type Home, packHome, unpackHome } from "#sandbox-runner/setup/archive.ts";
import { processesWith } from "./support/processes.ts";
import { until } from "./support/until.ts";

const LONGEST_FILE_KIB = "10000";
const isRoot = process.geteuid?.() === 0;
/** A user without rights, as the agent is one. */
const user = isRoot ? { uid: 60_999, gid: 60_999 } : {};

/** As containers have it, but for the container. */
class OtherUser extends Sandbox {
  readonly kind = "container";
  override start(command: Command, place: Place): PipedProcess {
    return this.keep(startProcess([...BASH, ENTER, "enter", LONGEST_FILE_KIB, ...command], place));
  }
}

const folder = mkdtempSync(join(tmpdir(), "reveille-archive-"));
chmodSync(folder, 0o711);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let place: string;
let path: string;
let home: Home;
let count = 0;
beforeEach(() => {
  count += 1;
  place = join(folder, String(count));
  path = join(place, "home");
  mkdirSync(path, { recursive: true });
  // Others may write there, so that an archive which gets out of the home would be seen.
  mkdirSync(join(place, "outside"));
  writeFileSync(join(place, "outside", "kept"), "as it was");
  for (const one of [path, join(place, "outside"), join(place, "outside", "kept")]) chmodSync(one, 0o777);
  if (user.uid !== undefined) chownSync(path, user.uid, user.gid);
  const env = { PATH: "/usr/local/bin:/usr/bin:/bin", OF: path };
  home = { sandbox: new OtherUser(), place: { cwd: path, env, ...user }, signal: new AbortController().signal };
});

interface Entry {
  name: string;
  type?: "file" | "hardlink" | "link" | "device" | "folder" | "fifo";
  text?: string;
  to?: string;
  mode?: number;
}

const TYPES = { file: "0", hardlink: "1", link: "2", device: "3", folder: "5", fifo: "6" };
const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, "0")}\0`;

/** Of the form of POSIX. */
function tarOf(entries: Entry[]): Buffer {
  const parts = entries.flatMap(({ name, type = "file", text = "", to = "", mode = 0o644 }) => {
    const header = Buffer.alloc(512);
    const fields: [at: number, value: string][] = [
      [0, name],
      [100, octal(mode, 8)],
      [108, octal(0, 8)],
      [116, octal(0, 8)],
      [124, octal(text.length, 12)],
      [136, octal(0, 12)],
      [148, " ".repeat(8)],
      [156, TYPES[type]],
      [157, to],
      [257, "ustar\x0000"],
      [329, octal(1, 8)],
      [337, octal(3, 8)],
    ];
    for (const [at, value] of fields) header.write(value, at, "latin1");
    header.write(
      octal(
        header.reduce((sum, byte) => sum + byte, 0),
        7,
      ),
      148,
      "latin1",
    );
    return [header, Buffer.alloc(Math.ceil(text.length / 512) * 512, text === "" ? 0 : text.padEnd(512, "\0"))];
  });
  return Buffer.concat([...parts, Buffer.alloc(1_024)]);
}

const hashOf = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

function unpack(archive: Buffer, content = Readable.from([archive])): Promise<string | null> {
  return unpackHome(home, { bytes: archive.length, sha256: hashOf(archive), keptAtMs: 0, content });
}

/** A file of a terabyte that has nothing in it. */
function sparse(): Buffer {
  writeFileSync(join(place, "huge"), "");
  truncateSync(join(place, "huge"), 1_024 ** 4);
  return execFileSync("tar", ["--create", "--sparse", "--file=-", "huge"], { cwd: place });
}

describe("an archive", () => {
  it.each<[string, () => Buffer | Entry[]]>([
    ["names a folder above", () => [{ name: "../outside/new", text: "x" }]],
    ["goes up in the middle of a name", () => [{ name: "a/../../outside/new", text: "x" }]],
    ["goes through a link of its own", () => [{ name: "out", type: "link", to: "../outside" }, { name: "out/new" }]],
    [
      "goes through an absolute link",
      () => [{ name: "out", type: "link", to: join(place, "outside") }, { name: "out/new" }],
    ],
    [
      "has a second name for a file above",
      () => [
        { name: "own", type: "hardlink", to: "../outside/kept" },
        { name: "own", text: "x" },
      ],
    ],
    [
      "has a second name for an absolute one",
      () => [{ name: "own", type: "hardlink", to: join(place, "outside/kept") }],
    ],
    ["has a device in it", () => [{ name: "null", type: "device" }]],
    ["has a file without end", sparse],
    ["is no archive", () => Buffer.from("x".repeat(5_000))],
    ["is empty", () => Buffer.alloc(0)],
    ["ends in the middle of a file", () => tarOf([{ name: "a", text: "x".repeat(9_000) }]).subarray(0, 5_000)],
  ])("that %s is refused, changes nothing, and leaves the home empty", async (_what, make) => {
    const made = make();
    const archive = zstdCompressSync(Buffer.isBuffer(made) ? made : tarOf([{ name: "first", text: "x" }, ...made]));
    expect(await unpack(archive)).toEqual(expect.any(String));
    expect(readdirSync(path)).toEqual([]);
    expect(readdirSync(join(place, "outside"))).toEqual(["kept"]);
    expect(readFileSync(join(place, "outside", "kept"), "utf8")).toBe("as it was");
  });

  it("loses the rights of others' programs, and stays in the home with an absolute name", async () => {
    const entries: Entry[] = [
      { name: "program", mode: 0o6755, text: "#!/bin/sh\n" },
      { name: "/absolute", text: "x" },
      { name: "pipe", type: "fifo" },
    ];
    expect(await unpack(zstdCompressSync(tarOf(entries)))).toBeNull();
    expect(readdirSync(path).toSorted()).toEqual(["absolute", "pipe", "program"]);
    expect(statSync(join(path, "program")).mode & 0o7777).toBe(0o755);
  });

  it.each<[string, (archive: Buffer) => Readable]>([
    ["has lost its end", (archive) => Readable.from([archive.subarray(0, -1)])],
    ["has more than its end", (archive) => Readable.from([archive, Buffer.from("x")])],
    [
      "is another of the same length",
      (archive) =>
        Readable.from(
          [zstdCompressSync(tarOf([{ name: "b" }]))].map((other) =>
            Buffer.concat([other, archive.subarray(other.length)]),
          ),
        ),
    ],
    [
      "breaks off",
      (archive) =>
        Readable.from(
          (async function* () {
            yield archive.subarray(0, 200);
            throw new Error("reset");
          })(),
        ),
    ],
  ])("that %s is refused, also where a folder of it may not be changed", async (_what, contentOf) => {
    const entries: Entry[] = [
      { name: "modules", type: "folder", mode: 0o555 },
      { name: "modules/file", mode: 0o444 },
    ];
    const noise = { name: "noise", text: hashOf(Buffer.from("noise")).repeat(300) };
    const archive = zstdCompressSync(tarOf([...entries, noise]));
    expect(await unpack(archive, contentOf(archive))).toEqual(expect.any(String));
    expect(readdirSync(path)).toEqual([]);
  });

  it("is read to its end, also where that comes when all of it is unpacked", async () => {
    const tar = tarOf([{ name: "a", text: "x" }]);
    const frames = [zstdCompressSync(Buffer.concat([tar, Buffer.alloc(10_240 - tar.length)])), zstdCompressSync("")];
    const late = async function* () {
      yield frames[0];
      await until("it is unpacked", () => readdirSync(path).length > 0 && !isUnpacking());
      yield frames[1];
    };
    expect(await unpack(Buffer.concat(frames), Readable.from(late()))).toBeNull();
    expect(readFileSync(join(path, "a"), "utf8")).toBe("x");
  });
});

/** Whether a `tar` is at work in the home. */
function isUnpacking(): boolean {
  return processesWith(path).some((line) => /^[0-9]+ tar /.test(line));
}

describe("a home", () => {
  it.each<[string, () => void, string[]]>([
    [
      "with a folder that may not be changed",
      () => {
        mkdirSync(join(path, "a"));
        writeFileSync(join(path, "a", "b"), "x");
        chmodSync(join(path, "a"), 0o555);
      },
      ["a"],
    ],
    ["with links that lead nowhere", () => symlinkSync("/no/where", join(path, "link")), ["link"]],
    [
      "with names of all kinds",
      () => {
        for (const name of ["-rf", "a\nb", "ä 😀", "--checkpoint=1"]) writeFileSync(join(path, name), "x");
      },
      ["-rf", "a\nb", "ä 😀", "--checkpoint=1"],
    ],
  ])("%s comes back as it was", async (_what, make, names) => {
    make();
    const file = join(place, "archive");
    if (user.uid !== undefined) execFileSync("chown", ["-hR", `${user.uid}`, path]);
    const packed = await packHome(home, file);
    expect(packed).toMatchObject({ file, bytes: statSync(file).size });
    if ("why" in packed) return;
    const there = path;
    rmSync(there, { recursive: true, force: true });
    mkdirSync(there);
    if (user.uid !== undefined) chownSync(there, user.uid, user.gid);
    expect(await unpackHome(home, { ...packed, keptAtMs: 0, content: createReadStream(file) })).toBeNull();
    expect(readdirSync(there).toSorted()).toEqual(names.toSorted());
  });
});
