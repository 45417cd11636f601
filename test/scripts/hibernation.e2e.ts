/**
 * An object whose sessions are watched, and in which nothing happens, leaves memory while its viewers stay connected.
 * In the workerd that serves a local instance, which evicts an idle object after 10 s by itself; evictions in the tests
 * of the objects are made by hand, and would also evict an object that a timer keeps awake.
 */
import { cp, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import WebSocket from "ws";
import { z } from "zod";
import { admissionSchema } from "#protocol/occurrence.ts";
import { routineSchema } from "#protocol/routine.ts";
import { runSchema } from "#protocol/run.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import { callApi } from "#scripts/instance/api.ts";
import { type BuiltWorker, buildWorker } from "#scripts/instance/build-worker.ts";
import { drawFreePort } from "#scripts/instance/ports.ts";
import { OWNER_TOKEN, serveWorker } from "./support/served-worker.ts";
import { until } from "./support/until.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
/** The platform's 10 s, and some. */
const IDLE_MS = 12_000;

/** Ours with a count of how often a routine's object was made. */
const COUNTING = `
import worker, { RoutineObject as Routine } from "./reveille.js";
export * from "./reveille.js";
let made = 0;
export class RoutineObject extends Routine {
  constructor(context, env) {
    super(context, env);
    made += 1;
  }
}
export default {
  fetch(request, env, context) {
    return new URL(request.url).pathname === "/made" ? Response.json(made) : worker.fetch(request, env, context);
  },
};`;

it("hibernates while it is watched, and what happens then reaches each viewer once", { timeout: 90_000 }, async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "reveille-hibernation-"));
  const url = `http://127.0.0.1:${await drawFreePort()}`;
  const host = await serveWorker(folder, await buildCounting(folder), Number(new URL(url).port));
  try {
    const routine = await ask(url, "POST", "/api/v1/routines", routineSchema, {
      name: "watched",
      prompt: "Do the work.",
      triggers: [{ type: "api" }],
      max_concurrent: 1,
    });
    const run = () => ask(url, "POST", `/api/v1/routines/${routine.id}/run`, admissionSchema);
    const cancel = (runId: string) => ask(url, "POST", `/api/v1/runs/${runId}/cancel`, runSchema);
    const [, over, queued] = [await run(), await run(), await run()];
    await cancel(over.run_id);
    const viewers = [watch(url, over.session_id), watch(url, queued.session_id)] as const;
    for (const viewer of viewers) await until("catching up", 10_000, () => viewer.isCaughtUp);
    const before = viewers.map(({ events }) => events.length);
    const made = await ask(url, "GET", "/made", z.number());

    await delay(IDLE_MS / 2);
    for (const viewer of viewers) viewer.ping();
    await delay(IDLE_MS / 2);
    for (const viewer of viewers) expect(viewer).toMatchObject({ pongs: 1, closed: null });
    expect(await ask(url, "GET", "/made", z.number())).toBe(made);

    await cancel(queued.run_id);
    const [first, second] = viewers;
    await until("the end of the run", 10_000, () => second.events.some(({ type }) => type === "run.finished"));
    expect(await ask(url, "GET", "/made", z.number())).toBe(made + 1);
    const events = z.object({ data: z.array(z.custom<TranscriptEvent>()) });
    const stored = await ask(url, "GET", `/api/v1/sessions/${queued.session_id}/events`, events);
    expect(second.events).toEqual(stored.data);
    expect(second.events.length).toBeGreaterThan(before[1] ?? 0);
    expect(first.events.length).toBe(before[0]);
    for (const viewer of viewers) expect(viewer.closed).toBe(null);
  } finally {
    await host.stop(2_000);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});

async function buildCounting(folder: string): Promise<BuiltWorker> {
  const built = await buildWorker(ROOT, path.join(folder, "built"), new AbortController().signal);
  if (!built.ok) throw new Error(built.message);
  const bundle = path.join(folder, "counting");
  await cp(built.value.folder, bundle, { recursive: true });
  await rename(path.join(bundle, "index.js"), path.join(bundle, "reveille.js"));
  await writeFile(path.join(bundle, "index.js"), COUNTING);
  return { ...built.value, folder: bundle };
}

/** A viewer that acknowledges whatever comes. */
function watch(url: string, sessionId: string) {
  const address = `${url.replace("http", "ws")}/api/v1/sessions/${sessionId}/live?after=0`;
  const socket = new WebSocket(address, { headers: { authorization: `Bearer ${OWNER_TOKEN}` } });
  const viewer = {
    events: [] as TranscriptEvent[],
    isCaughtUp: false,
    pongs: 0,
    closed: null as number | null,
    ping: () => socket.send("ping"),
  };
  socket.on("close", (code) => {
    viewer.closed = code;
  });
  socket.on("message", (data) => {
    const text = String(data);
    if (text === "pong") {
      viewer.pongs += 1;
      return;
    }
    const message = JSON.parse(text);
    if (message.type === "caught_up") viewer.isCaughtUp = true;
    else viewer.events.push(...(message.type === "events" ? message.events : [message]));
    socket.send(JSON.stringify({ type: "ack", seq: viewer.events.at(-1)?.seq ?? 0 }));
  });
  return viewer;
}

async function ask<Schema extends z.ZodType>(
  url: string,
  method: "GET" | "POST",
  path: string,
  answer: Schema,
  body?: unknown,
): Promise<z.infer<Schema>> {
  const call = { method, path, token: OWNER_TOKEN, body, answer };
  const answered = await callApi(url, call, new AbortController().signal);
  if (answered.kind === "answered") return answered.value;
  throw new Error(`${method} ${path}: ${answered.message}`);
}
