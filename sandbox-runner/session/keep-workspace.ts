/**
 * Packs the workspace as it is when an attempt ends: the commits of its clones that their hosts do not have, and the files that
 * differ from what is checked out. All of it is done by programs in the sandbox, as the agent's user.
 */
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress } from "node:zlib";
import { WORKSPACE_LIMIT_BYTES } from "#protocol/conversation.ts";
import { oneLine } from "../agent/outcome.ts";
import type { Clone } from "../git/clone-plan.ts";
import { Counted } from "../process/counted.ts";
import { awaitProcess } from "../process/spawn.ts";
import { type Candidate, chooseFiles, namesOf, readFileRecord, readRecords } from "./choose-files.ts";
import {
  ARCHIVE_PARTS,
  cloneName,
  placeOf,
  runScript,
  type SessionPlace,
  scriptCommand,
  sideFolders,
  stagingFolder,
} from "./workspace.ts";
import { LOOK_AT_CLONE, LOOK_AT_FOLDER, PACK, WRITE_FILE } from "./workspace-scripts.ts";

export interface PackedWorkspace {
  bytes: number;
  sha256: string;
  leftOut: string[];
  leftOutCount: number;
}

interface Given {
  place: SessionPlace;
  sdkSessionId: string;
  /** Where the archive is written. */
  file: string;
  deadlineMs: number;
  signal: AbortSignal;
}

/** The default takes longer and saves a tenth. */
const LEVEL = 1;
/** `tar` tells by its exit code that files changed while they were read, or were gone. */
const WORST_TAR_CODE = 2;
const OUTPUT_CAP_BYTES = 2_000;

/** @throws Error, in words for people, when nothing could be packed. */
export async function packWorkspace(given: Given): Promise<PackedWorkspace> {
  const { place } = given;
  const kept = place.clones.filter(({ folder }) => !place.foreign.includes(folder));
  const looks = [...kept.map((clone) => lookAtClone(given, clone)), lookAtFiles(given), lookAtHome(given)];
  const candidates = (await Promise.all(looks)).flat();
  const foreign = place.foreign.map((path) => ({ path, name: `${path}, whose commit comes from a fork`, bytes: 0 }));
  const { kept: chosen, leftOut } = chooseFiles(candidates.filter(({ isPlain }) => isPlain));
  const odd = candidates.filter(({ isPlain }) => !isPlain);
  const left = [...leftOut, ...odd, ...foreign.map((one) => ({ ...one, isFirst: false }))];
  const { bytes, sha256 } = await pack(given, [...chosen.map(({ path }) => path), ...recordsOf(given, kept)]);
  return { bytes, sha256, leftOut: namesOf(left), leftOutCount: left.length };
}

type Seen = Candidate & { isPlain: boolean };

async function lookAtClone(given: Given, clone: Clone): Promise<Seen[]> {
  const { place, signal, deadlineMs } = given;
  const records = recordsFolder(place, clone);
  const bundle = join(records, "bundle");
  await write(given, join(records, "refs"), "");
  const looked = await runScript(place, LOOK_AT_CLONE, [clone.folder, bundle], { deadlineMs, signal });
  if (looked.how !== "exited" || looked.code !== 0) throw new Error(`${clone.url} could not be looked at`);
  const all = readRecords(looked.stdout);
  const refs = all.filter(({ kind }) => ["head", "at", "branch", "stash"].includes(kind));
  await write(given, join(records, "refs"), refs.map(({ kind, rest }) => `${kind} ${rest}\0`).join(""));
  const gone = all.filter(({ kind }) => kind === "gone").map(({ rest }) => `${rest}\0`);
  await write(given, join(records, "gone"), gone.join(""));
  const bundles = all.filter(({ kind }) => kind === "bundle");
  return [
    ...bundles.map(({ rest }) => ({
      path: bundle,
      name: `commits of ${clone.url} that were not pushed`,
      bytes: Number(rest) || 0,
      isFirst: true,
      isPlain: true,
    })),
    ...filesIn(looked.stdout, clone.folder, `${cloneName(clone)}/`, false),
  ];
}

