/** The runner's state folder: one runner at a time, and nothing left of the one before. */
import { closeSync, openSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { Log } from "../process/log.ts";
import { endMarkedProcesses, startTimeOf } from "../process/marked-processes.ts";
import { readRunRecord, removeRunFolder, runsFolder } from "../process/run-folder.ts";
import { killGroup, runOnFile } from "../process/spawn.ts";
import { SANDBOX_TOOLS } from "../sandbox/sandbox-config.ts";
import { letRunsThrough } from "../sandbox/sandbox-owner.ts";

const holderSchema = z.object({ pid: z.int(), start_time: z.string().nullable() });

const KILL_DEADLINE_MS = 5_000;
const LOCK_DEADLINE_MS = 10_000;
/** What flock ends with when another process has the lock. */
const FLOCK_REFUSED = 1;

/** The folder is this process's until `release`; or what is wrong with it, in one line. */
export type TakenFolder = { ok: true; release(): void } | { ok: false; fault: string };

/** Takes the folder for this process: nobody else gets it before it is released, or this process has ended. */
export async function takeStateFolder(stateFolder: string): Promise<TakenFolder> {
  try {
    // What leads to it is no secret, and runs of root's go there as another user.
    await mkdir(dirname(stateFolder), { recursive: true, mode: 0o755 });
    await mkdir(runsFolder(stateFolder), { recursive: true, mode: 0o700 });
    for (const folder of [stateFolder, runsFolder(stateFolder)]) letRunsThrough(folder);
    return await lockedFolder(stateFolder);
  } catch (error) {
    const fault = `REVEILLE_STATE: ${stateFolder} can't be used: ${error instanceof Error ? error.message : String(error)}`;
    return { ok: false, fault };
  }
}

/** @throws when the file system refuses. */
async function lockedFolder(stateFolder: string): Promise<TakenFolder> {
  const path = join(stateFolder, "runner.json");
  const holder = await readHolder(path);
  const lock = await lockFile(join(stateFolder, "runner.lock"));
  if (lock === null || (holder !== null && holder.pid !== process.pid && isAlive(holder))) {
    lock?.release();
    const who = holder === null ? "" : ` (process ${holder.pid})`;
    const remedy = "stop it, or name another folder";
    return { ok: false, fault: `REVEILLE_STATE: ${stateFolder} is in use by another runner${who}; ${remedy}` };
  }
  const own = { pid: process.pid, start_time: startTimeOf(process.pid) };
  await writeFile(path, JSON.stringify(own), { mode: 0o600 });
  return { ok: true, release: lock.release };
}

/**
 * Has the kernel lock a file for this process: between runners that start at the same moment, and between containers with one
 * volume, where numbers of processes tell nothing. Node has no call for it, so flock locks the file that it inherits: the lock
 * is the open file's, and stays. Machines without flock go by the number of the process alone.
 * @returns null when another process has it.
 */
async function lockFile(path: string): Promise<{ release(): void } | null> {
  const descriptor = openSync(path, "a", 0o600);
  const code = await runOnFile(
    ["flock", "-n", "0"],
    descriptor,
    { cwd: "/", env: { PATH: SANDBOX_TOOLS } },
    LOCK_DEADLINE_MS,
  );
  if (code !== FLOCK_REFUSED) return { release: () => closeSync(descriptor) };
  closeSync(descriptor);
  return null;
}

/** Ends what an earlier runner left running, and deletes its run folders; one that can't be deleted stays, and is logged. */
export async function removeLeftovers(stateFolder: string, log: Log): Promise<void> {
  for (const name of await readdir(runsFolder(stateFolder))) {
    const root = join(runsFolder(stateFolder), name);
    const record = await readRunRecord(root);
    if (record !== null && isAlive(record)) killGroup(record.pid);
    const gone = await endMarkedProcesses(name, KILL_DEADLINE_MS, []);
    const outcome = await removeRunFolder(root).then(() => (gone ? "removed" : "processes_left"), String);
    log("leftover", { executor: name, outcome });
  }
}

async function readHolder(path: string) {
  try {
    return holderSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return null;
  }
}

/** Whether the very process is alive, not a later one with its number. */
function isAlive({ pid, start_time }: { pid: number; start_time: string | null }): boolean {
  return start_time !== null && startTimeOf(pid) === start_time;
}
