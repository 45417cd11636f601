/**
 * A built instance with everything that belongs to it, on a folder of its own, behind a network that can be cut. Each kind
 * is started once, when it is first needed, and stopped at the end of the suite.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { z } from "zod";
import { pageSchema } from "#protocol/api.ts";
import { type Delivery, deliverySchema } from "#protocol/delivery.ts";
import { type Admission, admissionSchema } from "#protocol/occurrence.ts";
import { type Routine, routineSchema } from "#protocol/routine.ts";
import { listedRunSchema, type Run, runSchema } from "#protocol/run.ts";
import { type TranscriptEvent, transcriptEventSchema } from "#protocol/transcript.ts";
import { type Call, callApi, outcomeOf } from "#scripts/instance/api.ts";
import { Parts } from "#scripts/instance/parts.ts";
import { drawFreePort } from "#scripts/instance/ports.ts";
import { makeSignInUrl } from "#scripts/instance/seed.ts";
import { startInstance } from "#scripts/instance/start-instance.ts";
import type { Outcome } from "#scripts/outcome.ts";
import { copyBuilt } from "#test/scripts/support/built.ts";
import { until } from "#test/scripts/support/until.ts";
import { GatedModel } from "./gated-model.ts";
import { Network } from "./network.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");

const RUN_POLL_MS = 100;
/** Within that time a run that has ended is listed so, and one of the demo model has ended. */
const LISTED_MS = 20_000;

export interface Bed {
  /** The instance's address for browsers, through the network. */
  url: string;
  /** Where the worker itself listens: the way round the network. */
  origin: string;
  network: Network;
  ownerToken: string;
  runnerToken: string;
  demoRoutineId: string;
  /** An address like the printed one, which is too old by the time that a suite on a slow machine comes to it. */
  signInUrl(): Promise<string>;
}

export interface GatedBed extends Bed {
  model: GatedModel;
}

const closers: (() => Promise<void>)[] = [];
after(async () => {
  for (const close of closers.reverse()) {
    // Thrown here it would keep what else there is from being closed, and the suite from ending.
    await close().catch((fault: unknown) => {
      console.error(fault);
      process.exitCode = 1;
    });
  }
});

let gated: Promise<GatedBed> | null = null;
let demo: Promise<Bed> | null = null;

/** The instance whose model says what the test says. */
export function gatedBed(): Promise<GatedBed> {
  gated ??= openGatedBed();
  return gated;
}

/** The instance that has no key, and so uses the offline demo model. */
export function demoBed(): Promise<Bed> {
  demo ??= openBed({});
  return demo;
}

/** An instance whose GitHub is at an address of the test's. */
export function bedWithGithub(apiUrl: string): Promise<Bed> {
  return openBed({ GITHUB_API_URL: apiUrl });
}

async function openGatedBed(): Promise<GatedBed> {
  const model = await GatedModel.start();
  closers.push(() => model.close());
  const key = { ANTHROPIC_API_KEY: "key-of-nobody", ANTHROPIC_BASE_URL: model.url };
  return { ...(await openBed(key)), model };
}

async function openBed(modelVariables: Record<string, string>): Promise<Bed> {
  const stateFolder = mkdtempSync(path.join(tmpdir(), "reveille-browser-"));
  closers.push(async () => rmSync(stateFolder, { recursive: true, force: true, maxRetries: 5 }));
  await copyBuilt(stateFolder);
  const port = await drawFreePort();
  const network = await Network.open(port);
  closers.push(() => network.close());
  const url = `http://localhost:${network.port}`;
  const runnerToken = `runner-token-${crypto.randomUUID()}`;
  const settings = {
    port,
    stateFolder,
    workerVariables: { ...modelVariables, PUBLIC_URL: url, RUNNER_TOKEN: runnerToken, CONNECTORS_LOOPBACK: "1" },
    // What stories leave waiting keeps its place: those after them need one, too.
    runnerVariables: { REVEILLE_CAPACITY: "12" },
    containers: null,
    hasModelKey: modelVariables["ANTHROPIC_API_KEY"] !== undefined,
  };
  const parts = new Parts();
  closers.push(() => parts.stop(false));
  const { signal } = new AbortController();
  const started = must(
    await startInstance({ root: ROOT, settings, hasPages: true, say: console.error, signal, parts }),
  );
  const { origin, local } = started;
  closers.push(() => findLeft(origin, local.owner_token));
  const {
    owner_token: ownerToken,
    demo: { routine_id: demoRoutineId },
  } = local;
  const signInUrl = async () => must(await makeSignInUrl({ url, origin, ownerToken, signal }));
  return { url, origin, network, ownerToken, runnerToken, demoRoutineId, signInUrl };
}

