/** The image's runner in a container that is started by hand, beside a stand-in for its instance: on the machine's own network. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { CONTAINER_BRIEF, type ContainerBrief } from "#protocol/container-brief.ts";
import { drawOwnerKey, IdMaker } from "#protocol/ids.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import { ensureRunnerImage, readRecipe } from "#scripts/containers/runner-image.ts";
import { createMessagesServer, type ReplyPlan } from "#scripts/demo-model/messages-api.ts";
import { startGitServer } from "#scripts/demo-upstream/git-server.ts";
import { FakeInstance } from "#test/runner/support/fake-instance.ts";
import type { FakeRun } from "#test/runner/support/fake-run.ts";
import { runOrder } from "#test/runner/support/run-order.ts";
import { seedUpstream } from "#test/runner/support/upstream.ts";
import { ENGINE, removeContainer } from "./engine.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const PROGRAM = process.env["WRANGLER_DOCKER_BIN"] ?? "docker";
const CREDENTIAL = "upstream-user:upstream-password-0001";
const run = promisify(execFile);
const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes);

export type Script = (string | ReplyPlan)[];

/** How a container has ended. */
export interface Ended {
  code: number;
  output: string;
}

export interface Begun {
  run: FakeRun;
  name: string;
  ended: Promise<Ended>;
}

export class BareRunners {
  readonly instance: FakeInstance;
  readonly folder: string;
  readonly #image: string;
  readonly #scripts: Map<string, Script>;
  readonly #close: () => Promise<void>;
  readonly #begun: Begun[] = [];
  readonly #ids = new IdMaker(drawOwnerKey(random), random);

  private constructor(
    parts: { instance: FakeInstance; folder: string; image: string },
    scripts: Map<string, Script>,
    close: () => Promise<void>,
  ) {
    this.instance = parts.instance;
    this.folder = parts.folder;
    this.#image = parts.image;
    this.#scripts = scripts;
    this.#close = close;
  }

  static async open(): Promise<BareRunners> {
    const recipe = readRecipe(process.env);
    assert.ok(recipe.ok);
    const order = { root: ROOT, engine: ENGINE, recipe: recipe.value, environment: process.env, say: console.error };
    const image = await ensureRunnerImage(order);
    assert.ok(image.ok, image.ok ? "" : image.message);
    const folder = mkdtempSync(path.join(tmpdir(), "reveille-bare-"));
    const upstreamFolder = path.join(folder, "upstream");
    mkdirSync(upstreamFolder);
    seedUpstream(upstreamFolder, "one", { "notes.md": "one\n" });
    const scripts = new Map<string, Script>();
    const model = await createMessagesServer({
      reply: ({ messages }) => {
        const [, key = ""] = /Follow script ([0-9a-f-]{36})\./.exec(JSON.stringify(messages)) ?? [];
        const step =
          scripts.get(key)?.[messages.filter(({ role }) => role === "assistant").length] ?? "Nothing is left.";
        return typeof step === "string" ? { kind: "message", text: step } : step;
      },
    });
    const upstream = await startGitServer({ root: upstreamFolder, credential: CREDENTIAL, port: 0 });
    const instance = await FakeInstance.start({ modelUrl: model.url, gitUrl: upstream.url, gitCredential: CREDENTIAL });
    return new BareRunners({ instance, folder, image: image.value }, scripts, async () => {
      await Promise.all([model.close(), upstream.close(), instance.vanish()]);
      rmSync(folder, { recursive: true, force: true });
    });
  }

  /**
   * Starts a container on a run whose agent does what the script says.
   * @param mounts files of this machine, by their place inside. @param limits further words for the engine.
   * @param changes of the run's order.
   */
  begin(
    script: Script,
    brief: Partial<ContainerBrief> = {},
    mounts: Record<string, string> = {},
    limits: readonly string[] = [],
    changes: Partial<RunOrder> = {},
  ): Begun {
    const key = randomUUID();
    this.#scripts.set(key, script);
    const fake = this.instance.offer(runOrder(this.#ids, key, ["one"], changes));
    return this.start(fake, brief, mounts, limits);
  }

  /** Starts a container on a run that there is already. */
  start(
    fake: FakeRun,
    brief: Partial<ContainerBrief> = {},
    mounts: Record<string, string> = {},
    limits: readonly string[] = [],
  ): Begun {
    const name = `reveille-bare-${randomUUID()}`;
    const { lease, linkToken: link_token, proxyToken: proxy_token } = fake;
    const text = JSON.stringify({ instance_url: this.instance.url, lease, link_token, proxy_token, ...brief });
    const volumes = Object.entries(mounts).flatMap(([inside, file]) => ["--volume", `${file}:${inside}:ro`]);
    const words = ["run", "--name", name, "--network", "host", ...limits, ...volumes];
    words.push("--env", `${CONTAINER_BRIEF}=${text}`);
    const ended = run(PROGRAM, [...words, this.#image]).then(
      ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
      ({ code, stdout, stderr }) => ({ code, output: stdout + stderr }),
    );
    const begun = { run: fake, name, ended };
    this.#begun.push(begun);
    return begun;
  }

  async signal({ name }: Begun, signal: "SIGTERM" | "SIGINT"): Promise<void> {
    await run(PROGRAM, ["kill", "--signal", signal, name]);
  }

  /** The commands of the processes in a container that are not root's. */
  async agentsProcesses(begun: Begun): Promise<string[]> {
    const text = await this.execute(begun, "ps -N -u root -o args= || true");
    return text.split("\n").filter((line) => line !== "");
  }

  /** Runs a shell command in a container, as root. @returns what it prints. */
  async execute({ name }: Begun, command: string): Promise<string> {
    return (await run(PROGRAM, ["exec", name, "sh", "-c", command])).stdout;
  }

  async close(): Promise<void> {
    const removed = await Promise.allSettled(this.#begun.map(({ name }) => removeContainer(name)));
    await this.#close();
    assert.deepEqual(
      removed.filter(({ status }) => status === "rejected"),
      [],
    );
  }
}
