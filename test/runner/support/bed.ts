/** Everything around a real runner: a model with a script for each run, a git upstream, and the fake instance. */
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { SandboxManager } from "@anthropic-ai/sandbox-runtime";
import { drawOwnerKey, IdMaker } from "#protocol/ids.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import { Redactor } from "#rules/secrets/redactor.ts";
import { createMessagesServer, type ReplyPlan } from "#scripts/demo-model/messages-api.ts";
import { startGitServer } from "#scripts/demo-upstream/git-server.ts";
import { filesWithSecrets } from "#test/scripts/support/files-with-secrets.ts";
import { FakeInstance, RUNNER_TOKEN } from "./fake-instance.ts";
import type { FakeRun } from "./fake-run.ts";
import { runOrder } from "./run-order.ts";
import { type RunnerProcess, startRunner } from "./runner-process.ts";
import { until } from "./until.ts";
import type { WorkerGit } from "./worker-git.ts";

/** Why runs in a sandbox can't be tried on this machine, or null. */
export const noSandbox: string | null = whyNoSandbox();

export const GIT_CREDENTIAL = "upstream-user:upstream-password-0001";

/** What the model answers, in order; a text is a message that ends the agent's turn. */
export type Script = (string | ReplyPlan)[];
/** Of a model call; null leaves the answer to the script. */
type Fault = ReplyPlan | null | Promise<null>;
type MessageReply = Extract<ReplyPlan, { kind: "message" }>;

const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes);

/** The system's words and the conversation, as JSON, and the names of the tools that the model may call. */
interface ModelCall {
  system: string;
  messages: string;
  tools: string[];
}

export interface BedOptions {
  /** The permissions of the folder in which everything is. */
  mode?: number;
  /** As which user the runner runs, in a group of the same number; by default as the tests do. */
  uid?: number;
  /** Starts a runner with its variables; by default the project's own main file. */
  start?: (environment: Record<string, string>) => Promise<RunnerProcess>;
  /** Given the git server's address, starts what the runs' git goes through before that; by default it goes there directly. */
  workerGit?: (gitUrl: string) => Promise<WorkerGit>;
}

export class Bed {
  readonly folder: string;
  readonly instance: FakeInstance;
  runner: RunnerProcess;
  readonly #startNext: () => Promise<RunnerProcess>;
  readonly #ids = new IdMaker(drawOwnerKey(random), random);
  /** Task → asked before the script at each of its model calls. */
  readonly faults: Map<string, () => Fault>;
  /** Task → each of its model calls. */
  readonly conversations: Map<string, ModelCall[]>;
  readonly #scripts: Map<string, Script>;
  readonly #close: () => Promise<void>;

  private constructor(
    folder: string,
    instance: FakeInstance,
    startNext: () => Promise<RunnerProcess>,
    runner: RunnerProcess,
    scripts: Map<string, Script>,
    faults: Map<string, () => Fault>,
    conversations: Map<string, ModelCall[]>,
    close: () => Promise<void>,
  ) {
    this.folder = folder;
    this.instance = instance;
    this.#startNext = startNext;
    this.runner = runner;
    this.#scripts = scripts;
    this.faults = faults;
    this.conversations = conversations;
    this.#close = close;
  }

  static async make(environment: Record<string, string> = {}, options: BedOptions = {}): Promise<Bed> {
    const folder = mkdtempSync(join(tmpdir(), "reveille-bed-"));
    // As folders above a runner's state are: others may go through. A runner that is root enters sandboxes as one of them.
    chmodSync(folder, options.mode ?? 0o711);
    mkdirSync(join(folder, "upstream"));
    mkdirSync(join(folder, "state"));
    if (options.uid !== undefined) chownSync(join(folder, "state"), options.uid, options.uid);
    const scripts = new Map<string, Script>();
    const faults = new Map<string, () => Fault>();
    const conversations = new Map<string, ModelCall[]>();
    const model = await createMessagesServer({
      reply: async ({ messages, system, tools = [] }) => {
        const conversation = JSON.stringify(messages);
        const [task = "", key = ""] = /Follow script ([0-9a-f-]{36})\./.exec(conversation) ?? [];
        const offered = tools.map(({ name }) => name);
        const call = { system: JSON.stringify(system ?? ""), messages: conversation, tools: offered };
        conversations.set(task, [...(conversations.get(task) ?? []), call]);
        const fault = (await faults.get(task)?.()) ?? null;
        if (fault !== null) return fault;
        const script = scripts.get(key) ?? [];
        const step = script[messages.filter(({ role }) => role === "assistant").length] ?? "Nothing is left to do.";
        return typeof step === "string" ? { kind: "message", text: step } : step;
      },
    });
    const upstream = await startGitServer({ root: join(folder, "upstream"), credential: GIT_CREDENTIAL, port: 0 });
    const workerGit = (await options.workerGit?.(upstream.url)) ?? null;
    const instance = await FakeInstance.start({
      modelUrl: model.url,
      gitUrl: upstream.url,
      gitCredential: GIT_CREDENTIAL,
      workerGit,
    });
    const start = options.start ?? ((variables: Record<string, string>) => startRunner(variables, options.uid));
    const startNext = () => start(runnerEnvironment(folder, instance, environment));
    return new Bed(folder, instance, startNext, await startNext(), scripts, faults, conversations, async () => {
      await Promise.all([model.close(), upstream.close(), workerGit?.close(), instance.vanish()]);
      rmSync(folder, { recursive: true, force: true });
    });
  }

