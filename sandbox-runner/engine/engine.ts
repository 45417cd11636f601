/** A container engine, by its program: whether runs can be started in it, and removing what is left. */
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { CONTAINER_BRIEF } from "#protocol/container-brief.ts";
import { errorText } from "#protocol/log.ts";
import type { RunBounds } from "#protocol/run-bounds.ts";
import type { Log } from "../process/log.ts";
import { awaitProcess, type Command, type CommandEnd, type PipedProcess, startProcess } from "../process/spawn.ts";
import { NAME_LABEL, OWNER_LABEL, runArguments } from "./run-arguments.ts";
import { socketFolder } from "./socket-folders.ts";
import { tryContainer } from "./trial.ts";

export interface EngineOptions {
  program: "podman" | "docker";
  image: string;
  bounds: RunBounds;
  /** Of the runner: its containers are told from others' by it. */
  stateFolder: string;
}

/** What the engine's program is told of this one's environment: where its engine is, and where its own settings are. */
const PASSED_ON = [
  "PATH",
  "HOME",
  "USER",
  "LANG",
  "TMPDIR",
  "XDG_RUNTIME_DIR",
  "XDG_CONFIG_HOME",
  "XDG_DATA_HOME",
  "DBUS_SESSION_BUS_ADDRESS",
  "CONTAINERS_CONF",
  "CONTAINERS_STORAGE_CONF",
  "CONTAINER_HOST",
  "DOCKER_CERT_PATH",
  "DOCKER_CONFIG",
  "DOCKER_CONTEXT",
  "DOCKER_HOST",
  "DOCKER_TLS_VERIFY",
];

const COMMAND_DEADLINE_MS = 30_000;
/** The first container after an image has come takes an engine longer than all later ones. */
const TRIAL_DEADLINE_MS = 120_000;
const OUTPUT_CAP_BYTES = 100_000;
const AGAIN_MS = 1_000;
const AGAIN_MOST_MS = 30_000;
const NAME_BYTES = 9;

export class Engine {
  readonly #options: EngineOptions;
  readonly #owner: string;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#owner = createHash("sha256").update(options.stateFolder).digest("hex").slice(0, 16);
  }

  /** What starts a container, and ends with it. @param sockets see `runArguments`. */
  command(name: string, sockets: string): Command {
    return [this.#options.program, ...runArguments(this.#container(name), sockets)];
  }

  /** The whole environment of that command. @param brief as JSON. */
  environment(brief: string | null): Record<string, string> {
    const passedOn = PASSED_ON.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    });
    return { ...Object.fromEntries(passedOn), ...(brief === null ? {} : { [CONTAINER_BRIEF]: brief }) };
  }

  /** @returns why no run can be started, in one line; null when one could. */
  async check(): Promise<string | null> {
    const { program, image } = this.#options;
    const answer = await this.#ask(["version"]);
    if (answer.how === "not_started") {
      return `REVEILLE_ENGINE: ${program} is not on the path; install it, or take another engine`;
    }
    if (answer.code !== 0) return `REVEILLE_ENGINE: ${program} does not answer: ${lastLine(answer)}`;
    if ((await this.#ask(["image", "inspect", image])).code !== 0) {
      return `REVEILLE_IMAGE: ${program} has no image ${image}; build it, or get it with "${program} pull ${image}"`;
    }
    return await this.#try();
  }

  /** What goes wrong there would go wrong in each run, and is told now. */
  async #try(): Promise<string | null> {
    const { program, image, bounds, stateFolder } = this.#options;
    const name = `trial-${randomBytes(NAME_BYTES).toString("hex")}`;
    const folder = socketFolder(stateFolder, name);
    const fault = `REVEILLE_ENGINE: ${program} can't start a container as runs need it:`;
    try {
      const { end, hasAsked } = await tryContainer(folder, bounds, (brief) => {
        const place = { cwd: "/", env: this.environment(JSON.stringify(brief)) };
        return this.#await(startProcess(this.command(name, folder), place), TRIAL_DEADLINE_MS);
      });
      if (hasAsked) return null;
      if (end.how !== "exited" || end.code !== 0) return `${fault} ${lastLine(end)}`;
    } catch (error) {
      return `${fault} ${errorText(error)}`;
    }
    const remedy = `take the runner's own image of this version, and let containers use sockets in ${stateFolder}`;
    return `REVEILLE_IMAGE: a container of ${image} started, and did not find its way to this runner: ${remedy}`;
  }

  /** Ends and removes what an earlier process of this runner has left. */
  async removeLeftovers(log: Log): Promise<void> {
    const left = await this.#list(`${OWNER_LABEL}=${this.#owner}`);
    if (left === null || left.length === 0) return;
    await this.#untilGone(`${OWNER_LABEL}=${this.#owner}`, log);
    log("leftover_containers", { count: left.length });
  }

  /** Settles when an executor's container is gone: at once when it has ended by itself. Never rejects. */
  async remove(name: string, log: Log): Promise<void> {
    await this.#untilGone(`${NAME_LABEL}=${name}`, log);
  }

  /** An engine that does not answer may do so later: until then nobody can say that a container is gone. */
  async #untilGone(label: string, log: Log): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      const left = await this.#list(label);
      if (left?.length === 0) return;
      if (tries > 0) {
        log("containers_left", { label, count: left?.length ?? null }, "warn");
        await sleep(Math.min(AGAIN_MOST_MS, AGAIN_MS * 2 ** (tries - 1)));
      }
      for (const id of left ?? []) {
        // Killed first: a removal by itself may wait for the container to end.
        await this.#ask(["kill", id]);
        await this.#ask(["rm", "--force", "--volumes", id]);
      }
    }
  }

  /** @returns the containers with a label, whatever their state; null when the engine does not tell. */
  async #list(label: string): Promise<string[] | null> {
    const { code, stdout } = await this.#ask(["ps", "--all", "--quiet", "--filter", `label=${label}`]);
    return code === 0 ? stdout.split("\n").filter((line) => line !== "") : null;
  }

  async #ask(words: readonly string[]): Promise<CommandEnd> {
    const child = startProcess([this.#options.program, ...words], { cwd: "/", env: this.environment(null) });
    return await this.#await(child, COMMAND_DEADLINE_MS);
  }

  async #await(child: PipedProcess, deadlineMs: number): Promise<CommandEnd> {
    const signal = new AbortController().signal;
    return await awaitProcess(child, { deadlineMs, outputCapBytes: OUTPUT_CAP_BYTES, signal });
  }

  #container(name: string) {
    const { bounds, image } = this.#options;
    return { name, owner: this.#owner, bounds, image };
  }
}

function lastLine({ how, stderr }: CommandEnd): string {
  if (how === "timed_out") return "it took too long";
  return stderr.trim().split("\n").at(-1) || "it gave no reason";
}