/** Of the workspace, what is in no clone. */
async function lookAtFiles({ place, signal, deadlineMs }: Given): Promise<Seen[]> {
  const words = [place.folder.workspace, ...place.clones.map(cloneName)];
  const looked = await runScript(place, LOOK_AT_FOLDER, words, { deadlineMs, signal });
  return filesIn(looked.stdout, place.folder.workspace, "", false);
}

async function lookAtHome({ place, sdkSessionId, signal, deadlineMs }: Given): Promise<Seen[]> {
  const folders = sideFolders(place, sdkSessionId).map(async (folder) => {
    const looked = await runScript(place, LOOK_AT_FOLDER, [folder], { deadlineMs, signal });
    return filesIn(looked.stdout, folder, "the agent's own ", true);
  });
  return (await Promise.all(folders)).flat();
}

/** @param prefix of their names. @param isFirst whether they go before others. */
function filesIn(output: string, folder: string, prefix: string, isFirst: boolean): Seen[] {
  return readRecords(output).flatMap(({ kind, rest }) => {
    if (kind !== "file") return [];
    const { path, bytes, isKept } = readFileRecord(rest);
    return [{ path: join(folder, path), name: `${prefix}${path}`, bytes, isFirst, isPlain: isKept }];
  });
}

function recordsFolder(place: SessionPlace, clone: Clone): string {
  return join(stagingFolder(place), ARCHIVE_PARTS.records, cloneName(clone));
}

function recordsOf({ place }: Given, clones: readonly Clone[]): string[] {
  return clones.flatMap((clone) => ["refs", "gone"].map((name) => join(recordsFolder(place, clone), name)));
}

async function write({ place, deadlineMs, signal }: Given, path: string, text: string): Promise<void> {
  const input = Readable.from([text]);
  const end = await runScript(place, WRITE_FILE, [path, "all"], { deadlineMs, signal, input });
  if (end.how !== "exited" || end.code !== 0) throw new Error(oneLine(end.stderr) || "nothing could be written");
}

async function pack(given: Given, paths: readonly string[]): Promise<{ bytes: number; sha256: string }> {
  const { place, file, deadlineMs, signal } = given;
  const child = place.sandbox.start(scriptCommand(PACK, [renaming(place)]), placeOf(place));
  const sizes = new Counted(Number.POSITIVE_INFINITY);
  const packed = child.stdout.pipe(sizes);
  const counted = new Counted(WORKSPACE_LIMIT_BYTES);
  const compress = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });
  const written = pipeline(packed, compress, counted, createWriteStream(file, { mode: 0o600 })).then(
    () => null,
    (error: Error) => error,
  );
  const input = Readable.from(paths.map((path) => `${path.slice(1)}\0`));
  const end = await awaitProcess(child, { deadlineMs, signal, input, outputCapBytes: OUTPUT_CAP_BYTES });
  packed.end();
  const fault = await written;
  const isPacked = end.how === "exited" && (end.code ?? WORST_TAR_CODE + 1) <= WORST_TAR_CODE && sizes.bytes > 0;
  if (!isPacked) throw new Error(`It could not be packed: ${oneLine(end.stderr) || end.how.replace("_", " ")}.`);
  if (fault !== null) throw fault;
  return { bytes: counted.bytes, sha256: counted.sha256() };
}

/** How files are named in the archive: by the part that they belong to. */
function renaming(place: SessionPlace): string {
  const { workspace, home } = place.folder;
  const parts = [
    [stagingFolder(place), ""],
    [workspace, `${ARCHIVE_PARTS.workspace}/`],
    [home, `${ARCHIVE_PARTS.home}/`],
  ] as const;
  return parts.map(([from, to]) => `s,^${from.slice(1).replace(/[\\^$.*[\],]/g, "\\$&")}/,${to},S`).join(";");
}
