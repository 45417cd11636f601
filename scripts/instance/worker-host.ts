/**
 * The program that serves the built worker on loopback, in workerd. It has no inspector, no explorer and no
 * development paths, and it watches no files.
 *
 * Its order comes as one line on stdin, so that no secret is in an argument or environment. Stdin then stays open: when
 * it closes, whoever started this program is gone, and it ends too.
 */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import type { Broom } from "./broom.ts";
import { engineOption, withContainers } from "./host-containers.ts";
import type { HostOrder } from "./host-order.ts";
import { isMigrated, migrateD1 } from "./migrate-d1.ts";

const DISPOSE_DEADLINE_MS = 6_000;

/** How wrangler's own rules load what a worker imports. Other files of a bundle are for people. */
const MODULE_TYPES = new Map<string, "ESModule" | "Text" | "Data" | "CompiledWasm">([
  [".js", "ESModule"],
  [".mjs", "ESModule"],
  [".sql", "Text"],
  [".txt", "Text"],
  [".html", "Text"],
  [".bin", "Data"],
  [".wasm", "CompiledWasm"],
]);

const LOOPBACK = "127.0.0.1";
const WORKER = "reveille";
const WEB_APP = "web-app";
const FRONT = "front";
const MINUTE_MS = 60_000;
const TICK_RETRY_MS = 1_000;

/** What containers reach: no address of this machine or of its networks, whatever name leads there. */
const INTERNET = { network: { allow: ["public"], tlsOptions: { trustBrowserCas: true } } };

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const first = await lines.next();
// Whoever began this program has gone, or had nothing to serve after all.
if (first.done) process.exit();
// Whoever sends it has checked it: what checks takes a tenth as long to load as Miniflare, and all else waits for this program.
const order: HostOrder = JSON.parse(first.value);

let isEnding = false;
const containers = order.containers === null ? null : await loadBroom();
// Those of a host that has died: nobody takes them up.
await containers?.sweep();

// Before workerd has its file open.
const isUpToDate = isMigrated(order.storage, order.migrations);
const miniflare = new Miniflare(miniflareOptions());

// Miniflare ends the program at once on these, and leaves containers behind.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.removeAllListeners(signal);
process.once("SIGTERM", end);
process.once("SIGINT", end);
process.on("SIGHUP", replace);
lines.next().then(end);

await miniflare.ready;
if (!isUpToDate) await migrateD1(await miniflare.getD1Database("DB"), order.migrations);
process.stdout.write("worker ready\n");
void tick();
void containers?.watch();

/** Only where there are containers: it takes its time to load. */
async function loadBroom(): Promise<Broom | null> {
  const { broom } = await import("./broom.ts");
  return broom(order, (line) => process.stdout.write(`${line}\n`));
}

function miniflareOptions() {
  return convertV4MiniflareOptions({
    host: LOOPBACK,
    // Where Miniflare itself listens nobody is told: see `front`.
    port: 0,
    cf: false,
    log: new Log(LogLevel.WARN),
    logRequests: false,
    resourcePersistencePath: order.storage,
    telemetry: { enabled: false },
    ...engineOption(order),
    unsafeLocalExplorer: false,
    unsafeObservability: false,
    unsafeTriggerHandlers: false,
    workers: [{ ...readOptions(), name: WORKER, modulesRoot: order.bundle, modules: readModules() }, webApp(), front()],
  });
}

/** Serves the built worker anew, as a deploy does: objects start again, and what is stored stays. */
async function replace(): Promise<void> {
  await miniflare.setOptions(miniflareOptions());
  process.stdout.write("worker replaced\n");
}

/** Once a minute, as Cron Triggers do on the platform; at once first, for what was due while nothing ran. */
async function tick(): Promise<void> {
  for (;;) {
    const fault = await Promise.race([wakeWorker(), delay(MINUTE_MS, "no answer within a minute")]);
    if (isEnding) return;
    if (fault !== null) console.error(`the clock could not wake the worker: ${fault}`);
    await delay(fault === null ? MINUTE_MS - (Date.now() % MINUTE_MS) : TICK_RETRY_MS);
  }
}

/** @returns what was in the way, or null. */
async function wakeWorker(): Promise<string | null> {
  try {
    // Anew each time: when workerd dies Miniflare starts another, and what was had of the one before is of no use.
    const worker = await miniflare.getWorker(WORKER);
    await worker.scheduled({ cron: "* * * * *", scheduledTime: new Date() });
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Ends workerd with this program; what does not end in time is killed with the process group, of which this is the head. */
async function end(): Promise<void> {
  isEnding = true;
  await Promise.race([miniflare.dispose().then(() => containers?.sweep()), delay(DISPOSE_DEADLINE_MS)]);
  process.kill(-process.pid, "SIGKILL");
}

function readOptions() {
  const options = JSON.parse(readFileSync(order.options, "utf8"));
  return {
    ...options,
    bindings: { ...options.bindings, ...order.variables },
    serviceBindings: { ...options.serviceBindings, ASSETS: WEB_APP, OUTSIDE: INTERNET },
    durableObjects: withContainers(options.durableObjects ?? {}, order),
  };
}

/**
 * What listens at the instance's address. Miniflare's own front obeys headers of whoever sends a request: MF-Original-URL,
 * for instance, names another path than the one that was asked for, and so gets past whatever lets through some paths
 * alone. This one obeys none, and gives the request on as it is. It is a worker of its own because Miniflare lets whoever
 * can speak to such an address at all call everything that the worker there has, and this one has nothing else.
 */
function front() {
  const { compatibilityDate, compatibilityFlags } = readOptions();
  const script = "export default { fetch: (request, env) => env.WORKER.fetch(request) };";
  const address = { host: LOOPBACK, port: order.port };
  return {
    name: FRONT,
    modules: true,
    script,
    compatibilityDate,
    compatibilityFlags,
    serviceBindings: { WORKER },
    unsafeDirectSockets: [address],
  };
}

/**
 * The files of the web app, served as the platform serves them. A worker of its own: in front of one that
 * has assets itself Miniflare puts two more, and every request would go through them.
 */
function webApp() {
  const assetConfig = { html_handling: "none" as const, not_found_handling: "none" as const };
  const script = "export default { fetch: () => new Response(null, { status: 404 }) };";
  return { name: WEB_APP, modules: true, script, assets: { directory: order.webApp, assetConfig } };
}

function readModules() {
  return readdirSync(order.bundle)
    .sort((one, other) => Number(other === "index.js") - Number(one === "index.js"))
    .flatMap((name) => {
      const type = MODULE_TYPES.get(path.extname(name));
      const file = path.join(order.bundle, name);
      return type === undefined ? [] : [{ type, path: file, contents: readFileSync(file) }];
    });
}
