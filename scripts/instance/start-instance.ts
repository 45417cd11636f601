/** A local instance from end to end: upstream, demo model, worker and runner, started in order and stopped in reverse. */
import path from "node:path";
import { ensureRunnerImage, type ImageRecipe } from "#scripts/containers/runner-image.ts";
import { startDemoModel } from "#scripts/demo-model/start-demo-model.ts";
import { failed, type Outcome, succeeded } from "#scripts/outcome.ts";
import { broom } from "./broom.ts";
import { buildExecutor } from "./build-executor.ts";
import { buildWeb } from "./build-web.ts";
import { type BuiltWorker, buildWorker } from "./build-worker.ts";
import { type DemoUpstream, startDemoUpstream } from "./demo-upstream.ts";
import { forgetDeleted } from "./forget-deleted.ts";
import type { HostOrder } from "./host-order.ts";
import { beginHost, type HostProgram } from "./host-program.ts";
import { lockStateFolder } from "./lock.ts";
import { checkModel } from "./model-check.ts";
import type { Parts } from "./parts.ts";
import { checkPort } from "./ports.ts";
import { prepareContainers } from "./prepare-containers.ts";
import { openProgramLog, type ProgramLog } from "./program-log.ts";
import { runnerProgram } from "./runner-program.ts";
import { describeSandbox } from "./sandbox-check.ts";
import { openSecrets, type Secrets } from "./secrets.ts";
import { type LocalFile, makeSignInUrl, seedDemoRoutines } from "./seed.ts";
import type { Settings } from "./settings.ts";
import { prepareStateFolder } from "./state-folder.ts";
import { type SupervisedProgram, supervise } from "./supervise.ts";
import { workerProgram } from "./worker-program.ts";
import { workerVariables } from "./worker-variables.ts";

const HURRIED_GRACE_MS = 1_500;
/** In the state folder: the built web app. */
const WEB_APP = "web-app";

export interface InstanceOptions {
  /** The project's folder. */
  root: string;
  settings: Settings;
  /** Where it was begun before, to load meanwhile. It ends with this process at the latest. */
  host?: HostProgram;
  /** Whether it serves the web app; the API is complete without. */
  hasPages: boolean;
  /** A line for the person at the terminal. */
  say: (line: string) => void;
  /** Gives the start up. What was started by then is stopped by `parts`. */
  signal: AbortSignal;
  /** Takes every part as it starts. */
  parts: Parts;
}

export interface Instance {
  /** Where the worker listens. */
  origin: string;
  local: LocalFile;
  /** With a one-use sign-in code in its fragment. */
  signInUrl: string;
  usesDemoModel: boolean;
  /** A sentence about the model. */
  model: string;
  /** A sentence about the sandbox. */
  sandbox: string;
}

/** Starts everything. A failure tells one line; the caller then stops `parts`, as it does at the end. */
export async function startInstance(options: InstanceOptions): Promise<Outcome<Instance>> {
  // It loads while what it is to serve is prepared.
  const host = options.host ?? beginHost(options.root);
  const secrets = await takeState(options);
  if (!secrets.ok) return secrets;
  const storage = storageOf(options.settings);
  // Before the worker opens the databases: what one that was killed has left.
  const [ground] = await Promise.all([prepare(options, secrets.value), forgetDeleted(storage, options.signal)]);
  if (!ground.ok) return ground;
  return await serve(options, host, secrets.value, ground.value);
}

/** Makes sure that the folder and the port are there for this instance alone. */
async function takeState({ settings, parts }: InstanceOptions): Promise<Outcome<Secrets>> {
  const folder = await prepareStateFolder(settings.stateFolder);
  if (!folder.ok) return folder;
  const lock = await lockStateFolder(settings.stateFolder);
  if (!lock.ok) return lock;
  parts.add(async () => lock.value());
  const free = await checkPort(settings.port);
  return free.ok ? await openSecrets(settings.stateFolder) : free;
}

interface Ground {
  upstream: DemoUpstream;
  demoModelUrl: string | null;
  modelSentence: string;
  built: BuiltWorker;
  /** The file of the bundled executor; null where the local runner has nothing to do. */
  executor: string | null;
  containers: HostOrder["containers"];
  sandbox: string;
}

