/** What every place for results of setup scripts does. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, describe, expect, it } from "vitest";
import type { Archive, KeptSetup, SetupStore } from "#sandbox-runner/setup/setup-store.ts";

export interface StoreBed {
  store: SetupStore;
  /** Lets so many milliseconds pass. */
  pass(ms: number): void;
}

const DAY_MS = 24 * 3_600_000;

/** @param open makes an empty store. @param folder where archives are made: one file system with the store's. */
export function setupStoreSuite(name: string, open: (folder: string) => Promise<StoreBed>): void {
  const folder = mkdtempSync(join(tmpdir(), "reveille-setups-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const { signal } = new AbortController();
  const key = (text: string) => createHash("sha256").update(text).digest("hex");
  let count = 0;
  const archive = (content: Buffer): Archive => {
    count += 1;
    const file = join(folder, `archive-${count}`);
    writeFileSync(file, content);
    return { file, bytes: content.length, sha256: createHash("sha256").update(content).digest("hex") };
  };
  const contentOf = async (kept: KeptSetup | null) => (kept === null ? null : await buffer(kept.content));

  describe(name, () => {
    it("gives back what it was given, to all who ask, and nothing under another key", async () => {
      const { store } = await open(folder);
      const content = Buffer.alloc(3_000_000, "some content");
      const given = archive(content);
      expect(await store.find(key("a"), signal)).toBeNull();
      await store.keep(key("a"), given, signal);
      const [one, two] = await Promise.all([store.find(key("a"), signal), store.find(key("a"), signal)]);
      expect(one).toMatchObject({ bytes: given.bytes, sha256: given.sha256, keptAtMs: expect.any(Number) });
      expect([await contentOf(one), await contentOf(two)].every((found) => found?.equals(content))).toBe(true);
      expect(await store.find(key("b"), signal)).toBeNull();
    });

    it("has the last of several, whole, also where they come at once", async () => {
      const { store } = await open(folder);
      const contents = [1, 2, 3, 4, 5].map((byte) => Buffer.alloc(100_000 + byte, byte));
      await store.keep(key("a"), archive(Buffer.from("first")), signal);
      await Promise.all(contents.map((content) => store.keep(key("a"), archive(content), signal)));
      const kept = await store.find(key("a"), signal);
      const found = await contentOf(kept);
      expect(contents.some((content) => found?.equals(content))).toBe(true);
      expect(kept?.sha256).toBe(
        createHash("sha256")
          .update(found ?? "")
          .digest("hex"),
      );
      await store.keep(key("a"), archive(Buffer.from("last")), signal);
      expect(String(await contentOf(await store.find(key("a"), signal)))).toBe("last");
    });

    it("gives all of one to who asks while others are kept", async () => {
      const { store } = await open(folder);
      const keeping = (async () => {
        for (let byte = 0; byte < 40; byte += 1) await store.keep(key("a"), archive(Buffer.alloc(1_000, byte)), signal);
        return true as const;
      })();
      const isOver = () => Promise.race([keeping, Promise.resolve(false)]);
      while (!(await isOver())) {
        const kept = await store.find(key("a"), signal);
        const content = await contentOf(kept);
        if (content !== null) expect(createHash("sha256").update(content).digest("hex")).toBe(kept?.sha256);
      }
    });

    it("has nothing that is older than seven days", async () => {
      const { store, pass } = await open(folder);
      await store.keep(key("a"), archive(Buffer.from("old")), signal);
      pass(7 * DAY_MS - 1_000);
      expect(String(await contentOf(await store.find(key("a"), signal)))).toBe("old");
      pass(2_000);
      expect(await store.find(key("a"), signal)).toBeNull();
      await store.keep(key("a"), archive(Buffer.from("new")), signal);
      expect(String(await contentOf(await store.find(key("a"), signal)))).toBe("new");
    });

    it("keeps an empty archive", async () => {
      const { store } = await open(folder);
      await store.keep(key("a"), archive(Buffer.alloc(0)), signal);
      expect(await contentOf(await store.find(key("a"), signal))).toEqual(Buffer.alloc(0));
    });
  });
}
