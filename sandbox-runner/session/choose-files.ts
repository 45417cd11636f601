/** Which files of a workspace are kept, and in which words is told what is not. Pure. */
import { LEFT_OUT_NAMED, WORKSPACE_LIMIT_BYTES } from "#protocol/conversation.ts";

/** What can be kept: a file of the workspace, or the commits of a clone that its host does not have. */
export interface Candidate {
  /** On this machine, as an absolute path. */
  path: string;
  /** For people. */
  name: string;
  bytes: number;
  /** Whether it goes before others, whatever its size. */
  isFirst: boolean;
}

export interface Choice {
  kept: Candidate[];
  leftOut: Candidate[];
}

/** What an archive adds for each: its header, and the rest of the last block. */
const OVERHEAD_BYTES = 2_048;
/** Room for what is written beside the files. */
const OWN_BYTES = 2 * 1_024 ** 2;
const MOST_FILES = 20_000;

/** As many as fit, the small ones first: of a workspace that is too large most is kept so. */
export function chooseFiles(candidates: readonly Candidate[], limitBytes = WORKSPACE_LIMIT_BYTES): Choice {
  const choice: Choice = { kept: [], leftOut: [] };
  let left = limitBytes - OWN_BYTES;
  const inOrder = candidates.toSorted(
    (one, other) => Number(other.isFirst) - Number(one.isFirst) || one.bytes - other.bytes,
  );
  for (const candidate of inOrder) {
    const bytes = candidate.bytes + candidate.path.length + OVERHEAD_BYTES;
    if (bytes > left || choice.kept.length >= MOST_FILES) choice.leftOut.push(candidate);
    else {
      left -= bytes;
      choice.kept.push(candidate);
    }
  }
  return choice;
}

const NAME_LIMIT = 300;
const MIB = 1_024 ** 2;

/** The largest first. */
export function namesOf(leftOut: readonly Candidate[]): string[] {
  return leftOut
    .toSorted((one, other) => other.bytes - one.bytes)
    .slice(0, LEFT_OUT_NAMED)
    .map(({ name, bytes }) =>
      bytes === 0 ? name.slice(0, NAME_LIMIT) : `${name.slice(0, NAME_LIMIT)} (${sizeOf(bytes)})`,
    );
}

function sizeOf(bytes: number): string {
  return bytes >= MIB ? `${(bytes / MIB).toFixed(1)} MiB` : `${Math.ceil(bytes / 1_024)} KiB`;
}

/** Records as the scripts print them, a NUL after each: their first word, and the rest. */
export function readRecords(output: string): { kind: string; rest: string }[] {
  return output
    .split("\0")
    .slice(0, -1)
    .map((record) => {
      const [kind = ""] = record.split(" ", 1);
      return { kind, rest: record.slice(kind.length + 1) };
    });
}

export interface SeenFile {
  path: string;
  bytes: number;
  /** False for a folder, and for what is neither a file nor a link. */
  isKept: boolean;
}

/** Of a record `file`. */
export function readFileRecord(rest: string): SeenFile {
  const [kind = "", bytes = "", ...path] = rest.split("\t");
  const isKept = /^(?:[fl]|regular.*|symbolic link)$/.test(kind);
  return { path: path.join("\t"), bytes: Number.parseInt(bytes, 10) || 0, isKept };
}
