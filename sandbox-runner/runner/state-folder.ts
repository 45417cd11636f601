/** The runner's state folder: one runner at a time, and nothing left of the one before. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { Log } from "../process/log.ts";
import { endMarkedProcesses, startTimeOf } from "../process/marked-processes.ts";
import { readRunRecord, removeRunFolder, runsFolder } from "../process/run-folder.ts";
import { killGroup } from "../process/spawn.ts";
import { letRunsThrough } from "../sandbox/sandbox-owner.ts";

const holderSchema = z.object({ pid: z.int(), start_time: z.string().nullable() });

const KILL_DEADLINE_MS = 5_000;

/**
 * Takes the folder for this process.
 * @returns what is wrong with it, in one line, or null.
 */
export async function takeStateFolder(stateFolder: string): Promise<string | null> {
  try {
    // What leads to it is no secret, and runs of root's go there as another user.
    await mkdir(dirname(stateFolder), { recursive: true, mode: 0o755 });
    await mkdir(runsFolder(stateFolder), { recursive: true, mode: 0o700 });
    for (const folder of [stateFolder, runsFolder(stateFolder)]) letRunsThrough(folder);
    const path = join(stateFolder, "runner.json");
    const holder = await readHolder(path);
    if (holder !== null && holder.pid !== process.pid && isAlive(holder)) {
      return `REVEILLE_STATE: ${stateFolder} is in use by another runner (process ${holder.pid}); stop it, or name another folder`;
    }
    const own = { pid: process.pid, start_time: startTimeOf(process.pid) };
    await writeFile(path, JSON.stringify(own), { mode: 0o600 });
    return null;
  } catch (error) {
    return `REVEILLE_STATE: ${stateFolder} can't be used: ${error instanceof Error ? error.message : String(error)}`;
  }
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
