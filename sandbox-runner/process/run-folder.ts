/** The folder of one attempt: what the agent may write, what it may only read, and what it never sees. */
import { readdirSync, rmSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { LeaseRef } from "#protocol/runner-link.ts";

export interface RunFolder {
  root: string;
  /** Writable in the sandbox: the clones. */
  workspace: string;
  /** Writable in the sandbox: the agent's own home. */
  home: string;
  /** Writable in the sandbox. */
  temporary: string;
  /** Only readable in the sandbox: scripts that start what runs there. */
  launch: string;
  /** Only readable in the sandbox: git's settings; its hooks, and the commands before it, in folders of their own. */
  git: string;
  hooks: string;
  tools: string;
  /** What a new clone begins with: git's folders, empty. */
  template: string;
  /** An empty folder outside of the sandbox: the working folder of the sandbox's manager. */
  neutral: string;
  /** Only readable in the sandbox: the sockets of its bridge. Outside `root`, because a socket's path must be short. */
  sockets: string;
}

/**
 * Where a sandbox shows the run's home: what a setup script installs there names its own place, and is used again by later
 * runs.
 */
export const STEADY_HOME = "/home/sandbox";

const recordSchema = z.object({ pid: z.int(), start_time: z.string().nullable(), sockets: z.string() });
/** What a later start of the runner needs in order to clean up after this attempt. */
export type RunRecord = z.infer<typeof recordSchema>;

/** Taken at the start: the sandbox's manager is later told another one. */
const SOCKETS_PREFIX = join(tmpdir(), "reveille-");
const REMOVE_OPTIONS = { recursive: true, force: true, maxRetries: 10, retryDelay: 50 } as const;

export function runsFolder(stateFolder: string): string {
  return join(stateFolder, "runs");
}

/**
 * @param name the executor's name. @param process the executor, as the record names it.
 * @param ownHome where the machine is the run's own: its home at a place of its own.
 */
export async function createRunFolder(
  stateFolder: string,
  name: string,
  process: { pid: number; startTime: string | null },
  ownHome?: string,
): Promise<RunFolder> {
  const root = join(runsFolder(stateFolder), name);
  await rm(root, REMOVE_OPTIONS);
  const folder: RunFolder = {
    root,
    workspace: join(root, "workspace"),
    home: ownHome ?? join(root, "home"),
    temporary: join(root, "tmp"),
    launch: join(root, "launch"),
    git: join(root, "git"),
    hooks: join(root, "git", "hooks"),
    tools: join(root, "git", "bin"),
    template: join(root, "git", "template"),
    neutral: join(root, "neutral"),
    sockets: await mkdtemp(SOCKETS_PREFIX),
  };
  await mkdir(root, { recursive: true, mode: 0o700 });
  const record: RunRecord = { pid: process.pid, start_time: process.startTime, sockets: folder.sockets };
  await writeFile(recordPath(root), JSON.stringify(record));
  const template = [join(folder.template, "hooks"), join(folder.template, "info")];
  const { workspace, home, temporary, launch, hooks, tools, neutral } = folder;
  for (const path of [workspace, home, temporary, launch, hooks, tools, neutral, ...template]) {
    await mkdir(path, { recursive: true });
  }
  return folder;
}

/** Notes in the folder, for people, which run it belongs to. */
export async function noteLease(root: string, lease: LeaseRef): Promise<void> {
  const draft = join(root, "lease.draft");
  await writeFile(draft, JSON.stringify(lease));
  await rename(draft, join(root, "lease.json"));
}

/** @returns null when the folder has none, or one that is not whole. */
export async function readRunRecord(root: string): Promise<RunRecord | null> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(recordPath(root), "utf8")));
  } catch {
    return null;
  }
}

/** Removes an attempt's folder and its sockets; safe to repeat. @throws when the file system refuses. */
export async function removeRunFolder(root: string): Promise<void> {
  const record = await readRunRecord(root);
  if (record?.sockets.startsWith(SOCKETS_PREFIX)) await rm(record.sockets, REMOVE_OPTIONS);
  await removeTree(root);
}

/** Removes all that is in a folder, but not the folder. @throws when the file system refuses. */
export async function emptyFolder(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    // A link is removed, not followed.
    await (entry.isDirectory() ? removeTree(path) : rm(path, REMOVE_OPTIONS));
  }
}

/** The same, before anything else is done. @throws when the file system refuses. */
export function emptyFolderNow(folder: string): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), REMOVE_OPTIONS);
}

/** Removes a file, or a folder with all that is in it. @throws when the file system refuses. */
export async function removeTree(path: string): Promise<void> {
  await rm(path, REMOVE_OPTIONS).catch(async () => {
    // Package caches, for instance, take the right to write away from their own folders.
    await makeWritable(path);
    await rm(path, REMOVE_OPTIONS);
  });
}

/** Files that vanish meanwhile are no fault: the first removal may still be at work. */
async function makeWritable(folder: string): Promise<void> {
  await chmod(folder, 0o700).catch(() => {});
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) await makeWritable(join(folder, entry.name));
  }
}

function recordPath(root: string): string {
  return join(root, "record.json");
}
