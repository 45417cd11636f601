/** As whom a run's commands can be in their sandbox, as far as this machine lets it be tried. */
import { spawnSync } from "node:child_process";
import type { BedOptions } from "./bed.ts";

export interface Way {
  /** Whose sandbox it is. */
  name: string;
  options: BedOptions;
  /** Whether the agent is user 0 of the machine. */
  isUserZero: boolean;
}

/** A user without an account. */
export const USER = 20_001;

export const isRoot = process.geteuid?.() === 0;
/** Whether a user without rights of its own can start this Node: where the project lies in a folder that is shut, none can. */
const isOpen = isRoot && spawnSync(process.execPath, ["-e", "0"], { uid: USER, gid: USER }).status === 0;
if (isRoot && !isOpen)
  process.stderr.write("other users can't enter the project's folder: their sandboxes are not tried\n");

/** What a runner has that is started as these tests are. */
export const usualWays: Way[] =
  isRoot && !isOpen ? [] : [{ name: isRoot ? "root's" : "a user's", options: { mode: 0o711 }, isUserZero: false }];
/** What a runner that is root has where others can't get to its folder. */
export const shutWays: Way[] = isRoot
  ? [{ name: "root's in a folder that is shut", options: { mode: 0o700 }, isUserZero: true }]
  : [];
/** Where these tests are root's: what the runner of a user has. */
export const usersWays: Way[] = isOpen
  ? [{ name: "a user's", options: { mode: 0o711, uid: USER }, isUserZero: false }]
  : [];
