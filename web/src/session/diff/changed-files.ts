/** Pure: the files of a change with their lines, and which of them are open at first. */
import type { Diff } from "../../client/generated.ts";
import { type FilePatch, readPatch } from "./patch.ts";

type Change = Diff["repositories"][number]["changes"][number];

export interface ShownFile {
  path: string;
  previousPath: string | null;
  /** Lines; null for a binary file. */
  additions: number | null;
  deletions: number | null;
  /** Null where its lines were left out. */
  patch: FilePatch | null;
}

/** So many lines of a change are open at first, and so many of one file. */
const OPEN_LINES = 1_200;
const OPEN_LINES_OF_FILE = 400;

export function changedFiles({ files, patch }: Change): ShownFile[] {
  const patches = new Map(readPatch(patch).map((each) => [each.path, each]));
  return files.map(({ path, previous_path: previousPath = null, additions, deletions }) => ({
    path,
    previousPath,
    additions,
    deletions,
    patch: patches.get(path) ?? null,
  }));
}

/** The first files, as long as they are not long. */
export function openAtFirst(files: readonly ShownFile[]): boolean[] {
  let left = OPEN_LINES;
  return files.map((file) => {
    const lines = linesOf(file);
    if (lines > OPEN_LINES_OF_FILE || lines > left) return false;
    left -= lines;
    return true;
  });
}

function linesOf({ patch }: ShownFile): number {
  return patch?.hunks.reduce((sum, { lines }) => sum + lines.length, 0) ?? 0;
}
