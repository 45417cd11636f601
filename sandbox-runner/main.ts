/** The runner as `npm start` and services have it: settings from the environment, its log on standard output. */
import { escapeUnseen } from "#protocol/unseen-characters.ts";
import { startRunner } from "./runner/serve.ts";
import { type RunnerSettings, readSettings } from "./runner/settings.ts";

// Who reads the log may be gone before the runner is.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
const read = readSettings(process.env);
if (read.ok) await serve(read.settings);
else fail(read.faults);

async function serve(settings: RunnerSettings): Promise<void> {
  const started = await startRunner(settings, {
    write: (line) => process.stdout.write(`${line}\n`),
    onReady: () => process.stdout.write("runner ready\n"),
    onDown: () => {},
    // An instance that is being set up may know the token later.
    onRefused: () => true,
  });
  if (!started.ok) return fail(started.faults);
  const { runner } = started;
  let isTold = false;
  const end = () => {
    if (isTold) runner.stop();
    else runner.drain();
    isTold = true;
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  await runner.ended;
  process.exit(0);
}

/** Says everything that is wrong at once. */
function fail(faults: readonly string[]): void {
  for (const fault of faults) process.stderr.write(`${escapeUnseen(fault)}\n`);
  process.exitCode = 1;
}
