/**
 * A program: opens the sandbox again and again, each time with some of bubblewrap's words taken away, and prints what came of
 * each as a line of JSON. The manager keeps its state for a whole process, so a test can't open one in its own.
 */
import { createRunFolder } from "#sandbox-runner/process/run-folder.ts";
import { openRuntimeSandbox } from "#sandbox-runner/sandbox/runtime-sandbox.ts";
import { confinedArguments } from "#sandbox-runner/sandbox/sandbox-arguments.ts";

const [state = "", ...tries] = process.argv.slice(2);
const nowhere = 9;
const bounds = { processes: 200, memory_mib: 1_000, disk_mib: 100 };
const folder = await createRunFolder(state, "try.1", { pid: process.pid, startTime: null });
for (const without of tries.map((text): string[] => JSON.parse(text))) {
  const opened = await openRuntimeSandbox(
    folder,
    "try.1",
    nowhere,
    bounds,
    new AbortController().signal,
    (words, confinement) => {
      if (without[0] === "*") return [...words];
      const confined = confinedArguments(without[0] === "--args" ? ["--args", "9", ...words] : words, confinement);
      return confined === null ? null : cut(confined, without);
    },
  );
  if (opened.ok) await opened.sandbox.close();
  const { ok } = opened;
  process.stdout.write(`${JSON.stringify(ok ? { ok, user: opened.user } : { ok, reason: opened.reason })}\n`);
}
process.exit(0);

/** Every place where these words follow each other. */
function cut(words: string[], sequence: readonly string[]): string[] {
  if (sequence.length === 0) return words;
  return words.flatMap((word, at) => {
    const isIn = sequence.some((_, offset) => sequence.every((one, index) => words[at - offset + index] === one));
    return isIn ? [] : [word];
  });
}
