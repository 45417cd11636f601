/** One instance at a time on a state folder: a lock file that names its holder and outlives no process. */
import { readFileSync, rmSync } from "node:fs";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { codeOf, failed, type Outcome, succeeded } from "#scripts/outcome.ts";

const holderSchema = z.object({
  pid: z.int().min(1),
  /** Tells the holder from a later process with the same number; null where the system does not say. */
  started: z.string().nullable(),
});
type Holder = z.infer<typeof holderSchema>;

const ATTEMPTS = 5;

/**
 * @param who what holds it, as it is told to whoever comes second.
 * @returns how to give the lock back; that can be done while the process exits.
 */
export async function lockStateFolder(folder: string, who = "An instance is running"): Promise<Outcome<() => void>> {
  const file = path.join(folder, "lock");
  const draft = path.join(folder, `lock.${process.pid}.draft`);
  const self: Holder = { pid: process.pid, started: startTimeOf(process.pid) };
  await writeFile(draft, JSON.stringify(self), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      // A link appears with its content and only when there is none: the one step that two starts can race for.
      const taken = await link(draft, file).then(
        () => true,
        (error) => {
          if (codeOf(error) === "EEXIST") return false;
          throw error;
        },
      );
      if (taken) return succeeded(() => rmSync(file, { force: true }));
      const holder = await readHolder(file);
      if (holder !== null && isAlive(holder)) {
        return failed(
          `${who} on ${folder} already (process ${holder.pid}): use that one, or stop it with Ctrl-C first.`,
        );
      }
      await rm(file, { force: true });
    }
    return failed(`The lock ${file} could not be taken: try again.`);
  } finally {
    await rm(draft, { force: true });
  }
}

/** @returns the process that holds the folder now; null when none does. */
export async function lockHolder(folder: string): Promise<number | null> {
  const holder = await readHolder(path.join(folder, "lock"));
  return holder !== null && isAlive(holder) ? holder.pid : null;
}

async function readHolder(file: string): Promise<Holder | null> {
  try {
    const parsed = holderSchema.safeParse(JSON.parse(await readFile(file, "utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

function isAlive({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
  return started === null || startTimeOf(pid) === started;
}

/** When a process started, by the kernel's own count; null when it has ended, also if its parent has not heard of it, or there is no /proc. */
function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name may hold spaces and brackets; the fields after its last bracket do not. Start time is field 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return null;
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return `${boot}:${fields[19]}`;
  } catch {
    return null;
  }
}
