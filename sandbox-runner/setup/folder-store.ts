/** Results of setup scripts in a folder of the runner's machine, for all of its runs. */
import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { SETUP_KEPT_MS } from "#protocol/setup-archive.ts";
import type { Archive, KeptSetup, SetupStore } from "./setup-store.ts";

const aboutSchema = z.object({ bytes: z.int().min(0), sha256: z.string(), kept_at_ms: z.number() });
type About = z.infer<typeof aboutSchema>;

/** All results together take so much room at most: those that were not used for the longest time go first. */
const ROOM_BYTES = 5 * 1_024 ** 3;
/** What is being kept, or put away: left over where a runner has died meanwhile. */
const DRAFT = "draft-";
const DRAFT_KEPT_MS = 3_600_000;

export interface FolderStoreOptions {
  stateFolder: string;
  roomBytes?: number;
  /** Unix milliseconds. */
  now?: () => number;
}

/** A folder for each key, with the archive and a file about it, which come and go together with it. */
export class FolderStore implements SetupStore {
  readonly #folder: string;
  readonly #roomBytes: number;
  readonly #now: () => number;

  constructor({ stateFolder, roomBytes = ROOM_BYTES, now = Date.now }: FolderStoreOptions) {
    this.#folder = join(stateFolder, "setups");
    this.#roomBytes = roomBytes;
    this.#now = now;
  }

  async find(key: string): Promise<KeptSetup | null> {
    const place = join(this.#folder, key);
    const found = await openWhole(place);
    if (found === null) return null;
    const { file, about } = found;
    if (this.#isOld(about)) {
      await file.close();
      return null;
    }
    // The folder's own time says when it was last used.
    const used = new Date(this.#now());
    await utimes(place, used, used).catch(() => {});
    const { bytes, sha256, kept_at_ms: keptAtMs } = about;
    return { bytes, sha256, keptAtMs, content: file.createReadStream() };
  }

  /** Takes the archive's file away where both lie on one file system, as in the runner's state folder. */
  async keep(key: string, { file, bytes, sha256 }: Archive): Promise<void> {
    const draft = this.#aside();
    await mkdir(draft, { recursive: true, mode: 0o700 });
    try {
      await rename(file, join(draft, "archive"));
      const about: About = { bytes, sha256, kept_at_ms: this.#now() };
      await writeFile(join(draft, "about.json"), JSON.stringify(about));
      const used = new Date(this.#now());
      await utimes(draft, used, used);
      await this.#replace(join(this.#folder, key), draft);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
    await this.#makeRoom();
  }

  #aside(): string {
    return join(this.#folder, `${DRAFT}${randomUUID()}`);
  }

  /** A folder takes the place of an empty one alone, so what is there is put away first; another may come in between. */
  async #replace(place: string, draft: string): Promise<void> {
    for (;;) {
      const old = this.#aside();
      await rename(place, old).catch(ignore("ENOENT"));
      const isThere = await rename(draft, place).then(() => true, ignore("ENOTEMPTY", "EEXIST"));
      await rm(old, { recursive: true, force: true });
      if (isThere === true) return;
    }
  }

  async #makeRoom(): Promise<void> {
    const names = await readdir(this.#folder);
    const places = await Promise.all(names.map((name) => this.#describe(name)));
    let bytes = 0;
    for (const { place, isOver, size } of places.sort((a, b) => b.usedAtMs - a.usedAtMs)) {
      bytes += isOver ? 0 : size;
      if (isOver || bytes > this.#roomBytes) await rm(place, { recursive: true, force: true });
    }
  }

  async #describe(name: string): Promise<{ place: string; usedAtMs: number; size: number; isOver: boolean }> {
    const place = join(this.#folder, name);
    const usedAtMs = (await stat(place).catch(() => null))?.mtimeMs ?? this.#now();
    const about = name.startsWith(DRAFT) ? null : await readAbout(place);
    if (about !== null) return { place, usedAtMs, size: about.bytes, isOver: this.#isOld(about) };
    // It may be another's that is on its way: what is left of one is seen by its age.
    return { place, usedAtMs, size: 0, isOver: usedAtMs < this.#now() - DRAFT_KEPT_MS };
  }

  #isOld({ kept_at_ms }: About): boolean {
    return Math.abs(this.#now() - kept_at_ms) > SETUP_KEPT_MS;
  }
}

/** @returns an archive and what is written about it, not about another that is taking its place; null where there is none. */
async function openWhole(place: string): Promise<{ file: FileHandle; about: About } | null> {
  for (;;) {
    const about = await readAbout(place);
    const file = about === null ? null : await open(join(place, "archive")).catch(() => null);
    if (about === null || file === null) return null;
    if ((await readAbout(place))?.sha256 === about.sha256) return { file, about };
    await file.close();
  }
}

/** @returns null where there is none, or none that is whole. */
async function readAbout(place: string): Promise<About | null> {
  try {
    return aboutSchema.parse(JSON.parse(await readFile(join(place, "about.json"), "utf8")));
  } catch {
    return null;
  }
}

function ignore(...codes: string[]): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (!codes.includes(error.code ?? "")) throw error;
  };
}
