/** `npm start` on a machine where it has run before, until it answers, beside bare workerd with the same bundle. */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Program, startProgram } from "#scripts/child-process.ts";
import { drawFreePort } from "#scripts/instance/ports.ts";
import { toolEnvironment } from "#scripts/instance/tool-environment.ts";
import type { Row } from "../row.ts";
import { nowMs } from "../support/clock.ts";
import { compared, interleave } from "../support/interleave.ts";
import { ROOT, scratchPath } from "../support/scratch.ts";
import { hasServed } from "../support/served.ts";
import { median } from "../support/statistics.ts";

const POLL_MS = 10;
/** The first start builds the worker and the pages. */
const LONGEST_MS = 240_000;
const STOP_GRACE_MS = 12_000;
/** What `npm start` prints last. */
const LAST_LINE = "Ctrl-C stops everything.";

interface Start {
  healthMs: number;
  pageMs: number;
  printedMs: number;
}

export const startUp: Row = {
  id: "start-up",
  title: "npm start, warm, until it answers",
  baseline: "bare workerd with the same bundle, until it answers",
  measure: async (rounds) => {
    const state = scratchPath("start");
    mkdirSync(state);
    const port = await drawFreePort();
    const times = await interleave<Start>(
      rounds,
      () => startOurs(state, port),
      () => startBare(path.join(state, "worker", "bundle")),
    );
    const alone = (of: (start: Start) => number) => ({ ours: median(times.ours.map(of)), baseline: null, goal: null });
    return [
      {
        what: "until /healthz answers",
        unit: "ms",
        ...compared(times, ({ healthMs }) => healthMs),
        goal: { bound: "at most", value: 1.6 },
      },
      { what: "until there is a page", unit: "ms", ...alone(({ pageMs }) => pageMs) },
      { what: "until a run can begin, and the address is printed", unit: "ms", ...alone(({ printedMs }) => printedMs) },
    ];
  },
};

async function startOurs(state: string, port: number): Promise<Start> {
  const startedAt = nowMs();
  const printed = Promise.withResolvers<number>();
  const lines: string[] = [];
  const program = startProgram("npm", ["start"], {
    cwd: ROOT,
    env: { ...toolEnvironment(), PORT: String(port), REVEILLE_STATE: state },
    onLine: (line) => {
      lines.push(line);
      if (line === LAST_LINE) printed.resolve(nowMs() - startedAt);
    },
  });
  const url = `http://127.0.0.1:${port}`;
  try {
    const healthMs = await untilAnswered(program, `${url}/healthz`, startedAt);
    const pageMs = await untilAnswered(program, `${url}/`, startedAt);
    const ended = program.ended.then((how) => Promise.reject(new Error(`npm start has ended (${how})`)));
    return { healthMs, pageMs, printedMs: await Promise.race([printed.promise, ended]) };
  } catch (error) {
    throw new Error(`npm start did not come up: ${lines.join("\n")}`, { cause: error });
  } finally {
    await program.stop(STOP_GRACE_MS);
    // Its worker may outlive it by a moment, and would answer in place of the next one's.
    while (await isAnswering(url)) await delay(POLL_MS);
  }
}

async function isAnswering(url: string): Promise<boolean> {
  return await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(LONGEST_MS) }).then(
    () => true,
    () => false,
  );
}

/** The bundle as one worker without bindings: what answers /healthz needs none. */
async function startBare(bundle: string): Promise<Start> {
  const port = await drawFreePort();
  const config = path.join(bundle, "..", "bare.capnp");
  writeFileSync(config, bareConfig(bundle, port));
  const workerd = workerdOfMiniflare();
  hasServed(workerd);
  const startedAt = nowMs();
  const program = startProgram(workerd, ["serve", config], {
    cwd: bundle,
    env: toolEnvironment(),
    onLine: () => undefined,
  });
  try {
    const healthMs = await untilAnswered(program, `http://127.0.0.1:${port}/healthz`, startedAt);
    return { healthMs, pageMs: healthMs, printedMs: healthMs };
  } finally {
    await program.stop(STOP_GRACE_MS);
  }
}

function bareConfig(bundle: string, port: number): string {
  const modules = readdirSync(bundle)
    .filter((name) => /\.(js|sql)$/.test(name))
    .sort((one, other) => Number(other === "index.js") - Number(one === "index.js"))
    .map((name) => `(name = "${name}", ${name.endsWith(".js") ? "esModule" : "text"} = embed "bundle/${name}")`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const main :Workerd.Worker = (
  modules = [${modules.join(", ")}],
  compatibilityDate = "2026-11-01",
  compatibilityFlags = ["enable_request_signal"]
);
`;
}

/** The program that Miniflare starts. */
function workerdOfMiniflare(): string {
  const miniflare = createRequire(import.meta.url).resolve("miniflare");
  return createRequire(miniflare)("workerd").default;
}

async function untilAnswered(program: Program, url: string, startedAt: number): Promise<number> {
  let ended: string | null = null;
  void program.ended.then((how) => {
    ended = how;
  });
  while (nowMs() - startedAt < LONGEST_MS) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(LONGEST_MS) }).catch(() => null);
    await answer?.arrayBuffer();
    if (answer?.ok) return nowMs() - startedAt;
    if (ended !== null) throw new Error(`it has ended (${ended})`);
    await delay(POLL_MS);
  }
  throw new Error(`${url} did not answer`);
}
