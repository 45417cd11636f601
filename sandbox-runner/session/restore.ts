/** Puts what a session goes on from into a new machine, before its agent starts: the conversation, and the workspace. */
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createZstdDecompress } from "node:zlib";
import {
  conversationPath,
  type EarlierCall,
  type Resume,
  WORKSPACE_LIMIT_BYTES,
  workspacePath,
} from "#protocol/conversation.ts";
import { oneLine } from "../agent/outcome.ts";
import type { Clone } from "../git/clone-plan.ts";
import { askInstance, type InstanceAccess } from "../link/instance-request.ts";
import { Counted } from "../process/counted.ts";
import { Looked } from "../process/looked.ts";
import { META } from "./conversation-mirror.ts";
import { ARCHIVE_PARTS, cloneName, projectFolder, runScript, type SessionPlace, stagingFolder } from "./workspace.ts";
import { RESTORE_CLONE, RESTORE_FILES, UNPACK, WRITE_FILE } from "./workspace-scripts.ts";

interface Given {
  instance: InstanceAccess;
  runId: string;
  sdkSessionId: string;
  resume: Resume;
  place: SessionPlace;
  signal: AbortSignal;
}

/** For a program, from the last piece that it was given. */
const DEADLINE_MS = 120_000;
const LONGEST_CONVERSATION_BYTES = 1_024 ** 3;
/** How often a request is made that has met no answer. */
const TRIES = 3;

/**
 * @returns calls that the last run has made, and of which the conversation knows nothing.
 * @throws Error when not all of it is there: an agent that has forgotten a part would not know.
 */
export async function restoreConversation(given: Given): Promise<EarlierCall[]> {
  const { files, calls } = given.resume;
  const found = new Set<string>();
  const ids = calls.map(({ tool_call_id }) => tool_call_id);
  for (const [number, { file, bytes }] of files.entries()) {
    const look = () => new Looked(ids, (id) => found.add(id));
    await tried(() => restoreFile(given, { number, file, bytes }, look()));
  }
  return calls.filter(({ tool_call_id }) => !found.has(tool_call_id));
}

async function restoreFile(
  given: Given,
  { number, file, bytes }: { number: number; file: string | null; bytes: number },
  looked: Looked,
): Promise<void> {
  const { place, sdkSessionId, runId, signal } = given;
  const project = projectFolder(place);
  const path = file === null ? join(project, `${sdkSessionId}.jsonl`) : join(project, sdkSessionId, file);
  const content = await ask(given, conversationPath(runId, number));
  const counted = new Counted(LONGEST_CONVERSATION_BYTES);
  const input = new PassThrough();
  const read = settled(pipeline(content, counted, looked, input));
  const which = file?.endsWith(META) === true ? "last" : "all";
  const end = await runScript(place, WRITE_FILE, [path, which], { deadlineMs: DEADLINE_MS, signal, input });
  input.destroy();
  const fault = await read;
  if (end.how !== "exited" || end.code !== 0) throw new Error(oneLine(end.stderr) || `it could not be written`);
  if (fault !== null) throw fault;
  if (counted.bytes !== bytes) throw new Error(`${counted.bytes} bytes came of ${bytes}`);
}

export interface RestoredWorkspace {
  /** What was kept and could not be put back, in words. */
  lost: string[];
  /** The commits at which clones are now, by their folders. */
  commits: Map<string, string>;
}

/** @returns null where what was kept can't be had. */
export async function restoreWorkspace(given: Given): Promise<RestoredWorkspace | null> {
  const restored: RestoredWorkspace = { lost: [], commits: new Map() };
  const archive = given.resume.workspace?.archive ?? null;
  if (archive === null) return restored;
  const { place, signal } = given;
  const staging = stagingFolder(place);
  const unpacked = await tried(() => unpack(given, archive)).then(
    () => true,
    () => false,
  );
  if (!unpacked) return null;
  const clones = place.clones.filter(({ folder }) => !place.foreign.includes(folder));
  await Promise.all(clones.map((clone) => restoreClone(given, clone, restored)));
  // Nothing of a clone that somebody else has made may be overlaid.
  for (const folder of place.foreign) {
    const kept = join(staging, ARCHIVE_PARTS.workspace, folder.slice(folder.lastIndexOf("/") + 1));
    await place.sandbox.run(["rm", "-rf", "--", kept], { cwd: "/", env: place.env }, boundsOf(given));
  }
  const parts = [
    [ARCHIVE_PARTS.workspace, place.folder.workspace, "files of the workspace"],
    [ARCHIVE_PARTS.home, place.folder.home, "long outputs of earlier tools, and the task list"],
  ] as const;
  for (const [part, to, words] of parts) {
    const end = await runScript(place, RESTORE_FILES, [join(staging, part), to], { deadlineMs: DEADLINE_MS, signal });
    if (end.how !== "exited" || end.code !== 0) restored.lost.push(words);
  }
  await place.sandbox.run(["rm", "-rf", "--", staging], { cwd: "/", env: place.env }, boundsOf(given));
  return restored;
}

async function restoreClone({ place, signal }: Given, clone: Clone, restored: RestoredWorkspace): Promise<void> {
  const records = join(stagingFolder(place), ARCHIVE_PARTS.records, cloneName(clone));
  const given = { deadlineMs: DEADLINE_MS, signal };
  const end = await runScript(place, RESTORE_CLONE, [clone.folder, records], given);
  if (end.how !== "exited" || end.code !== 0) restored.lost.push(`branches and commits of ${clone.url}`);
  for (const line of end.stdout.split("\n")) {
    const [kind = ""] = line.split(" ", 1);
    const rest = line.slice(kind.length + 1);
    if (kind === "lost") restored.lost.push(`${rest} of ${clone.url}`);
    if (kind === "at" && rest !== "") restored.commits.set(clone.folder, rest);
  }
}

async function unpack(given: Given, { bytes, sha256 }: { bytes: number; sha256: string }): Promise<void> {
  const { place, runId, signal } = given;
  const content = await ask(given, workspacePath(runId));
  const counted = new Counted(WORKSPACE_LIMIT_BYTES);
  const input = new PassThrough();
  const read = settled(pipeline(content, counted, createZstdDecompress(), input));
  const end = await runScript(place, UNPACK, [stagingFolder(place)], { deadlineMs: DEADLINE_MS, signal, input });
  input.destroy();
  const fault = await read;
  if (end.how !== "exited" || end.code !== 0) throw new Error(oneLine(end.stderr) || "it could not be unpacked");
  if (fault !== null) throw fault;
  if (counted.bytes !== bytes || counted.sha256() !== sha256) throw new Error("its content is not what was kept");
}

/** @throws when the instance does not give it. */
async function ask({ instance, signal }: Given, path: string): Promise<Readable> {
  const { status, body } = await askInstance(instance, { method: "GET", path, signal });
  if (status === 200) return body;
  body.destroy();
  throw new Error(`the instance answered ${status}`);
}

async function tried<Value>(work: () => Promise<Value>): Promise<Value> {
  let fault: unknown;
  for (let tries = 0; tries < TRIES; tries += 1) {
    try {
      return await work();
    } catch (error) {
      fault = error;
    }
  }
  throw fault;
}

function settled(work: Promise<void>): Promise<Error | null> {
  return work.then(
    () => null,
    (error: Error) => error,
  );
}

function boundsOf({ signal }: Given) {
  return { deadlineMs: DEADLINE_MS, outputCapBytes: 4_096, signal };
}
