/** Programs of this folder that an agent runs in its container by a command of its own. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { z } from "zod";

/**
 * The command that runs one of them.
 * @param given its argument, without an apostrophe in it.
 */
export function inContainer(name: string, given: string): string {
  const files = [name, "exchange.mjs"].map((file) => {
    const text = readFileSync(path.join(import.meta.dirname, file)).toString("base64");
    return `echo ${text} | base64 -d >$TMPDIR/${file}`;
  });
  return [...files, `node $TMPDIR/${name} '${given}'`].join(" && ");
}

/** @param text what such a program has printed: what came of each try, packed. */
export function outcomesIn(text: string): Record<string, string> {
  const unpacked = gunzipSync(Buffer.from(text.trim(), "base64")).toString();
  return z.record(z.string(), z.string()).parse(JSON.parse(unpacked));
}
