/** `npm start` with containers, as a person has it: at an engine behind a door, with a model that says what the test says. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { z } from "zod";
import { pageSchema } from "#protocol/api.ts";
import { admissionSchema } from "#protocol/occurrence.ts";
import { routineSchema } from "#protocol/routine.ts";
import { isSettled, listedRunSchema, type Run, runSchema } from "#protocol/run.ts";
import { type TranscriptEvent, transcriptEventSchema } from "#protocol/transcript.ts";
import { type Call, callApi, outcomeOf } from "#scripts/instance/api.ts";
import { Parts } from "#scripts/instance/parts.ts";
import { drawFreePort } from "#scripts/instance/ports.ts";
import { localFileSchema } from "#scripts/instance/seed.ts";
import { readSettings } from "#scripts/instance/settings.ts";
import { startInstance } from "#scripts/instance/start-instance.ts";
import { assertNoSecrets } from "#test/scripts/support/no-secrets.ts";
import {
  cleanUp,
  newStateFolder,
  printedCurl,
  processesOf,
  type StartOptions,
  startProcess,
} from "#test/scripts/support/started-instance.ts";
import { pauseAfter, until } from "#test/scripts/support/until.ts";
import { containersOf, ENGINE, type Listed, removeContainersOf, workingOf } from "./engine.ts";
import { EngineDoor } from "./engine-door.ts";
import { runnerImage } from "./images.ts";
import { type Script, ScriptedModel } from "./scripted-model.ts";

/** For what takes seconds where nothing else is done, on a machine that has much to do. */
export const LONG_MS = 120_000;
const MODEL_KEY = "key-of-nobody";

/** An instance that is on. */
interface Running {
  state: string;
  port: number;
  /** Ends it as Ctrl-C does. @returns what it has said. */
  stop(): Promise<string>;
}

export class Bed {
  readonly #running: Running;
  readonly door: EngineDoor;
  readonly model: ScriptedModel;

  private constructor(running: Running, door: EngineDoor, model: ScriptedModel) {
    this.#running = running;
    this.door = door;
    this.model = model;
  }

