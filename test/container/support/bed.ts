/** `npm start` with containers, as a person has it: at an engine behind a door, with a model that says what the test says. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import type { z } from "zod";
import { pageSchema } from "#protocol/api.ts";
import { admissionSchema } from "#protocol/occurrence.ts";
import { routineSchema } from "#protocol/routine.ts";
import { isSettled, listedRunSchema, type Run, runSchema } from "#protocol/run.ts";
import { type TranscriptEvent, transcriptEventSchema } from "#protocol/transcript.ts";
import { type Call, callApi, outcomeOf } from "#scripts/instance/api.ts";
import { localFileSchema } from "#scripts/instance/seed.ts";
import {
  cleanUp,
  newStateFolder,
  printedCurl,
  processesOf,
  type StartedInstance,
  startProcess,
} from "#test/scripts/support/started-instance.ts";
import { until } from "#test/scripts/support/until.ts";
import { containersOf, ENGINE, type Listed, workingOf } from "./engine.ts";
import { EngineDoor } from "./engine-door.ts";
import { type Script, ScriptedModel } from "./scripted-model.ts";

/** For what takes seconds where nothing else is done, on a machine that has much to do. */
export const LONG_MS = 120_000;

export class Bed {
  readonly #instance: StartedInstance;
  readonly door: EngineDoor;
  readonly model: ScriptedModel;

  private constructor(instance: StartedInstance, door: EngineDoor, model: ScriptedModel) {
    this.#instance = instance;
    this.door = door;
    this.model = model;
  }

  /** @param capacity how many containers work at once. @param image in place of the runner's. */
  static async start(capacity: number, image?: string): Promise<Bed> {
    const state = newStateFolder();
    const model = await ScriptedModel.start();
    const door = await EngineDoor.open(path.join(state, "engine.sock"), ENGINE);
    const env = {
      ANTHROPIC_API_KEY: "key-of-nobody",
      ANTHROPIC_BASE_URL: model.url,
      DOCKER_HOST: door.address,
      REVEILLE_CONTAINERS: String(capacity),
      ...(image === undefined ? {} : { REVEILLE_IMAGE: image }),
    };
    const bed = new Bed(await startProcess({ state, env }), door, model);
    try {
      await printedCurl(bed.#instance);
      // What the suite pushes would wake it.
      const path = `/api/v1/routines/${bed.#local().demo.reviewer_id}/pause`;
      await bed.ask({ method: "POST", path, answer: routineSchema });
      return bed;
    } catch (error) {
      await bed.#close();
      throw error;
    }
  }

  /** Ends the instance as Ctrl-C does: nothing of it is left, neither processes nor containers. */
  async stop(): Promise<void> {
    try {
      await this.door.open();
      this.#instance.child.kill("SIGINT");
      assert.equal(await this.#instance.exited, 0, this.#instance.output());
      assert.deepEqual(processesOf(this.#instance.state), []);
      assert.deepEqual(await this.containers(), []);
    } finally {
      await this.#close();
    }
  }

  async #close(): Promise<void> {
    this.door.shut();
    await this.model.close();
    cleanUp(this.#instance.state);
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

  /** Looks until `signal` how many containers work at one time. @returns the most. */
  async mostAtWork(signal: AbortSignal): Promise<number> {
    let most = 0;
    while (!signal.aborted) most = Math.max(most, (await workingOf(this.#storage)).length);
    return most;
  }

  get #storage(): string {
    return path.join(this.#instance.state, "storage", "v3");
  }

  /** Signals the program of the instance whose command has this in it. */
  signal(part: "worker-host.ts" | "workerd", signal: NodeJS.Signals): void {
    const found = processesOf(this.#instance.state).find(({ command }) => command.includes(part));
    assert.ok(found, `no process with ${part}`);
    process.kill(found.pid, signal);
  }

  /** The lines of the worker's log so far. */
  log(): string {
    return readFileSync(path.join(this.#instance.state, "logs", "worker.log"), "utf8");
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

  async events({ session_id }: Run): Promise<TranscriptEvent[]> {
    const path = `/api/v1/sessions/${session_id}/events?limit=1000`;
    return (await this.ask({ method: "GET", path, answer: pageSchema(transcriptEventSchema) })).data;
  }

  async ask<Schema extends z.ZodType>(call: Omit<Call<Schema>, "token">): Promise<z.infer<Schema>> {
    const origin = `http://127.0.0.1:${this.#instance.port}`;
    const { signal } = new AbortController();
    const answered = await callApi(origin, { ...call, token: this.#local().owner_token }, signal);
    const outcome = outcomeOf(`${call.method} ${call.path}`, answered);
    if (!outcome.ok) throw new Error(outcome.message);
    return outcome.value;
  }

  #local() {
    return localFileSchema.parse(JSON.parse(readFileSync(path.join(this.#instance.state, "local.json"), "utf8")));
  }
}
