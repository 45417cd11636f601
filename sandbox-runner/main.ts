/** The runner: checks what it needs, joins its pool, and starts an executor for each lease. */

import { randomBytes } from "node:crypto";
import { escapeUnseen } from "#protocol/unseen-characters.ts";
import { createLog } from "./process/log.ts";
import { Redactor } from "./process/redact.ts";
import { awaitProcess, startProcess } from "./process/spawn.ts";
import { Executors } from "./runner/executors.ts";
import { PoolLink } from "./runner/pool-link.ts";
import { type RunnerSettings, readSettings } from "./runner/settings.ts";
import { removeLeftovers, takeStateFolder } from "./runner/state-folder.ts";
import { SANDBOX_TOOLS } from "./sandbox/sandbox-config.ts";

const GIT_DEADLINE_MS = 10_000;

const read = readSettings(process.env);
if (read.ok) await start(read.settings);
else fail(read.faults);

async function start(settings: RunnerSettings): Promise<void> {
  const faults = [await takeStateFolder(settings.stateFolder), await checkGit()].filter((fault) => fault !== null);
  if (faults.length > 0) return fail(faults);
  const log = createLog(new Redactor([settings.token]), (line) => process.stdout.write(`${line}\n`));
  await removeLeftovers(settings.stateFolder, log);

  let announced = false;
  let lastTrouble = "";
  const trouble = (what: string, why: string) => {
    if (lastTrouble !== why) log(what, { url: settings.url, why }, "warn");
    lastTrouble = why;
  };
  const announce = () => {
    if (!announced) process.stdout.write("runner ready\n");
    announced = true;
  };
  const executors = new Executors({ settings, log, onEnded: (lease) => pool.ended(lease) });
  const pool = new PoolLink({
    instanceUrl: settings.url,
    token: settings.token,
    runnerId: settings.runnerId,
    boot: randomBytes(12).toString("hex"),
    capacity: settings.capacity,
    leases: () => executors.leases(),
    onRegistered: () => {
      lastTrouble = "";
      log("registered", { url: settings.url, runner_id: settings.runnerId, capacity: settings.capacity });
      void executors.warm.then(announce);
    },
    onOffer: (offer) => executors.take(offer),
    onStop: (lease) => executors.stop(lease),
    onKill: (lease) => executors.kill(lease),
    onDown: (why) => trouble("pool_link_down", why),
    onRefused: (why) => trouble("pool_link_refused", `the instance does not accept RUNNER_TOKEN: ${why}`),
  });

  let stopping = false;
  const shutDown = () => {
    if (stopping) return;
    stopping = true;
    pool.drain();
    void executors
      .stopAll()
      .then(() => pool.close())
      .then(() => {
        log("stopped", { runner_id: settings.runnerId });
        process.exit(0);
      });
  };
  process.on("SIGTERM", shutDown);
  process.on("SIGINT", shutDown);
}

async function checkGit(): Promise<string | null> {
  const end = await awaitProcess(startProcess(["git", "--version"], { cwd: "/", env: { PATH: SANDBOX_TOOLS } }), {
    deadlineMs: GIT_DEADLINE_MS,
    outputCapBytes: 1_000,
    signal: new AbortController().signal,
  });
  if (end.code === 0) return null;
  return `git: not found in ${SANDBOX_TOOLS}; install it (Debian: apt-get install git)`;
}

/** Says everything that is wrong at once. */
function fail(faults: readonly string[]): void {
  for (const fault of faults) process.stderr.write(`${escapeUnseen(fault)}\n`);
  process.exitCode = 1;
}
