/**
 * What the agent's program reads of a repository when it starts, before it has a task: two working trees in which that is the same
 * start it alike. The program does not look again, but for the folder `.claude`.
 */
import { createHash } from "node:crypto";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { SETTINGS_FILE } from "../agent/read-repository-file.ts";
import { SETTINGS_NAMES } from "../git/checkout-plan.ts";

export interface Instructions {
  /** Path → its kind, its rights and a hash of what it holds, for everything at the root that sets a session up. */
  entries: ReadonlyMap<string, string>;
  /** Whether none of it leads to another file, which would be read as well: then nothing else of the tree makes a difference. */
  isWhole: boolean;
}

/** What is looked at without a doubt what it does when the program starts. */
const KNOWN_NAMES = [".claude", ".mcp.json", "AGENTS.md", "CLAUDE.local.md", "CLAUDE.md"];
const KNOWN_IN_CLAUDE = ["CLAUDE.md", "agents", "commands", "output-styles", "rules", "settings.json", "skills"];
const rules = z.array(z.string());
/** Settings that start nothing, and change nothing for what is started. */
const quietSettings = z
  .strictObject({
    $schema: z.string(),
    attribution: z.unknown(),
    includeCoAuthoredBy: z.boolean(),
    permissions: z.strictObject({ allow: rules, ask: rules, deny: rules }).partial(),
  })
  .partial();
/** What is more than that is nothing that somebody wrote for an agent. */
const MOST_ENTRIES = 1_000;
const MOST_BYTES = 4_194_304;

/**
 * @returns null for a repository that no program may be started in before there is a run, or of which that is not known: its settings
 * may have hooks, which would run when it starts.
 */
export async function readInstructions(folder: string): Promise<Instructions | null> {
  try {
    return await new Reading().read(folder);
  } catch {
    return null;
  }
}

/** Whether a program that was started with the one would have been started with the other alike, the rest of the tree aside. */
export function isSameToRead(one: Instructions, other: Instructions): boolean {
  const { size } = one.entries;
  return size === other.entries.size && [...one.entries].every(([path, what]) => other.entries.get(path) === what);
}

class Unknown extends Error {}

class Reading {
  readonly #entries = new Map<string, string>();
  #bytes = 0;
  #isWhole = true;

  /** @throws Error for what is not known. */
  async read(folder: string): Promise<Instructions> {
    const names = (await readdir(folder)).filter((name) => SETTINGS_NAMES.some((one) => one === name));
    if (names.some((name) => !KNOWN_NAMES.includes(name))) throw new Unknown();
    for (const name of names) await this.#add(folder, name);
    const inClaude = [...this.#entries.keys()].flatMap((path) => /^\.claude\/([^/]+)$/.exec(path)?.[1] ?? []);
    if (inClaude.some((name) => !KNOWN_IN_CLAUDE.includes(name))) throw new Unknown();
    return { entries: this.#entries, isWhole: this.#isWhole };
  }

  async #add(folder: string, path: string): Promise<void> {
    const place = join(folder, path);
    const stat = await lstat(place);
    if (this.#entries.size >= MOST_ENTRIES) throw new Unknown();
    // A plugin brings hooks of its own.
    if (path.endsWith("/.claude-plugin")) throw new Unknown();
    if (stat.isDirectory()) {
      this.#note(path, "folder", stat.mode, "");
      for (const name of await readdir(place)) await this.#add(folder, `${path}/${name}`);
    } else if (stat.isSymbolicLink()) {
      // The program follows it, to hooks perhaps.
      if (path === ".claude" || path === SETTINGS_FILE) throw new Unknown();
      // What it leads to is read in its place, and lies anywhere.
      this.#isWhole = false;
      this.#note(path, "link", stat.mode, await readlink(place));
    } else if (stat.isFile()) {
      this.#bytes += stat.size;
      if (this.#bytes > MOST_BYTES) throw new Unknown();
      const content = await readFile(place);
      // An instruction file imports others by this sign.
      if (content.includes("@")) this.#isWhole = false;
      if (path === SETTINGS_FILE) quietSettings.parse(JSON.parse(content.toString("utf8")));
      this.#note(path, "file", stat.mode, content);
    } else {
      throw new Unknown();
    }
  }

  #note(path: string, kind: string, mode: number, content: Buffer | string): void {
    this.#entries.set(path, `${kind} ${mode.toString(8)} ${createHash("sha256").update(content).digest("hex")}`);
  }
}
