/** `npm run deploy` as a person starts it, into the stand-in for Cloudflare, with a stand-in for Docker or none. */
import { spawn } from "node:child_process";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { FakeCloudflare, TOKEN } from "./fake-cloudflare.ts";

const ROOT = path.join(import.meta.dirname, "..", "..", "..");
const ARGUMENTS_EVERY_MS = 40;

export interface Deployed {
  code: number | null;
  /** Both outputs, as they came. */
  said: string;
}

export class DeployBed {
  readonly cloudflare = new FakeCloudflare();
  /** The instance's name: it keeps the state of a deploy of one's own out of this. */
  readonly name: string;
  readonly folder: string;
  /** Arguments of every process that was seen while a deploy ran. */
  readonly arguments = new Set<string>();
  readonly #home: string;

  private constructor(home: string, name: string) {
    this.#home = home;
    this.name = name;
    this.folder = path.join(ROOT, ".reveille", "deploy", name);
  }

  static async open(name: string): Promise<DeployBed> {
    const bed = new DeployBed(await mkdtemp(path.join(tmpdir(), "deploy-")), `${name}-${process.pid}`);
    const docker = path.join(import.meta.dirname, "fake-docker.ts");
    await writeFile(bed.#docker, `#!/bin/sh\nexec "${process.execPath}" "${docker}" "$@"\n`);
    await chmod(bed.#docker, 0o755);
    await bed.cloudflare.start();
    return bed;
  }

  async close(): Promise<void> {
    await this.cloudflare.stop();
    await rm(this.#home, { recursive: true, force: true });
    await rm(this.folder, { recursive: true, force: true });
  }

  get #docker(): string {
    return path.join(this.#home, "docker");
  }

  /**
   * @param more variables of the environment; WRANGLER_DOCKER_BIN takes the engine away.
   * @param end the change at Cloudflare after which it is told to end, and by which signal: SIGINT is that of Ctrl-C.
   */
  async deploy(
    args: string[] = [],
    more: Record<string, string> = {},
    end: { at: RegExp; by: NodeJS.Signals } | null = null,
  ): Promise<Deployed> {
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: this.#home,
      XDG_CONFIG_HOME: this.#home,
      CLOUDFLARE_API_TOKEN: TOKEN,
      CLOUDFLARE_API_BASE_URL: this.cloudflare.apiUrl,
      PUBLIC_URL: this.cloudflare.origin,
      WRANGLER_DOCKER_BIN: this.#docker,
      DOCKER_FAKE_FOLDER: this.#home,
      ...more,
    };
    const program = path.join(ROOT, "scripts", "deploy.ts");
    const child = spawn(process.execPath, [program, "--name", this.name, ...args], { cwd: ROOT, env });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
    let isNoting = false;
    const timer = setInterval(() => {
      if (end !== null && this.cloudflare.changes.some((change) => end.at.test(change))) child.kill(end.by);
      // One look at a time: a busy machine takes longer for one than there is between two.
      if (isNoting) return;
      isNoting = true;
      void this.#noteArguments().finally(() => (isNoting = false));
    }, ARGUMENTS_EVERY_MS);
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    clearInterval(timer);
    return { code, said };
  }

  async failDocker(command: string | null): Promise<void> {
    const file = path.join(this.#home, "fails");
    if (command === null) await rm(file, { force: true });
    else await writeFile(file, command);
  }

  /** What the stand-in for Docker was asked, and forgets. */
  async takeDockerCalls(): Promise<string[][]> {
    const file = path.join(this.#home, "asked.ndjson");
    const text = await readFile(file, "utf8").catch(() => "");
    await rm(file, { force: true });
    return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as string[]]));
  }

  async secrets(): Promise<Record<string, string>> {
    return JSON.parse(await readFile(path.join(this.folder, "secrets.json"), "utf8"));
  }

  /** Programs that work on this instance. */
  async running(): Promise<string[]> {
    const all = await argumentsOfAll();
    return all.filter((words) => words.includes(this.name));
  }

  async #noteArguments(): Promise<void> {
    for (const words of await argumentsOfAll()) this.arguments.add(words);
  }
}

async function argumentsOfAll(): Promise<string[]> {
  const ids = (await readdir("/proc").catch(() => [])).filter((id) => /^\d+$/.test(id));
  const all = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "")));
  return all.filter((words) => words !== "");
}
