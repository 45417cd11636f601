/** Where the sockets of containers are: in the runner's state folder, below the length that a socket's path may have. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { SOCKET_NAME } from "./run-arguments.ts";

/** Of an executor's name: its end is drawn at random. */
const NAME_LENGTH = 12;
/** With its end, in bytes, on Linux. */
const LONGEST_PATH = 107;

/** The folder with the sockets of an executor. */
export function socketFolder(stateFolder: string, executor: string): string {
  return join(stateFolder, "sockets", executor.slice(-NAME_LENGTH));
}

/** @returns what is wrong with a state folder in this, in one line, or null. */
export function socketFault(stateFolder: string): string | null {
  const longest = join(socketFolder(stateFolder, "x".repeat(NAME_LENGTH)), SOCKET_NAME);
  const over = Buffer.byteLength(longest) - LONGEST_PATH;
  return over <= 0 ? null : `REVEILLE_STATE: ${stateFolder} is ${over} characters too long for the sockets in it`;
}

/** Removes what an earlier process has left. @throws when the file system refuses. */
export async function removeSocketFolders(stateFolder: string): Promise<void> {
  await rm(join(stateFolder, "sockets"), { recursive: true, force: true });
}
