/** A push shows by its own pack that a branch only moves forward: real packs of real git, and zlib's own streams. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { constants, deflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { childrenOf, descendantsOf, readParents } from "#worker/proxy/git/ancestry.ts";
import { HeldBody } from "#worker/proxy/git/held-body.ts";
import { inflate } from "#worker/proxy/git/inflate.ts";
import { chance } from "./support/random.ts";

const COMMIT = 1;
const EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/** An object in a pack, as it is written there. */
function entry(type: number, content: Uint8Array): Uint8Array {
  const head = [(type << 4) | (content.length & 15)];
  for (let size = content.length >> 4; size > 0; size >>= 7) {
    head.push((head.pop() ?? 0) | 128, size & 127);
  }
  return new Uint8Array([...head, ...deflateSync(content)]);
}

function packOf(entries: readonly Uint8Array[]): Uint8Array {
  const head = Buffer.from("PACK\0\0\0\x02\0\0\0\0");
  head.writeUInt32BE(entries.length, 8);
  return new Uint8Array(Buffer.concat([head, ...entries]));
}

describe("inflating", () => {
  const random = chance(3);
  const noise = (length: number, of: number) => Uint8Array.from({ length }, () => random.below(of));
  const texts = [0, 1, 5, 300, 70_000].flatMap((length) => [noise(length, 256), noise(length, 4), noise(length, 1)]);
  const { Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE } = constants;

  it("gives what zlib has deflated, in each of its ways, and where it ends", () => {
    for (const text of texts) {
      for (const strategy of [Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE]) {
        for (const level of [0, 1, 9]) {
          const deflated = deflateSync(text, { strategy, level });
          const among = new Uint8Array([7, 7, ...deflated, 1, 2, 3]);
          const read = inflate(among, 2, text.length);
          expect(read?.end).toBe(2 + deflated.length);
          expect(Buffer.compare(read?.data ?? new Uint8Array([9]), text)).toBe(0);
        }
      }
    }
  });

  it("waits for what is not there yet, and refuses what is broken", () => {
    const text = noise(2_000, 30);
    const deflated = deflateSync(text);
    for (let end = 0; end < deflated.length; end += 13) expect(inflate(deflated.subarray(0, end), 0, 2_000)).toBeNull();
    for (const size of [0, 1_999, 2_001]) expect(() => inflate(deflated, 0, size)).toThrow(RangeError);
    for (let round = 0; round < 500; round += 1) {
      const bytes = new Uint8Array(deflated);
      bytes[random.below(bytes.length)] = random.below(256);
      try {
        inflate(bytes, 0, 2_000);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }
  });
});

describe("a push", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "reveille-pack-"));
    git("init", "--quiet", "--template=", "--initial-branch=main", ".");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const environment = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  function git(...args: string[]): string {
    const set = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    return execFileSync("git", [...set, ...args], { cwd: folder, env: environment, encoding: "utf8" }).trim();
  }
  function commit(message: string): string {
    git("commit", "--quiet", "--allow-empty", "--message", message);
    return git("rev-parse", "HEAD");
  }
  /** What git sends for these commits to somebody who has others. */
  function pack(wanted: readonly string[], has: readonly string[], options = ["--delta-base-offset"]): Uint8Array {
    const input = [...wanted, ...has.map((one) => `^${one}`)].join("\n");
    const args = ["pack-objects", "--quiet", "--revs", "--thin", "--stdout", ...options];
    return new Uint8Array(execFileSync("git", args, { cwd: folder, env: environment, input: `${input}\n` }));
  }
  function held(bytes: Uint8Array, size = bytes.length): HeldBody {
    let offset = 0;
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      if (offset >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(offset, offset + size));
      offset += size;
    };
    return new HeldBody(new ReadableStream({ pull }));
  }
  async function shows(bytes: Uint8Array, to: string, from: string, size = bytes.length): Promise<boolean> {
    const parents = await readParents(held(bytes, size), 0, "SHA-1");
    return descendantsOf(new Set([from]), childrenOf(parents)).includes(to);
  }

  it("that adds commits is known, in pieces of any size, deltas and merges among them, and nothing else is", async () => {
    const root = commit("root");
    const words = "A long body that commits have in common, so that one is written as what differs. ".repeat(20);
    const old = commit(`old\n\n${words}`);
    let tip = old;
    for (let count = 0; count < 30; count += 1) tip = commit(`more ${count}\n\n${words}`);
    git("checkout", "--quiet", "-b", "side", root);
    const side = commit(`side\n\n${words}`);
    git("checkout", "--quiet", "main");
    git("merge", "--quiet", "--no-edit", "side");
    const merged = git("rev-parse", "HEAD");
    const bytes = pack([merged], [old]);
    const deltas = execFileSync("git", ["-C", folder, "index-pack", "--stdin", "--fix-thin", "-v"], {
      input: bytes,
      stdio: ["pipe", "pipe", "pipe"],
    });
    expect(deltas.toString()).toMatch(/^pack/);
    for (const size of [1, 100, bytes.length]) expect(await shows(bytes, merged, old, size)).toBe(true);
    expect(await shows(bytes, tip, old)).toBe(true);
    expect(await shows(bytes, merged, root)).toBe(true);
    expect(await shows(bytes, side, old)).toBe(false);
    expect(await shows(bytes, merged, "1".repeat(40))).toBe(false);
    expect(await shows(pack([side], [old]), side, old)).toBe(false);
    // What is missing in the middle shows nothing.
    expect(await shows(pack([merged], [tip, side]), merged, old)).toBe(false);
    expect(await shows(pack([merged], [tip, side]), merged, tip)).toBe(true);
  });

  it("whose pack is broken, or is none, shows nothing", async () => {
    const old = git("rev-parse", "HEAD");
    const next = commit("next");
    const bytes = pack([next], [old]);
    expect(await shows(bytes, next, old)).toBe(true);
    for (let place = 0; place < Math.min(bytes.length, 150); place += 1) {
      const broken = new Uint8Array(bytes);
      broken[place] = (broken[place] ?? 0) ^ 0x41;
      const said = await shows(broken, next, old);
      // A version of packs, a count, a checksum: what does not touch the commit itself may still show it.
      if (said) expect(place < 12 || place > 14).toBe(true);
    }
    for (let end = 0; end < 60; end += 7) expect(await shows(bytes.slice(0, end), next, old)).toBe(false);
    expect(await shows(new TextEncoder().encode("PACKED"), next, old)).toBe(false);
  });

  it("that makes much out of little is not read on", async () => {
    const long = (place: number) =>
      `tree ${EMPTY_TREE}\nparent ${String(place).padStart(40, "0")}\n${"x".repeat(1_000_000)}`;
    const entries = Array.from({ length: 40 }, (_, place) => entry(COMMIT, Buffer.from(long(place))));
    const read = await readParents(held(packOf(entries)), 0, "SHA-1");
    expect(read.size).toBeGreaterThan(1);
    expect(read.size).toBeLessThan(20);
  });

  it("in which the commits name what they differ from by its hash is known too", async () => {
    const words = "A long body that commits have in common, so that one is written as what differs. ".repeat(20);
    const old = commit(`base\n\n${words}`);
    let tip = old;
    for (let count = 0; count < 10; count += 1) tip = commit(`by name ${count}\n\n${words}`);
    const bytes = pack([tip], [old], []);
    for (const size of [1, bytes.length]) expect(await shows(bytes, tip, old, size)).toBe(true);
  });

  it("is the same where the commits come with files", async () => {
    const old = git("rev-parse", "HEAD");
    execFileSync(
      "bash",
      ["-c", "head -c 300000 /dev/urandom > noise; for i in $(seq 40); do seq $i 2000 > f$i; done"],
      { cwd: folder },
    );
    git("add", "--all");
    const next = commit("files");
    git("tag", "v1");
    const last = commit("last");
    const bytes = pack([last], [old]);
    for (const size of [1_000, bytes.length]) expect(await shows(bytes, last, old, size)).toBe(true);
    expect(next).not.toBe(last);
  });
});
