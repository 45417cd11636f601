/** Reads a file of settings that a repository brings along, before anything of the run works in its working tree. */
import { constants, open, realpath } from "node:fs/promises";
import { join, sep } from "node:path";

export const SETTINGS_FILE = ".claude/settings.json";
export const SERVERS_FILE = ".mcp.json";
/** What is longer is no file of settings that anybody wrote. */
const LIMIT_BYTES = 1_048_576;

/** @returns null where there is none, and where its place leads out of the working tree. Its text is null where it is too long. Never rejects. */
export async function readRepositoryFile(folder: string, name: string): Promise<{ text: string | null } | null> {
  try {
    const [root, file] = await Promise.all([realpath(folder), realpath(join(folder, name))]);
    if (!file.startsWith(root + sep)) return null;
    // Else a pipe would be waited for until somebody wrote into it.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = await handle.stat();
      if (!found.isFile()) return null;
      return { text: found.size > LIMIT_BYTES ? null : await handle.readFile("utf8") };
    } finally {
      await handle.close();
    }
  } catch {
    return null;
  }
}