  /** `npm start`. @param capacity how many containers work at once. @param image in place of the runner's. @param how otherwise. */
  static start(capacity: number, image?: string, how: Pick<StartOptions, "command" | "env"> = {}): Promise<Bed> {
    return Bed.#open(async (state, variables) => {
      const REVEILLE_CONTAINERS = String(capacity);
      // Built by the instance it would count as part of its start, and takes minutes where nothing has been built.
      if (image === undefined) await runnerImage();
      const own = image === undefined ? {} : { REVEILLE_IMAGE: image };
      const env = { ...variables, ...own, ...how.env, REVEILLE_CONTAINERS };
      const instance = await startProcess({ ...how, state, env });
      await printedCurl(instance);
      const stop = async () => {
        instance.child.kill("SIGINT");
        assert.equal(await instance.exited, 0, instance.output());
        assert.deepEqual(processesOf(state), []);
        return instance.output();
      };
      return { state, port: instance.port, stop };
    });
  }

  /** The same in this process, of a project in another folder. @param image is at the engine. */
  static startOf(root: string, capacity: number, image: string): Promise<Bed> {
    return Bed.#open(async (state, variables) => {
      const port = await drawFreePort();
      const given = { ...variables, PORT: String(port), REVEILLE_STATE: state, REVEILLE_CONTAINERS: String(capacity) };
      const read = readSettings({ ...process.env, ...given, REVEILLE_IMAGE: image }, root);
      assert.ok(read.ok, read.ok ? "" : read.message);
      const parts = new Parts();
      const { signal } = new AbortController();
      const settings = read.value;
      const started = await startInstance({ root, settings, hasPages: false, say: console.error, signal, parts });
      if (!started.ok) await parts.stop(false);
      assert.ok(started.ok, started.ok ? "" : started.message);
      const stop = async () => {
        await parts.stop(false);
        return "";
      };
      return { state, port, stop };
    });
  }

  static async #open(start: (state: string, variables: Record<string, string>) => Promise<Running>): Promise<Bed> {
    const state = await newStateFolder();
    const model = await ScriptedModel.start();
    const door = await EngineDoor.open(path.join(state, "engine.sock"), ENGINE);
    const key = { ANTHROPIC_API_KEY: MODEL_KEY, ANTHROPIC_BASE_URL: model.url };
    try {
      const bed = new Bed(await start(state, { ...key, DOCKER_HOST: door.address }), door, model);
      // What the suite pushes would wake it.
      const path = `/api/v1/routines/${bed.#local().demo.reviewer_id}/pause`;
      await bed.ask({ method: "POST", path, answer: routineSchema });
      return bed;
    } catch (error) {
      await close(state, door, model);
      throw error;
    }
  }

  /** Ends the instance: nothing of it is left, neither processes nor containers, and no secret in what it has stored and logged. */
  async stop(): Promise<void> {
    try {
      await this.door.open();
      const said = await this.#running.stop();
      assert.deepEqual(await this.containers(), []);
      assertNoSecrets(this.#running.state, said, [MODEL_KEY]);
    } finally {
      await close(this.#running.state, this.door, this.model);
    }
  }

  /** Containers and side-cars of this instance. */
  containers(): Promise<Listed[]> {
    return containersOf(this.#storage);
  }

  /** The one container that works. */
  async theContainer(): Promise<Listed> {
    const working = await workingOf(this.#storage);
    assert.equal(working.length, 1, JSON.stringify(working));
    return working[0] as Listed;
  }

  /** Waits until no container works: each ends with its run. */
  async untilNoneWorks(): Promise<void> {
    await until("the end of all containers", LONG_MS, async () => (await workingOf(this.#storage)).length === 0);
  }

  /** Waits until the object of a run's container says that it has ended, and sees that the engine has none: one may start again. */
  async untilEnded(runId: string): Promise<void> {
    const told = () =>
      this.log()
        .split("\n")
        .some((line) => line.includes('"container_ended"') && line.includes(runId));
    await until(`the end of the container of ${runId}`, LONG_MS, told);
    const left = (await this.containers()).filter(({ name }) => !name.endsWith("-proxy"));
    assert.deepEqual(left, []);
  }

  /** Looks until `signal` how many containers work at one time. @returns the most. */
  async mostAtWork(signal: AbortSignal): Promise<number> {
    let most = 0;
    while (!signal.aborted) {
      const lookedAt = performance.now();
      most = Math.max(most, (await workingOf(this.#storage)).length);
      // The engine has other things to do, on few cores: its list of some dozens takes it half a second of one.
      await delay(pauseAfter(performance.now() - lookedAt));
    }
    return most;
  }

  get #storage(): string {
    return storageIn(this.#running.state);
  }

  /** Signals the program of the instance whose command has this in it. */
  signal(part: "worker-host.ts" | "workerd", signal: NodeJS.Signals): void {
    const found = processesOf(this.#running.state).find(({ command }) => command.includes(part));
    assert.ok(found, `no process with ${part}`);
    process.kill(found.pid, signal);
  }

  /** The lines of the worker's log so far. */
  log(): string {
    return readFileSync(path.join(this.#running.state, "logs", "worker.log"), "utf8");
  }

  /** A run by hand of a routine of its own, whose agent does what the script says, in the demo's repository. */
  async begin(script: Script, routine: Record<string, unknown> = {}): Promise<string> {
    const { demo } = this.#local();
    const from = await this.ask({ method: "GET", path: `/api/v1/routines/${demo.routine_id}`, answer: routineSchema });
    const { id } = await this.ask({
      method: "POST",
      path: "/api/v1/routines",
      body: { name: "Container suite", prompt: script.task, repositories: from.repositories, ...routine },
      answer: routineSchema,
    });
    return await this.runNow(id);
  }

  /** Waits until the run's agent has come to the step that the script holds. */
  async untilHeld(script: Script, runId: string): Promise<void> {
    await Promise.race([script.held, this.settled(runId)]);
    const run = await this.run(runId);
    assert.equal(run.status, "running", JSON.stringify(run.error));
  }

  async runNow(routineId: string): Promise<string> {
    const path = `/api/v1/routines/${routineId}/run`;
    const { run_id } = await this.ask({ method: "POST", path, answer: admissionSchema });
    assert.ok(run_id);
    return run_id;
  }

  /** Cancels what a test that failed has left, so that it fails alone. */
  async cancelAll(): Promise<void> {
    const { data } = await this.ask({
      method: "GET",
      path: "/api/v1/runs?limit=200",
      answer: pageSchema(listedRunSchema),
    });
    // The list is behind at times; the run itself knows.
    for (const { id } of data) if (!isSettled(await this.run(id))) await this.cancel(id);
  }

  cancel(runId: string): Promise<Run> {
    return this.ask({ method: "POST", path: `/api/v1/runs/${runId}/cancel`, answer: runSchema });
  }

  run(id: string): Promise<Run> {
    return this.ask({ method: "GET", path: `/api/v1/runs/${id}`, answer: runSchema });
  }

  async settled(id: string, deadlineMs = LONG_MS): Promise<Run> {
    return await until(`the end of ${id}`, deadlineMs, async () => {
      // A worker that is started again does not answer for a while.
      const run = await this.run(id).catch(() => null);
      return run !== null && isSettled(run) && run;
    }).catch(async (error) => {
      const told = this.log()
        .split("\n")
        .filter((line) => line.includes(id) || !line.startsWith("{"));
      throw new Error(`${error.message}: ${JSON.stringify(await this.run(id))}\n${told.join("\n")}`);
    });
  }

  /** Waits for an event of the run's that is so. */
  async event(runId: string, what: string, test: (event: TranscriptEvent) => boolean): Promise<TranscriptEvent> {
    const run = await this.run(runId);
    return await until(what, LONG_MS, async () => (await this.events(run)).find(test));
  }

  async events({ session_id }: Run): Promise<TranscriptEvent[]> {
    const path = `/api/v1/sessions/${session_id}/events?limit=1000`;
    return (await this.ask({ method: "GET", path, answer: pageSchema(transcriptEventSchema) })).data;
  }

  async ask<Schema extends z.ZodType>(call: Omit<Call<Schema>, "token">): Promise<z.infer<Schema>> {
    const origin = `http://127.0.0.1:${this.#running.port}`;
    const { signal } = new AbortController();
    const answered = await callApi(origin, { ...call, token: this.#local().owner_token }, signal);
    const outcome = outcomeOf(`${call.method} ${call.path}`, answered);
    if (!outcome.ok) throw new Error(outcome.message);
    return outcome.value;
  }

  #local() {
    return localFileSchema.parse(JSON.parse(readFileSync(path.join(this.#running.state, "local.json"), "utf8")));
  }
}

function storageIn(state: string): string {
  return path.join(state, "storage", "v3");
}

async function close(state: string, door: EngineDoor, model: ScriptedModel): Promise<void> {
  door.shut();
  await model.close();
  cleanUp(state);
  await removeContainersOf(storageIn(state));
}
