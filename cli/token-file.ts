/** Reads a token from a file, which, unlike an argument or a variable, other processes are not shown. */
import { readFile, stat } from "node:fs/promises";

export type TokenFile = { ok: true; token: string; warning: string | null } | { ok: false; fault: string };

/** @returns the token without what surrounds it, and whether others on the machine can read the file. */
export async function readTokenFile(path: string): Promise<TokenFile> {
  try {
    const token = (await readFile(path, "utf8")).trim();
    if (token === "") return { ok: false, fault: `--token-file: ${path} is empty` };
    const isOpen = ((await stat(path)).mode & 0o007) !== 0;
    return { ok: true, token, warning: isOpen ? `Everybody on this machine may read ${path}: chmod 600 it.` : null };
  } catch (error) {
    return { ok: false, fault: `--token-file: ${error instanceof Error ? error.message : String(error)}` };
  }
}
