/** Git for rows that clone, and the large repository that they clone. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { runCommand, startFilter } from "#scripts/child-process.ts";
import { gitEnvironment } from "#scripts/demo-upstream/git-environment.ts";

const DEADLINE_MS = 900_000;
const FILE_BYTES = 262_144;
const MIB = 1_048_576;
const FOLDERS = 64;
/** Commits after the first, each with another content of one small file. */
const COMMITS = 60;
const BRANCH = "refs/heads/main";
const STORED = { "core.compression": "0", "core.bigFileThreshold": "128k" };

/** Not synchronously: the upstream is served by this process. @throws when it fails. */
export async function git(...args: string[]): Promise<void> {
  const env = gitEnvironment({ "user.name": "Bench", "user.email": "bench@example.com" });
  const outcome = await runCommand("git", args, { env, deadlineMs: DEADLINE_MS });
  if (!outcome.ok) throw new Error(outcome.message);
}

/** How large the repositories are that rows make whose size can be chosen: `BENCH_REPOSITORY_MIB`, by default 256. */
export function chosenMiB(): number {
  const chosen = Number(process.env["BENCH_REPOSITORY_MIB"] ?? 256);
  if (Number.isInteger(chosen) && chosen >= FOLDERS) return chosen;
  throw new Error(`BENCH_REPOSITORY_MIB is a whole number of at least ${FOLDERS}.`);
}

/** Makes a bare repository of `packages/0` to `packages/63`, whose files nothing compresses. @param mib of their contents. */
export async function makeLargeRepository(bare: string, mib: number): Promise<void> {
  await git("init", "--quiet", "--bare", "--template=", "--initial-branch=main", bare);
  await git("-C", bare, "config", "uploadpack.allowFilter", "true");
  const imports = startFilter("git", ["-C", bare, "fast-import", "--quiet"], {
    env: gitEnvironment(STORED),
    deadlineMs: DEADLINE_MS,
  });
  imports.stdout.resume();
  const say = async (...parts: (string | Buffer)[]) => {
    for (const part of parts) if (!imports.stdin.write(part)) await once(imports.stdin, "drain");
  };
  const commit = (number: number) =>
    `commit ${BRANCH}\ncommitter Bench <bench@example.com> ${1_700_000_000 + number} +0000\ndata 1\nx\n`;
  await say(commit(0));
  const files = (mib * MIB) / FILE_BYTES;
  for (let number = 0; number < files; number += 1) {
    await say(`M 100644 inline packages/${number % FOLDERS}/${number}.bin\ndata ${FILE_BYTES}\n`);
    await say(randomBytes(FILE_BYTES), "\n");
  }
  for (let number = 1; number <= COMMITS; number += 1) {
    const text = `${number}\n`;
    await say(`${commit(number)}M 100644 inline packages/0/note.txt\ndata ${text.length}\n${text}\n`);
  }
  imports.stdin.end();
  await imports.ended;
  if (imports.complaint() !== "") throw new Error(imports.complaint());
}
