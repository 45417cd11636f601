/**
 * The home as an archive, and back. Both are done by programs in the sandbox, as the agent's user: whatever is in an archive
 * reaches no further than that user, and the runner itself sees bytes alone.
 */
import { createWriteStream } from "node:fs";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";
import { SETUP_LIMIT_BYTES } from "#protocol/setup-archive.ts";
import { oneLine } from "../agent/outcome.ts";
import { Counted } from "../process/counted.ts";
import { awaitProcess, type Bounds, type Command, type CommandEnd, killGroup, type Place } from "../process/spawn.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { Archive, KeptSetup } from "./setup-store.ts";

/** Where it is done: the home is the working folder. */
export interface Home {
  sandbox: Sandbox;
  place: Place;
  signal: AbortSignal;
}

/** Files with holes are read without these. Whose the files are is not written down: it differs from run to run. */
const PACK: Command = ["tar", "--create", "--file=-", "--sparse", "--owner=0", "--group=0", "--numeric-owner", "."];
/**
 * Without the bits by which a program is another user's. `tar` ends when it has seen the archive's own end: what comes after that
 * is read too, for only then is it known whether all of it is what was kept.
 */
const UNPACK = shell("tar --extract --file=- --no-same-owner --no-same-permissions && exec cat >/dev/null");
/** Package caches, for instance, take the right to write away from their own folders. */
const EMPTY = shell("chmod -R u+rwx . 2>/dev/null; find . -mindepth 1 -delete");

/** For a program, from the last piece that it was given. */
const DEADLINE_MS = 120_000;
/** The default takes longer and saves a tenth. */
const LEVEL = 1;
const OUTPUT_CAP_BYTES = 2_000;

/** Packs the home into a file. @returns what is wrong, in words, where it can't be kept. */
export async function packHome(home: Home, file: string): Promise<Archive | { why: string }> {
  const child = home.sandbox.start(PACK, home.place);
  const packed = child.stdout.pipe(new PassThrough());
  const compress = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });
  const counted = new Counted(SETUP_LIMIT_BYTES);
  const written = outcome(pipeline(packed, compress, counted, createWriteStream(file, { mode: 0o600 })));
  void written.then((fault) => (fault === null ? undefined : killGroup(child.pid)));
  const end = await awaitProcess(child, boundsOf(home));
  packed.end();
  const fault = (await written) ?? faultOf(end);
  return fault === null ? { file, bytes: counted.bytes, sha256: counted.sha256() } : { why: fault };
}

/** Puts what is kept into the empty home. @returns null when all is there; else what is wrong, and the home is empty again. */
export async function unpackHome(home: Home, { content, bytes, sha256 }: KeptSetup): Promise<string | null> {
  const counted = new Counted(SETUP_LIMIT_BYTES);
  const input = new PassThrough();
  const read = outcome(pipeline(content, counted, createZstdDecompress(), input));
  const end = await awaitProcess(home.sandbox.start(UNPACK, home.place), { ...boundsOf(home), input });
  // A program that has ended early reads no more of it.
  input.destroy();
  const isSame = counted.bytes === bytes && counted.sha256() === sha256;
  const fault = faultOf(end) ?? (await read) ?? (isSame ? null : "its content is not what was kept");
  if (fault !== null) await home.sandbox.run(EMPTY, home.place, boundsOf(home));
  return fault;
}

function shell(script: string): Command {
  return ["/bin/sh", "-c", script];
}

function boundsOf({ signal }: Home): Bounds {
  return { deadlineMs: DEADLINE_MS, outputCapBytes: OUTPUT_CAP_BYTES, signal };
}

function outcome(work: Promise<void>): Promise<string | null> {
  return work.then(
    () => null,
    (error: Error) => error.message,
  );
}

function faultOf({ how, code, stderr }: CommandEnd): string | null {
  if (how === "exited" && code === 0) return null;
  return oneLine(stderr.trim().split("\n").at(-1) ?? "") || `tar: ${how === "exited" ? `exit code ${code}` : how}`;
}
