/** The port to where results of setup scripts are kept. Every implementation passes `test/contracts/setup-store.ts`. */
import type { Readable } from "node:stream";

/** The home after a setup script, as a file of this machine's. */
export interface Archive {
  file: string;
  bytes: number;
  /** In lower-case hexadecimal digits. */
  sha256: string;
}

export interface KeptSetup {
  bytes: number;
  sha256: string;
  /** Unix milliseconds. */
  keptAtMs: number;
  /** Its bytes, which may be damaged. Whoever reads compares them with `sha256`. */
  content: Readable;
}

export interface SetupStore {
  /**
   * @param key of script and all that its result depends on: 64 hexadecimal digits.
   * @returns null where none is kept that is young enough. @throws when it can't be told.
   */
  find(key: string, signal: AbortSignal): Promise<KeptSetup | null>;
  /** Keeps an archive in the place of what is kept under the key. Others see all of it or nothing. @throws when it is not kept. */
  keep(key: string, archive: Archive, signal: AbortSignal): Promise<void>;
}
