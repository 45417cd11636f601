/** What a push asks for, read as `git receive-pack` reads it. Pure. */
import { branchOf } from "#protocol/git-refs.ts";
import { isNothing, type RefUpdate } from "#rules/push-marks.ts";

/** One ref that a push asks to change. Object names are in lower case. */
export interface PushCommand extends RefUpdate {
  /** The ref's name as it was sent. Where these bytes are not UTF-8, `ref` only looks like it. */
  bytes: Uint8Array;
}

export interface PushRequest {
  commands: PushCommand[];
  features: ReadonlySet<string>;
  /** The commands are inside of a certificate, which has not been read. */
  isSigned: boolean;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: false });
const exactDecoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/** @param packets what came before the first flush packet. @throws RangeError when they are not a push's commands. */
export function parsePush(packets: readonly Uint8Array[]): PushRequest {
  const commands: PushCommand[] = [];
  const features = new Set<string>();
  let isSigned = false;
  for (const packet of packets) {
    const { line, listed } = splitLine(packet);
    const text = decoder.decode(line);
    // Git looks for features on every line but these.
    if (/^shallow (?:[0-9a-f]{40}|[0-9a-f]{64})/i.test(text)) continue;
    for (const feature of featuresOf(decoder.decode(listed))) features.add(feature);
    if (text === "push-cert") {
      isSigned = true;
      break;
    }
    commands.push(commandOf(text, line));
  }
  return { commands, features, isSigned };
}

/** A line ends at its first zero byte; what it lists ends at the next one. One line feed at the packet's end is no part. */
function splitLine(packet: Uint8Array): { line: Uint8Array; listed: Uint8Array } {
  const whole = packet.at(-1) === 0x0a ? packet.subarray(0, -1) : packet;
  const end = whole.indexOf(0);
  if (end === -1) return { line: whole, listed: new Uint8Array() };
  const listed = whole.subarray(end + 1);
  const second = listed.indexOf(0);
  return { line: whole.subarray(0, end), listed: second === -1 ? listed : listed.subarray(0, second) };
}

/** Git's own white space stands between features, and a value behind one does not change that it is there. */
function featuresOf(listed: string): string[] {
  return listed
    .split(/[ \t\n\r]+/)
    .filter((word) => word !== "")
    .map((word) => word.replace(/=.*$/s, ""));
}

function commandOf(text: string, line: Uint8Array): PushCommand {
  const read = /^(?:([0-9a-f]{40}) ([0-9a-f]{40})|([0-9a-f]{64}) ([0-9a-f]{64})) (.+)$/is.exec(text);
  const previous = read?.[1] ?? read?.[3];
  const commit = read?.[2] ?? read?.[4];
  const ref = read?.[5];
  if (previous === undefined || commit === undefined || ref === undefined) throw new RangeError("not a push command");
  const bytes = line.slice(previous.length + commit.length + 2);
  return { previous: previous.toLowerCase(), commit: commit.toLowerCase(), ref, bytes };
}

/** Whether a ref's bytes are text: what is not has no name that a webhook or an answer could tell. */
export function isText({ bytes }: PushCommand): boolean {
  try {
    exactDecoder.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

export interface PushedBranch {
  branch: string;
  commit: string;
  /** The commit that the branch had before; null for a new branch. */
  previous: string | null;
}

/** The branches that a push has set, without those that it deleted. */
export function pushedBranches(commands: readonly RefUpdate[], accepted: ReadonlySet<string>): PushedBranch[] {
  return commands.flatMap(({ previous, commit, ref }) => {
    const branch = branchOf(ref);
    if (branch === null || !accepted.has(ref) || isNothing(commit)) return [];
    return [{ branch, commit, previous: isNothing(previous) ? null : previous }];
  });
}