  get upstream(): string {
    return join(this.folder, "upstream");
  }
  get state(): string {
    return join(this.folder, "state");
  }

  /** The folders of executors, by name, with the run each works on: null for a spare. */
  executors(): { folder: string; runId: string | null }[] {
    const runs = join(this.state, "runs");
    return readdirSync(runs).map((name) => {
      const lease = join(runs, name, "lease.json");
      const runId = existsSync(lease) ? JSON.parse(readFileSync(lease, "utf8")).run_id : null;
      return { folder: join(runs, name), runId };
    });
  }

  /** The folder of a run that has begun. */
  folderOf(run: FakeRun): string {
    const found = this.executors().find(({ runId }) => runId === run.order.run_id);
    if (found === undefined) throw new Error(`${run.order.run_id} has no folder`);
    return found.folder;
  }

  recordOf(run: FakeRun): ExecutorRecord {
    return recordIn(this.folderOf(run));
  }

  /** Waits for a spare that is prepared. @param but folders of others. */
  spare(...but: string[]): Promise<ExecutorRecord & { folder: string }> {
    return until("a spare is ready", () => {
      const said = (folder: string) => this.runner.output().includes(`"spare_ready","executor":"${basename(folder)}"`);
      const spares = this.executors().filter(({ folder, runId }) => runId === null && !but.includes(folder));
      const folder = spares.find((one) => said(one.folder))?.folder;
      return folder === undefined ? null : { ...recordIn(folder), folder };
    });
  }

  /** Starts another runner on the same state folder, as a supervisor does when one has died. */
  async restartRunner(): Promise<void> {
    this.runner = await this.#startNext();
  }

  /** Hands a run to the runner. Its repositories are named by their names in the upstream. */
  run(script: Script, repositories: string[] = [], changes: Partial<RunOrder> = {}): FakeRun {
    const key = crypto.randomUUID();
    this.#scripts.set(key, script);
    return this.instance.offer(runOrder(this.#ids, key, repositories, changes));
  }

  async close(): Promise<void> {
    await this.runner.stop();
    const found = this.#secretsFound();
    await this.#close();
    if (found.length > 0) throw new Error(`There are secrets in ${found.join(", ")}.`);
  }

  /** Where there is a secret that may be nowhere: in what the runner has stored or logged, and in what its runs have said. */
  #secretsFound(): string[] {
    const { runs } = this.instance;
    const ofRuns = runs.flatMap(({ linkToken, proxyToken, order }) => [
      linkToken,
      proxyToken,
      ...(order.environment?.secret_values ?? []),
    ]);
    const secrets = [RUNNER_TOKEN, GIT_CREDENTIAL, ...ofRuns];
    const redactor = new Redactor(secrets);
    const said = {
      "the runner's log": this.runner.output(),
      transcripts: JSON.stringify(runs.map(({ stored, deltas }) => [stored, deltas])),
    };
    const places = Object.entries(said).flatMap(([where, text]) => (redactor.text(text) === text ? [] : [where]));
    return [...places, ...filesWithSecrets(this.state, secrets, [])];
  }
}

interface ExecutorRecord {
  pid: number;
  sockets: string;
}

function recordIn(folder: string): ExecutorRecord {
  return JSON.parse(readFileSync(join(folder, "record.json"), "utf8"));
}

/** A turn of the model that runs a shell command. */
export function bash(command: string, text?: string): MessageReply {
  const words = text === undefined ? {} : { text };
  return { kind: "message", ...words, toolCalls: [{ name: "Bash", input: { command, description: "Work" } }] };
}

/** A turn of the model that reports the run's result. */
export function report(result: string, summary: string): ReplyPlan {
  return { kind: "message", toolCalls: [{ name: "mcp__reveille__report_result", input: { result, summary } }] };
}

/** A command that runs until it is killed, and can be found by its name. */
export function endless(name: string): string {
  return `exec -a ${name} tail -f /dev/null`;
}

function runnerEnvironment(folder: string, instance: FakeInstance, more: Record<string, string>) {
  return {
    REVEILLE_URL: instance.url,
    RUNNER_TOKEN,
    REVEILLE_STATE: join(folder, "state"),
    REVEILLE_RUNNER_ID: "test-runner",
    REVEILLE_CAPACITY: "8",
    ...more,
  };
}

function whyNoSandbox(): string | null {
  if (process.platform !== "linux") return "the sandbox works on Linux only";
  const { errors } = SandboxManager.checkDependencies();
  if (errors.length === 0) return null;
  const reason = `tests in a sandbox are skipped: ${errors.join(", ")}`;
  process.stderr.write(`${reason}\n`);
  return reason;
}
