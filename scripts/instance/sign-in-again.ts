/** A way into an instance that is running on a state folder, for whoever has lost the one that its start printed. */
import path from "node:path";
import { lockHolder } from "./lock.ts";
import { localFileSchema, makeSignInUrl } from "./seed.ts";
import { readStateFile } from "./state-folder.ts";

const DEADLINE_MS = 10_000;

export interface RunningInstance {
  pid: number;
  /** With a one-use sign-in code in its fragment. */
  signInUrl: string;
}

/** @returns null where none is running, or it can't be asked: it may still be starting. */
export async function signInAgain(stateFolder: string): Promise<RunningInstance | null> {
  const pid = await lockHolder(stateFolder);
  if (pid === null) return null;
  const local = await readStateFile(path.join(stateFolder, "local.json"), localFileSchema);
  if (!local.ok || local.value === null) return null;
  const { url, owner_token: ownerToken } = local.value;
  const made = await makeSignInUrl({ url, origin: url, ownerToken, signal: AbortSignal.timeout(DEADLINE_MS) });
  return made.ok ? { pid, signInUrl: made.value } : null;
}
