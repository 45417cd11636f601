/** An executor that is a container of an engine: started with its lease, without a network, and removed at its end. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type ContainerBrief, INSTANCE_HOST } from "#protocol/container-brief.ts";
import { errorText } from "#protocol/log.ts";
import type { LeaseBrief } from "../attempt/executor-brief.ts";
import { machinesWayOut } from "../network/parent-proxy.ts";
import type { Log } from "../process/log.ts";
import { killGroup, signalProcess, startTalkingProcess, type TalkingProcess } from "../process/spawn.ts";
import type { Executor } from "../runner/executor.ts";
import type { RunnerSettings } from "../runner/settings.ts";
import type { Listening } from "../sandbox/listen.ts";
import type { Engine } from "./engine.ts";
import { serveHosts } from "./hosts-server.ts";
import { serveOwnPaths } from "./own-paths-server.ts";
import { CONTAINER_HOSTS_SOCKET, CONTAINER_SOCKET, HOSTS_SOCKET_NAME, SOCKET_NAME } from "./run-arguments.ts";
import { socketFolder } from "./socket-folders.ts";

export interface ContainerExecutorOptions {
  settings: RunnerSettings & { runnerId: string };
  log: Log;
  name: string;
  engine: Engine;
}

/** After being told to stop, the runner in the container has this long to end by itself. */
const STOP_DEADLINE_MS = 6_000;

export class ContainerExecutor implements Executor {
  readonly name: string;
  readonly #options: ContainerExecutorOptions;
  readonly #gone = Promise.withResolvers<void>();
  readonly #folder: string;
  #client: TalkingProcess | null = null;
  #outcome = "not started";
  #isStopped = false;
  #stopTimer: NodeJS.Timeout | undefined;

  constructor(options: ContainerExecutorOptions) {
    this.#options = options;
    this.name = options.name;
    this.#folder = socketFolder(options.settings.stateFolder, options.name);
  }

  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  get outcome(): string {
    return this.#outcome;
  }

  /** It works from the start on, and has no spare to tell of. */
  has(): boolean {
    return true;
  }

  /** Its container is started for its lease. */
  expect(): void {}

  give(lease: LeaseBrief): void {
    void this.#work(lease).finally(() => this.#gone.resolve());
  }

  /** Tells the runner in the container to end; one that does not is killed. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    // The engine's program passes it on. SIGTERM would let the run go on for a while, as a platform that moves it does.
    signalProcess(this.#client?.process.pid, "SIGINT");
    this.#stopTimer = setTimeout(() => this.kill(), STOP_DEADLINE_MS);
  }

  /** Without its program the container itself is still there: it is removed before the executor is gone. */
  kill(): void {
    this.#isStopped = true;
    killGroup(this.#client?.process.pid);
  }

  async clear(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true }).catch((error) =>
      this.#options.log("run_folder_kept", { executor: this.name, error: errorText(error) }, "warn"),
    );
  }

  /** Never rejects. */
  async #work(lease: LeaseBrief): Promise<void> {
    const { log, engine } = this.#options;
    try {
      await this.#run(lease);
    } catch (error) {
      log("container_not_started", { executor: this.name, error: errorText(error) }, "warn");
    }
    clearTimeout(this.#stopTimer);
    await engine.remove(this.name, log);
  }

  async #run(lease: LeaseBrief): Promise<void> {
    const { settings, engine } = this.#options;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const runId = lease.lease.run_id;
    const ownPaths = await serveOwnPaths({
      instanceUrl: settings.url,
      socketPath: join(this.#folder, SOCKET_NAME),
      runId,
    });
    let hosts: Listening | null = null;
    try {
      const socketPath = join(this.#folder, HOSTS_SOCKET_NAME);
      hosts = await serveHosts({ socketPath, runId, out: machinesWayOut(process.env) });
      if (this.#isStopped) return;
      const client = startTalkingProcess(engine.command(this.name, this.#folder), {
        cwd: "/",
        env: engine.environment(JSON.stringify(this.#brief(lease))),
      });
      this.#client = client;
      await client.ended;
      client.news.destroy();
      this.#outcome = client.process.signalCode ?? `exit ${client.process.exitCode}`;
    } finally {
      await Promise.all([ownPaths.close(), hosts?.close()]);
    }
  }

  #brief({ lease, link_token, proxy_token }: LeaseBrief): ContainerBrief {
    const { settings } = this.#options;
    return {
      instance_url: `http://${INSTANCE_HOST}`,
      host_socket: CONTAINER_SOCKET,
      hosts_socket: CONTAINER_HOSTS_SOCKET,
      lease,
      link_token,
      proxy_token,
      runner: { kind: "local", id: settings.runnerId },
      bounds: settings.bounds,
    };
  }
}
