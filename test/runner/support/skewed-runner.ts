/** The real runner on a machine whose clock is wrong: for its own process, and for each that works on a run. */
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type RunnerProcess, spawnProgram, whenReady } from "./runner-process.ts";

/** @param variables as `startRunner` takes them. @param aheadMs by how much its clock is ahead. */
export function startSkewed(variables: Record<string, string>, aheadMs: number): Promise<RunnerProcess> {
  const folder = mkdtempSync(join(tmpdir(), "reveille-skewed-"));
  const clock = join(folder, "clock.mjs");
  const program = join(folder, "node");
  const first = join(folder, "first.mjs");
  const ahead = JSON.stringify(import.meta.resolve("#test/support/clock-ahead.ts"));
  writeFileSync(clock, `import { clockAhead } from ${ahead};\nclockAhead(${aheadMs});\n`);
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' --import '${clock}' "$@"\n`);
  chmodSync(program, 0o755);
  // The runner starts the programs that work on runs by this path.
  writeFileSync(first, `import "./clock.mjs";\nprocess.execPath = ${JSON.stringify(program)};\n`);
  const main = fileURLToPath(import.meta.resolve("#sandbox-runner/main.ts"));
  return whenReady(spawnProgram([process.execPath, "--import", first, main], variables), "runner ready");
}
