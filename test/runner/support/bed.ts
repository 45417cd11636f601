/** Everything around a real runner: a model with a script for each run, a git upstream, and the fake instance. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SandboxManager } from "@anthropic-ai/sandbox-runtime";
import { drawOwnerKey, IdMaker } from "#protocol/ids.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import { createMessagesServer, type ReplyPlan } from "#scripts/demo-model/messages-api.ts";
import { startGitServer } from "#scripts/demo-upstream/git-server.ts";
import { FakeInstance, RUNNER_TOKEN } from "./fake-instance.ts";
import type { FakeRun } from "./fake-run.ts";
import { type RunnerProcess, startRunner } from "./runner-process.ts";

/** Why runs in a sandbox can't be tried on this machine, or null. */
export const noSandbox: string | null = whyNoSandbox();

export const GIT_CREDENTIAL = "upstream-user:upstream-password-0001";

/** What the model answers, in order; a text is a message that ends the agent's turn. */
export type Script = (string | ReplyPlan)[];
type MessageReply = Extract<ReplyPlan, { kind: "message" }>;

const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes);

export class Bed {
  readonly folder: string;
  readonly instance: FakeInstance;
  runner: RunnerProcess;
  readonly #ids = new IdMaker(drawOwnerKey(random), random);
  /** Task → asked before the script at each of its model calls; null leaves the answer to the script. */
  readonly faults: Map<string, () => ReplyPlan | null>;
  readonly #scripts: Map<string, Script>;
  readonly #close: () => Promise<void>;

  private constructor(
    folder: string,
    instance: FakeInstance,
    runner: RunnerProcess,
    scripts: Map<string, Script>,
    faults: Map<string, () => ReplyPlan | null>,
    close: () => Promise<void>,
  ) {
    this.folder = folder;
    this.instance = instance;
    this.runner = runner;
    this.#scripts = scripts;
    this.faults = faults;
    this.#close = close;
  }

  static async make(environment: Record<string, string> = {}): Promise<Bed> {
    const folder = mkdtempSync(join(tmpdir(), "reveille-bed-"));
    mkdirSync(join(folder, "upstream"));
    const scripts = new Map<string, Script>();
    const faults = new Map<string, () => ReplyPlan | null>();
    const model = await createMessagesServer({
      reply: ({ messages }) => {
        const [task = "", key = ""] = /Follow script ([0-9a-f-]{36})\./.exec(JSON.stringify(messages)) ?? [];
        const fault = faults.get(task)?.() ?? null;
        if (fault !== null) return fault;
        const script = scripts.get(key) ?? [];
        const step = script[messages.filter(({ role }) => role === "assistant").length] ?? "Nothing is left to do.";
        return typeof step === "string" ? { kind: "message", text: step } : step;
      },
    });
    const upstream = await startGitServer({ root: join(folder, "upstream"), credential: GIT_CREDENTIAL, port: 0 });
    const instance = await FakeInstance.start({
      modelUrl: model.url,
      gitUrl: upstream.url,
      gitCredential: GIT_CREDENTIAL,
    });
    const runner = await startRunner(runnerEnvironment(folder, instance, environment));
    return new Bed(folder, instance, runner, scripts, faults, async () => {
      await Promise.all([model.close(), upstream.close(), instance.vanish()]);
      rmSync(folder, { recursive: true, force: true });
    });
  }

  get upstream(): string {
    return join(this.folder, "upstream");
  }
  get state(): string {
    return join(this.folder, "state");
  }

  /** Starts another runner on the same state folder, as a supervisor does when one has died. */
  async restartRunner(): Promise<void> {
    this.runner = await startRunner(runnerEnvironment(this.folder, this.instance, {}));
  }

  /** Hands a run to the runner. Its repositories are named by their names in the upstream. */
  run(script: Script, repositories: string[] = [], changes: Partial<RunOrder> = {}): FakeRun {
    const key = crypto.randomUUID();
    this.#scripts.set(key, script);
    const now = Date.now();
    return this.instance.offer({
      run_id: this.#ids.make("run", now),
      session_id: this.#ids.make("session", now),
      session_url: "http://localhost:8787/sessions/one",
      generation: 1,
      routine_name: "test",
      task: `Follow script ${key}.`,
      model: "claude-test-model",
      demo_model: false,
      repositories: repositories.map((name) => ({ url: `https://code.example.com/${name}` })),
      turns: 50,
      timeout_ms: 120_000,
      clone_deadline_ms: 60_000,
      setup_deadline_ms: 60_000,
      agent_start_deadline_ms: 60_000,
      ...changes,
    });
  }

  async close(): Promise<void> {
    await this.runner.stop();
    await this.#close();
  }
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
