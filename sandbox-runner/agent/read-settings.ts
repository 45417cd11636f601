/** Reads the settings that a repository brings along, before anything of the run works in its working tree. */
import { open, realpath } from "node:fs/promises";
import { join, sep } from "node:path";

const SETTINGS_FILE = ".claude/settings.json";
/** What is longer is not a settings file that anybody wrote. */
const LIMIT_BYTES = 1_048_576;

/** @returns null where there is none, or where its place leads out of the working tree. Never rejects. */
export async function readSettings(folder: string): Promise<string | null> {
  try {
    const [root, file] = await Promise.all([realpath(folder), realpath(join(folder, SETTINGS_FILE))]);
    if (!file.startsWith(root + sep)) return null;
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      return size > LIMIT_BYTES ? null : await handle.readFile("utf8");
    } finally {
      await handle.close();
    }
  } catch {
    return null;
  }
}
