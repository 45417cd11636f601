/**
 * A copy of a repository in which the agent's program is started before there is a run: made of what the runner keeps of earlier
 * clones, for nobody's credential is there yet. When the run has come it clones as every run does, beside the copy; what it has cloned
 * then takes the copy's place, file by file, for the program stands in the copy's folder.
 */
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DEFAULT_DEPTH } from "#protocol/repository.ts";
import { cloneEnvironment } from "../agent/agent-environment.ts";
import { readRepositoryFile, SETTINGS_FILE } from "../agent/read-repository-file.ts";
import { type CloneCache, cacheKey } from "../git/clone-cache.ts";
import { type Clone, COPY_SETTINGS, copyCommand, planClones, readSeen } from "../git/clone-plan.ts";
import { describeClones } from "../git/clone-words.ts";
import { settingsOfCopy } from "../git/git-settings.ts";
import { type RunFolder, removeTree } from "../process/run-folder.ts";
import type { Bounds } from "../process/spawn.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { type Instructions, isSameToRead, readInstructions } from "./instructions.ts";
import type { Copy } from "./start-shape.ts";

export interface CopyPlace {
  /** The mark of its processes. */
  mark: string;
  sandbox: Sandbox;
  /** As this machine has it. */
  folder: RunFolder;
  /** The relay, as what is in the sandbox calls it. */
  relayUrl: string;
  /** What stands for the run's id in the relay's paths. */
  id: string;
  /** What earlier clones have received, and of which instance. */
  cache: { clones: Pick<CloneCache, "take">; instanceUrl: string };
}

const MAKE_MS = 60_000;
const REFRESH_MS = 10_000;
const OUTPUT_CAP_BYTES = 65_536;
/** The one folder of what it has read at its start that the program watches: it would read anew what is put in its place. */
const WATCHED = ".claude";
/** In the run's folder, out of the sandbox's reach: the clone's own folder, once all but what is watched has been moved out of it. */
const EMPTIED = "emptied";

export class RepositoryCopy {
  /** The program's working folder. */
  readonly folder: string;
  /** What the agent is told of its clone. */
  readonly told: string;
  /** The repository's settings; null where it has none. */
  readonly settings: string | null;
  readonly #place: CopyPlace;
  readonly #commit: string;
  readonly #read: Instructions;
  /** Whether files of the clone have been moved here one by one, and back. */
  #hasMovedBack = false;

  /**
   * @param signal ends it. @returns null where none can be made, or no program may be started in it. What has been made by then is in the
   * workspace: whoever has asked empties it.
   */
  static async make(copy: Copy, place: CopyPlace, signal: AbortSignal): Promise<RepositoryCopy | null> {
    const [plan] = planClones([copy.repository], null);
    if (plan === undefined) return null;
    const { sandbox, folder, cache } = place;
    const reference = referenceIn(folder);
    await rm(reference, { recursive: true, force: true });
    if ((await cache.clones.take(cacheKey(cache.instanceUrl, copy.repository), reference)) !== "taken") return null;
    // Those of the run take their place.
    const settingsOfGit = settingsOfCopy({
      relayUrl: place.relayUrl,
      runId: place.id,
      repositories: [copy.repository],
    });
    await writeFile(join(folder.git, "config"), settingsOfGit);
    const { branch, commit, default_branch: defaultBranch } = copy;
    const command = copyCommand(plan, { template: folder.template, reference, branch, commit, defaultBranch });
    const end = await sandbox.run(command, gitPlace(place, folder.workspace), within(MAKE_MS, signal));
    const seen = readSeen(end.stdout);
    // What lies elsewhere is not brought: it takes a run's credential.
    if (end.code !== 0 || seen.head?.commit !== commit || seen.pointers > 0 || seen.hasSubmodules) return null;
    const made = join(folder.workspace, plan.name);
    const read = await readInstructions(made);
    if (read === null || signal.aborted) return null;
    const settings = await readRepositoryFile(made, SETTINGS_FILE);
    return new RepositoryCopy(made, copy, place, read, settings?.text ?? null);
  }

