/** Looks for secrets in the files of a folder, however they are written: in databases, logs, caches, repositories, archives. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { constants, gunzipSync, inflateSync } from "node:zlib";
import { Redactor } from "#rules/secrets/redactor.ts";
import { SECRET_FORMS } from "#test/support/secret-kinds.ts";

const GZIP = [0x1f, 0x8b] as const;
/** How a stream of zlib's begins, of which git has one for each object, also in a pack. */
const ZLIB = 0x78;
const ZLIB_LEVELS: readonly unknown[] = [0x01, 0x5e, 0x9c, 0xda];

/** Built of the sources before there is a secret, with a link to all packages. */
const BUILT = /^executor\//;

/**
 * Looks for these secrets, and for whatever has the form of one (`test/support/secret-kinds.ts`).
 * @param except names of files, from the folder on, that may hold them. @returns the files that do, from the folder on.
 */
export function filesWithSecrets(folder: string, secrets: readonly string[], except: readonly string[]): string[] {
  const redactor = new Redactor(secrets);
  const isIn = (text: string) =>
    redactor.look(text, false).spans.length > 0 || SECRET_FORMS.some(({ form }) => form.test(text));
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .filter((file) => !except.includes(file) && !BUILT.test(file))
    .filter((file) => textsOf(readFileSync(path.join(folder, file))).some(isIn))
    .toSorted();
}

/** A file as it is, and what is compressed in it. */
function* textsOf(content: Buffer): Generator<string> {
  yield content.toString("latin1");
  if (GZIP.every((byte, at) => content[at] === byte)) yield unpacked(gunzipSync, content);
  for (let at = content.indexOf(ZLIB); at !== -1; at = content.indexOf(ZLIB, at + 1)) {
    if (ZLIB_LEVELS.includes(content[at + 1])) yield unpacked(inflateSync, content.subarray(at));
  }
}

/** What can be read of it: something else may begin as it does, and follow it. */
function unpacked(unpack: typeof gunzipSync, content: Buffer): string {
  try {
    return unpack(content, { finishFlush: constants.Z_SYNC_FLUSH }).toString("latin1");
  } catch {
    return "";
  }
}