/** What the worker needs before it can serve, all at once. */
async function prepare(options: InstanceOptions, secrets: Secrets): Promise<Outcome<Ground>> {
  const { root, settings, hasPages, say, signal, parts } = options;
  const { stateFolder, hasModelKey, runnerVariables, workerVariables: given } = settings;
  const secret = given["GITHUB_WEBHOOK_SECRET"] ?? secrets.GITHUB_WEBHOOK_SECRET;
  const webhook = { url: `${originOf(settings)}/webhooks/github`, secret };
  const access = {
    apiKey: given["ANTHROPIC_API_KEY"],
    baseUrl: given["ANTHROPIC_BASE_URL"],
    model: given["DEFAULT_MODEL"],
  };
  const buildImage = (recipe: ImageRecipe, engine: string) =>
    ensureRunnerImage({ root, engine, recipe, environment: process.env, say, signal });
  const [upstream, model, built, executor, pages, containers, sandbox, check] = await Promise.all([
    startDemoUpstream({ stateFolder, credential: secrets.UPSTREAM_CREDENTIAL, webhook, say, signal }),
    hasModelKey ? null : startDemoModel(),
    buildWorker(root, path.join(stateFolder, "worker"), signal),
    settings.containers === null ? buildExecutor(root, path.join(stateFolder, "executor"), signal) : succeeded(null),
    hasPages ? buildWeb(root, path.join(stateFolder, WEB_APP), signal) : succeeded(null),
    prepareContainers(settings.containers, buildImage),
    settings.containers === null
      ? describeSandbox(runnerVariables["REVEILLE_SANDBOX"], signal)
      : `each run in a container of its own, ${settings.containers.count} at once; through its side-car a program in it can reach this machine's network (docs/security.md, Containers)`,
    checkModel(access, signal),
  ]);
  if (model !== null) parts.add(() => model.close());
  if (!upstream.ok) return upstream;
  parts.add(() => upstream.value.close());
  if (!built.ok) return built;
  if (!executor.ok) return executor;
  if (!pages.ok) return pages;
  if (!containers.ok) return containers;
  if (check.isRefused) say(`Model: ${check.sentence}.`);
  const demoModelUrl = model?.url ?? null;
  return succeeded({
    upstream: upstream.value,
    demoModelUrl,
    modelSentence: check.sentence,
    built: built.value,
    executor: executor.value,
    containers: containers.value,
    sandbox,
  });
}

/** Starts worker and runner, which has nothing to do where runs get containers, and seeds the demo routines. */
async function serve(
  options: InstanceOptions,
  host: HostProgram,
  secrets: Secrets,
  ground: Ground,
): Promise<Outcome<Instance>> {
  const { root, settings, say, signal, parts } = options;
  const { stateFolder, port } = settings;
  const { upstream, built, executor, demoModelUrl, modelSentence, containers, sandbox } = ground;
  const origin = originOf(settings);
  const variables = workerVariables({
    given: settings.workerVariables,
    secrets,
    url: `http://localhost:${port}`,
    upstreamUrl: upstream.url,
    demoModelUrl,
    containers: settings.containers?.count ?? 0,
  });
  const workerLog = openProgramLog(path.join(stateFolder, "logs", "worker.log"));
  const order = {
    port,
    bundle: built.folder,
    options: built.options,
    webApp: path.join(stateFolder, WEB_APP),
    storage: storageOf(settings),
    migrations: path.join(root, "migrations", "d1"),
    containers,
    variables,
  };
  // When the worker has closed the databases, unless there is no time.
  const hurry = new AbortController();
  parts.add(async (isHurried) => {
    if (isHurried) hurry.abort();
    else await forgetDeleted(order.storage, hurry.signal);
  });
  // Also when the host could not: it was killed, or had no time.
  const left = broom(order, workerLog.write);
  const worker = await startPart(workerProgram(order, root, host, workerLog, say), options, workerLog, left?.sweep);
  if (!worker.ok) return worker;

  const runnerLog = openProgramLog(path.join(stateFolder, "logs", "runner.log"));
  const url = variables.PUBLIC_URL;
  const { repository } = upstream;
  const seedOptions = { url, origin, ownerToken: variables.OWNER_TOKEN, stateFolder, repository, signal };
  // Before the runner: a worker whose configuration is at fault says so here, and would keep a runner waiting.
  const [local, signInUrl] = await Promise.all([seedDemoRoutines(seedOptions), makeSignInUrl(seedOptions)]);
  if (!local.ok) return local;
  if (!signInUrl.ok) return signInUrl;
  if (executor !== null) {
    const runnerOptions = {
      root,
      workerUrl: origin,
      runnerToken: variables.RUNNER_TOKEN,
      executor,
      runsFolder: path.join(stateFolder, "runs"),
      variables: settings.runnerVariables,
    };
    const runner = await startPart(runnerProgram(runnerOptions, runnerLog, say), options, runnerLog);
    if (!runner.ok) return runner;
  }
  return succeeded({
    origin,
    local: local.value,
    signInUrl: signInUrl.value,
    usesDemoModel: demoModelUrl !== null,
    model: modelSentence,
    sandbox,
  });
}

/** The folder in which D1 and the objects keep their data. */
function storageOf({ stateFolder }: Settings): string {
  return path.join(stateFolder, "storage", "v3");
}

/** Where the worker listens. */
function originOf({ port }: Settings): string {
  return `http://127.0.0.1:${port}`;
}

async function startPart(
  program: SupervisedProgram,
  { settings, signal, parts }: InstanceOptions,
  log: ProgramLog,
  afterwards: () => Promise<void> = async () => undefined,
): Promise<Outcome<null>> {
  const supervision = await supervise(program, signal);
  if (!supervision.ok) {
    await afterwards();
    const remedy = `See ${log.file}; if its data is damaged, remove ${settings.stateFolder} to start afresh.`;
    return failed(`${supervision.message} ${log.telling()} ${remedy}`);
  }
  parts.add(async (isHurried) => {
    await supervision.value.stop(isHurried ? HURRIED_GRACE_MS : program.stopGraceMs);
    await afterwards();
  });
  return succeeded(null);
}