  private constructor(
    folder: string,
    { commit, branch, default_branch: defaultBranch, is_shallow: isShallow, repository }: Copy,
    place: CopyPlace,
    read: Instructions,
    settings: string | null,
  ) {
    const { url, depth = DEFAULT_DEPTH, paths = null } = repository;
    this.folder = folder;
    this.told = describeClones([{ url, folder, commit, base: commit, branch, defaultBranch, isShallow, depth, paths }]);
    this.settings = settings;
    this.#place = place;
    this.#commit = commit;
    this.#read = read;
  }

  /** Removes what the program does not look at any more: while it waits, nothing is kept twice. */
  async thinOut(): Promise<void> {
    for (const name of await readdir(this.folder)) {
      if (name !== ".git" && !this.#read.entries.has(name)) await removeTree(join(this.folder, name));
    }
  }

  /** Whether a program that was started in the clone, once it lies here, would be as the one that was started in the copy. */
  async isLike(clone: Clone): Promise<boolean> {
    if (describeClones([{ ...clone, folder: this.folder }]) !== this.told) return false;
    const [there, here] = await Promise.all([readInstructions(clone.folder), readInstructions(this.folder)]);
    if (there === null || here === null || !isSameToRead(there, this.#read) || !isSameToRead(here, this.#read))
      return false;
    return this.#read.isWhole || (clone.commit === this.#commit && clone.base === this.#commit);
  }

  /**
   * Puts the clone here, in place of the copy. @returns it at its place; null when the file system refuses: then the clone is whole where it
   * was, and the copy is not. @throws when that can't be undone either.
   */
  async giveWayTo(clone: Clone, signal: AbortSignal): Promise<Clone | null> {
    const moved: (readonly [from: string, to: string])[] = [];
    const move = async (from: string, to: string) => {
      await rename(from, to);
      moved.unshift([from, to]);
    };
    const emptied = join(this.#place.folder.root, EMPTIED);
    try {
      for (const name of await readdir(this.folder)) {
        if (name !== WATCHED) await removeTree(join(this.folder, name));
      }
      for (const name of await readdir(clone.folder)) {
        if (name !== WATCHED) await move(join(clone.folder, name), join(this.folder, name));
      }
      // As one step, which can be undone as the others can: to remove it is more than one.
      await move(clone.folder, emptied);
    } catch {
      this.#hasMovedBack = moved.length > 0;
      for (const [from, to] of moved) await rename(to, from);
      return null;
    }
    // Where it can't be removed it is out of the way, and goes with the run's folder.
    await removeTree(emptied).catch(() => {});
    return await this.#placed(clone, signal);
  }

  /** Has the clone lie here, and the copy no more: no program is in it. @returns it at its place. @throws when the file system refuses. */
  async yieldTo(clone: Clone, signal: AbortSignal): Promise<Clone> {
    await this.remove();
    await rename(clone.folder, this.folder);
    // Moved as a whole, its files have the times by which Git knows them: it need not look at them anew.
    return this.#hasMovedBack ? await this.#placed(clone, signal) : { ...clone, folder: this.folder };
  }

  /** No program is in it. @throws when the file system refuses. */
  async remove(): Promise<void> {
    await removeTree(this.folder);
    await rm(referenceIn(this.#place.folder), { recursive: true, force: true });
  }

  async #placed(clone: Clone, signal: AbortSignal): Promise<Clone> {
    const { sandbox, folder } = this.#place;
    await rm(referenceIn(folder), { recursive: true, force: true });
    // Git knows files by their times: to be moved changes one of them, and those of what the program watches are the copy's.
    const command = ["git", "update-index", "-q", "--refresh"] as const;
    await sandbox.run(command, gitPlace(this.#place, this.folder), within(REFRESH_MS, signal));
    // Left where it was ended at its deadline: no other command of git's would change anything.
    await rm(join(this.folder, ".git", "index.lock"), { force: true });
    return { ...clone, folder: this.folder };
  }
}

/** What the copy has of earlier clones. */
export function referenceIn({ git }: RunFolder): string {
  return join(git, "ahead");
}

function gitPlace({ mark, sandbox, folder }: CopyPlace, cwd: string) {
  const seen = { ...folder, home: sandbox.home ?? folder.home };
  return { cwd, env: { ...cloneEnvironment(mark, seen), ...COPY_SETTINGS } };
}

function within(deadlineMs: number, signal: AbortSignal): Bounds {
  return { deadlineMs, outputCapBytes: OUTPUT_CAP_BYTES, signal };
}
