/** The runner's tool by which the agent shows people a file: read in the sandbox, as the agent itself could, and sent to the instance. */
import { randomBytes } from "node:crypto";
import { basename, extname } from "node:path";
import { tool } from "@anthropic-ai/claude-agent-sdk";
import { z } from "zod";
import { ARTIFACT_LIMIT_BYTES } from "#protocol/artifact.ts";
import { beginningOf } from "#protocol/well-formed.ts";
import type { InstanceCalls } from "../link/instance-calls.ts";
import { BASH } from "../sandbox/entering.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";

export interface ShowPlace {
  sandbox: Pick<Sandbox, "run">;
  /** Where the agent works. */
  cwd: string;
  env: Record<string, string>;
  signal: AbortSignal;
}

const DEADLINE_MS = 30_000;
const NAME_LENGTH = 200;
const ID_BYTES = 12;
const DESCRIPTION =
  "Show a file to the people who read this run: a screenshot, a report, a log. It is kept beside the transcript for 30 days. " +
  `At most ${ARTIFACT_LIMIT_BYTES / 1_024 ** 2} MiB each, 50 in a run. Show what helps to judge your work; code belongs into a commit.`;

const READ_SCRIPT = `[ -f "$1" ] || exit 3
[ "$(wc -c <"$1")" -le ${ARTIFACT_LIMIT_BYTES} ] || exit 4
base64 <"$1"`;
/** Base 64 with its line ends. */
const OUTPUT_CAP_BYTES = 1.5 * ARTIFACT_LIMIT_BYTES;
const REFUSALS: Record<number, string> = {
  3: "There is no such file.",
  4: `The file is larger than ${ARTIFACT_LIMIT_BYTES / 1_024 ** 2} MiB.`,
};

const MEDIA_TYPES: Record<string, string> = {
  ".csv": "text/csv",
  ".gif": "image/gif",
  ".html": "text/html",
  ".jpeg": "image/jpeg",
  ".jpg": "image/jpeg",
  ".json": "application/json",
  ".log": "text/plain",
  ".md": "text/markdown",
  ".pdf": "application/pdf",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain",
  ".webp": "image/webp",
  ".zip": "application/zip",
};

/** @param scrub takes secrets out of names, and of files that are text. */
export function showTool(
  { sandbox, cwd, env, signal }: ShowPlace,
  calls: Pick<InstanceCalls, "send">,
  scrub: (text: string) => string,
) {
  return tool("show_file", DESCRIPTION, { path: z.string().min(1).max(4_096) }, async ({ path }) => {
    const bounds = { deadlineMs: DEADLINE_MS, outputCapBytes: OUTPUT_CAP_BYTES, signal };
    const read = await sandbox.run([...BASH, READ_SCRIPT, "show", path], { cwd, env }, bounds);
    if (read.code !== 0) return answer(REFUSALS[read.code ?? -1] ?? "The file could not be read.", true);
    const content = clean(Buffer.from(read.stdout, "base64"), scrub);
    if (content.length === 0) return answer("The file is empty.", true);
    const name = beginningOf(scrub(basename(path)), NAME_LENGTH);
    const type = MEDIA_TYPES[extname(path).toLowerCase()] ?? "application/octet-stream";
    const id = `art_${randomBytes(ID_BYTES).toString("hex")}`;
    const sent = await calls.send(`artifacts/${id}`, content, { name, type });
    return sent.ok ? answer(`Shown: ${name}, ${content.length} bytes.`, false) : answer(sent.why, true);
  });
}

/** Bytes that are text are searched for secrets; others are as they are. */
function clean(bytes: Buffer, scrub: (text: string) => string): Buffer {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const scrubbed = scrub(text);
    return scrubbed === text ? bytes : Buffer.from(scrubbed);
  } catch {
    return bytes;
  }
}

function answer(text: string, isError: boolean) {
  return { content: [{ type: "text" as const, text }], ...(isError ? { isError } : {}) };
}
