/**
 * What earlier clones on this machine have received, by repository. An entry is made of a clone before any commit but those of its
 * branches, and before anything of the run has worked in it; it is never changed afterwards, only replaced as a whole. A run gets
 * links to its files in a folder that its sandbox can only read.
 */
import { createHash, randomUUID } from "node:crypto";
import { constants, statfsSync } from "node:fs";
import { copyFile, link, lstat, mkdir, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { ClonedRepository } from "#protocol/repository.ts";
import { plainAddress } from "./git-settings.ts";

const GIB = 1_073_741_824;
const MOST_BYTES = 10 * GIB;
/** An entry is so old at most: then the repository is cloned anew, and what is not in it any more is gone here too. */
const MOST_AGE_MS = 7 * 86_400_000;
/** Each run that finds something new adds a pack, and many small ones make git slow. */
const MOST_PACKS = 30;
/** Nobody works so long on what is not an entry yet, or not any more: whoever did has died. */
const LEFT_AFTER_MS = 3_600_000;

const entrySchema = z.object({
  made_at_ms: z.number(),
  tips: z.array(z.string()),
  /** Names of files below `objects/pack`, and their lengths in bytes. */
  files: z.array(z.tuple([z.string().regex(/^pack-[0-9a-f]{40,64}\.[a-z]+$/), z.number()])),
});
type Entry = z.infer<typeof entrySchema>;

export interface KeptClone {
  /** The clone's own git folder. */
  gitFolder: string;
  /** The commits at which the branches are that were fetched. */
  tips: readonly string[];
  /** What the clone was given by `take`; null where it was given nothing. */
  reference: string | null;
}

/** @returns the name of the entry for clones of the same instance, address, branch, depth and folders. */
export function cacheKey(instanceUrl: string, { url, branch, depth, paths }: ClonedRepository): string {
  const wanted = [instanceUrl, plainAddress(url), branch ?? null, depth ?? null, paths ?? null];
  return createHash("sha256").update(JSON.stringify(wanted)).digest("hex").slice(0, 40);
}

export class CloneCache {
  readonly #folder: string;
  readonly #now: () => number;
  readonly #mostBytes: number;

  /** @param mostBytes for all entries together; the one that was used longest ago goes first. */
  constructor(folder: string, now: () => number = Date.now, mostBytes: number = MOST_BYTES) {
    this.#folder = folder;
    this.#now = now;
    this.#mostBytes = mostBytes;
  }

  /**
   * Gives a clone what an earlier one had. Never rejects.
   * @param into a folder that is not there yet, on the same file system.
   * @returns "damaged" for an entry whose files are not as they were stored: it is thrown away.
   */
  async take(key: string, into: string): Promise<"taken" | "damaged" | "none"> {
    const place = join(this.#folder, key);
    const entry = await readEntry(place);
    if (entry === null) return "none";
    if (this.#isOver(entry)) {
      await this.drop(key);
      return "none";
    }
    const given = await giveEntry(entry, place, into);
    // One that was replaced meanwhile may have been given in part as the one and in part as the other.
    const isSame = JSON.stringify(await readEntry(place)) === JSON.stringify(entry);
    if (given === "given" && isSame) {
      const now = this.#now() / 1_000;
      await utimes(join(place, "entry.json"), now, now).catch(() => {});
      return "taken";
    }
    await rm(into, { recursive: true, force: true }).catch(() => {});
    if (given !== "damaged" || !isSame) return "none";
    await this.drop(key);
    return "damaged";
  }

  /** Keeps what a clone has received, if that is anything new. Never rejects: a run does without. */
  async keep(key: string, clone: KeptClone): Promise<void> {
    const draft = join(this.#folder, `draft-${randomUUID()}`);
    try {
      const before = clone.reference === null ? null : await readEntry(clone.reference);
      if (before !== null && before.tips.join() === clone.tips.join()) return;
      const own = await packFiles(join(clone.gitFolder, "objects", "pack"));
      const files = [...(before?.files ?? []), ...own];
      if (files.filter(([name]) => name.endsWith(".pack")).length > MOST_PACKS) return await this.drop(key);
      if (!this.#hasRoom(own)) return;
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await mkdir(join(draft, "objects", "pack"), { recursive: true });
      if (before !== null && clone.reference !== null) await linkFiles(before, clone.reference, draft);
      for (const [name] of own) {
        const path = join("objects", "pack", name);
        await copyFile(join(clone.gitFolder, path), join(draft, path), constants.COPYFILE_FICLONE);
      }
      await copyShallow(clone.gitFolder, draft);
      const entry: Entry = { made_at_ms: before?.made_at_ms ?? this.#now(), tips: [...clone.tips], files };
      await writeFile(join(draft, "entry.json"), JSON.stringify(entry));
      await this.drop(key);
      await rename(draft, join(this.#folder, key));
    } catch {
      await rm(draft, { recursive: true, force: true }).catch(() => {});
    } finally {
      await this.#makeRoom().catch(() => {});
    }
  }

  /** Takes an entry away; what runs have of it stays with them. */
  async drop(key: string): Promise<void> {
    const gone = join(this.#folder, `gone-${randomUUID()}`);
    await rename(join(this.#folder, key), gone).catch(() => {});
    await rm(gone, { recursive: true, force: true }).catch(() => {});
  }

  #hasRoom(files: Entry["files"]): boolean {
    const bytes = bytesOf(files);
    const { bavail, bsize } = statfsSync(join(this.#folder, ".."));
    return bytes <= this.#mostBytes / 2 && bavail * bsize > 2 * bytes + GIB;
  }

  /** Takes away what is too old or can't be read, what a process that died has left of an entry, and entries until the rest fits. */
  async #makeRoom(): Promise<void> {
    const found = [];
    for (const name of await readdir(this.#folder)) {
      const stat = await lstat(join(this.#folder, name)).catch(() => null);
      const used = await lstat(join(this.#folder, name, "entry.json")).catch(() => stat);
      const entry = await readEntry(join(this.#folder, name));
      const isEntry = entry !== null && !/^(?:draft|gone)-/.test(name);
      if (isEntry && !this.#isOver(entry)) {
        found.push({ name, bytes: bytesOf(entry.files), usedAtMs: used?.mtimeMs ?? 0 });
      } else if (isEntry || this.#now() - (stat?.mtimeMs ?? 0) > LEFT_AFTER_MS) {
        await this.drop(name);
      }
    }
    let total = 0;
    for (const { name, bytes } of found.sort((a, b) => b.usedAtMs - a.usedAtMs)) {
      total += bytes;
      if (total > this.#mostBytes) await this.drop(name);
    }
  }

  /** Also where it would be of a time to come: then the clock has been set back, and its age is not known. */
  #isOver({ made_at_ms }: Entry): boolean {
    const ageMs = this.#now() - made_at_ms;
    return ageMs < 0 || ageMs > MOST_AGE_MS;
  }
}

async function readEntry(place: string): Promise<Entry | null> {
  try {
    return entrySchema.parse(JSON.parse(await readFile(join(place, "entry.json"), "utf8")));
  } catch {
    return null;
  }
}

/** @returns "damaged" where a file is not as the entry has it, "failed" where that is not the entry's fault. */
async function giveEntry(entry: Entry, place: string, into: string): Promise<"given" | "damaged" | "failed"> {
  try {
    await mkdir(join(into, "objects", "pack"), { recursive: true });
    await linkFiles(entry, place, into);
    await copyShallow(place, into);
    await writeFile(join(into, "tips"), entry.tips.map((tip) => `${tip}\n`).join(""));
    await writeFile(join(into, "entry.json"), JSON.stringify(entry));
    return "given";
  } catch (error) {
    return error instanceof OtherFile || (error as NodeJS.ErrnoException).code === "ENOENT" ? "damaged" : "failed";
  }
}

class OtherFile extends Error {}

/** @throws where a file is not as the entry has it. */
async function linkFiles({ files }: Entry, from: string, to: string): Promise<void> {
  for (const [name, bytes] of files) {
    const path = join("objects", "pack", name);
    await link(join(from, path), join(to, path));
    const { size } = await lstat(join(to, path));
    if (size !== bytes) throw new OtherFile(`${name} has ${size} bytes, not ${bytes}`);
  }
}

/** Where the history of a clone is cut off; a whole one has no such file. */
async function copyShallow(from: string, to: string): Promise<void> {
  await copyFile(join(from, "shallow"), join(to, "shallow")).catch(() => {});
}

/** The packs of a clone, each with what belongs to it. What else is in the folder is not git's, or not whole. */
async function packFiles(folder: string): Promise<Entry["files"]> {
  const files: Entry["files"] = [];
  for (const name of await readdir(folder)) {
    const stat = await lstat(join(folder, name));
    if (stat.isFile() && /^pack-[0-9a-f]{40,64}\.(?:pack|idx|rev|promisor)$/.test(name)) files.push([name, stat.size]);
  }
  return files;
}

function bytesOf(files: Entry["files"]): number {
  return files.reduce((sum, [, bytes]) => sum + bytes, 0);
}