/** Asks the API as the owner, the way round the network. @throws with one line when it is refused. */
export async function ask<Schema extends z.ZodType>(
  { origin, ownerToken }: Bed,
  call: Omit<Call<Schema>, "token">,
): Promise<z.infer<Schema>> {
  const answer = await callApi(origin, { ...call, token: ownerToken }, new AbortController().signal);
  return must(outcomeOf(`${call.method} ${call.path}`, answer));
}

export function createRoutine(bed: Bed, input: Record<string, unknown>): Promise<Routine> {
  const body = { name: "Browser suite", ...input };
  return ask(bed, { method: "POST", path: "/api/v1/routines", body, answer: routineSchema });
}

export function changeRoutine(bed: Bed, id: string, change: Record<string, unknown>): Promise<Routine> {
  return ask(bed, { method: "PATCH", path: `/api/v1/routines/${id}`, body: change, answer: routineSchema });
}

export function runNow(bed: Bed, routineId: string): Promise<Admission> {
  return ask(bed, { method: "POST", path: `/api/v1/routines/${routineId}/run`, answer: admissionSchema });
}

export function readRun(bed: Bed, runId: string): Promise<Run> {
  return ask(bed, { method: "GET", path: `/api/v1/runs/${runId}`, answer: runSchema });
}

/** What a program tells the instance: a delivery of source `event`. */
export function sendEvent(bed: Bed, event: { name: string; payload: object }): Promise<Delivery> {
  return ask(bed, { method: "POST", path: "/api/v1/events", body: event, answer: deliverySchema });
}

export async function untilEnded(bed: Bed, runId: string): Promise<Run> {
  for (;;) {
    const run = await readRun(bed, runId);
    if (run.timings.finished_at !== null) return run;
    await delay(RUN_POLL_MS);
  }
}

/** Ends the runs of a routine that are on: whatever a story leaves on keeps its place, which those after it need, too. */
export async function cancelRuns(bed: Bed, routineId: string): Promise<void> {
  const path = `/api/v1/runs?routine=${routineId}&status=${UNSETTLED}`;
  const { data } = await ask(bed, { method: "GET", path, answer: runPage });
  for (const { id } of data) {
    await ask(bed, { method: "POST", path: `/api/v1/runs/${id}/cancel`, answer: runSchema });
    await untilEnded(bed, id);
  }
}

/** @param act done at the end of the suite, while the instance is there. */
export function atEnd(act: () => Promise<void>): void {
  closers.push(act);
}

async function findLeft(origin: string, token: string): Promise<void> {
  const call = { method: "GET", path: `/api/v1/runs?status=${UNSETTLED}`, answer: runPage, token } as const;
  let left: string[] = [];
  const read = async () => {
    const { data } = must(outcomeOf("runs", await callApi(origin, call, new AbortController().signal)));
    left = data.map(({ id, status, routine }) => `${id} of ${routine.name} (${status})`);
    return left.length === 0;
  };
  // The list comes after the runs themselves.
  await until("no run is on", LISTED_MS, read).catch(() => undefined);
  assert.deepEqual(left, [], "stories end what they have started");
}

const UNSETTLED = "queued,starting,running,waiting";
const runPage = pageSchema(listedRunSchema);

/** The whole transcript, as the API tells it. */
export async function readEvents(bed: Bed, sessionId: string): Promise<TranscriptEvent[]> {
  const events: TranscriptEvent[] = [];
  for (let after: string | null = "0"; after !== null; ) {
    const at: string = `/api/v1/sessions/${sessionId}/events?limit=1000&after=${after}`;
    const page: z.infer<typeof eventPage> = await ask(bed, { method: "GET", path: at, answer: eventPage });
    events.push(...page.data);
    after = page.next_cursor;
  }
  return events;
}

const eventPage = pageSchema(transcriptEventSchema);

function must<Value>(outcome: Outcome<Value>): Value {
  if (!outcome.ok) throw new Error(outcome.message);
  return outcome.value;
}
