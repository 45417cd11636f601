/** Runs whose sandbox is at work, and an upstream that answers as a test says: for tests of the proxies. */
import { afterEach, beforeAll, beforeEach, vi } from "vitest";
import { z } from "zod";
import { runSchema } from "#protocol/run.ts";
import { RUNNER_PING_MS } from "#protocol/runner-link.ts";
import { readTranscript } from "#test/support/api.ts";
import { workOn } from "#test/support/chains.ts";
import { FakeRunner, type FakeWork, RUNNING } from "#test/support/fake-runner.ts";
import { type Asked, ask, createRoutine, read } from "./support.ts";

export const REPOSITORY = "http://127.0.0.1:9418/acme/app.git";
export const MODEL = "claude-test-1";
const started = z.object({ run_id: z.string(), session_id: z.string() });

/** A request as it reached the upstream. */
export interface Seen {
  method: string;
  url: string;
  headers: Headers;
  body: Uint8Array;
  text: string;
}

export class ProxyBed {
  /** Answers whatever the proxies ask. */
  upstream: (request: Seen) => Response | Promise<Response> = () => new Response("no answer", { status: 500 });
  asked: Seen[] = [];
  #runner: FakeRunner | undefined;
  #begun: { runId: string; work: FakeWork }[] = [];

  /** Call it at the top of a test file. */
  static make(): ProxyBed {
    const bed = new ProxyBed();
    beforeAll(async () => {
      bed.#runner = await FakeRunner.join({ capacity: 100 });
    });
    let pinging: ReturnType<typeof setInterval>;
    beforeEach(() => {
      // Else a run would be lost whose test takes long on a slow machine.
      pinging = setInterval(() => {
        bed.#runner?.socket.ping();
        for (const { work } of bed.#begun) work.link.ping();
      }, RUNNER_PING_MS);
      bed.asked = [];
      bed.upstream = () => new Response("no answer prepared", { status: 500 });
      vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
        const request = new Request(input, init);
        // Read here: a body belongs to the request that carries it.
        const body = new Uint8Array(await request.arrayBuffer());
        const { method, url, headers } = request;
        const seen = { method, url, headers, body, text: new TextDecoder().decode(body) };
        bed.asked.push(seen);
        return bed.upstream(seen);
      });
    });
    // A run that is left on holds a place of the runner, also in the files that come after.
    afterEach(async () => {
      clearInterval(pinging);
      for (const { runId, work } of bed.#begun.splice(0)) {
        if ((await read(runSchema, `/api/v1/runs/${runId}`)).status === "running") await work.finish();
      }
    });
    return bed;
  }

  /** Takes up a run that there is: its first attempt, or its next. */
  async takeUp(runId: string) {
    if (this.#runner === undefined) throw new Error("there is no runner yet");
    const work = await workOn(this.#runner, runId);
    await work.report(RUNNING);
    this.#begun.push({ runId, work });
    const proxy = (path: string, rest: Asked = {}) =>
      ask(`/proxy/${runId}${path}`, { token: work.offer.proxy_token, ...rest });
    return { work, proxy };
  }

  /** A run whose sandbox is at work. */
  async begin(model: string = MODEL, url: string = REPOSITORY, more: Record<string, unknown> = {}) {
    if (this.#runner === undefined) throw new Error("there is no runner yet");
    const { id } = await createRoutine({ model, repositories: [{ url }], ...more });
    const { run_id, session_id } = await read(started, `/api/v1/routines/${id}/run`, { method: "POST" });
    const work = await workOn(this.#runner, run_id, more["tools"] === undefined ? [] : ["tools"]);
    await work.report(RUNNING);
    this.#begun.push({ runId: run_id, work });
    const base = `/proxy/${run_id}`;
    const proxy = (path: string, { token = work.offer.proxy_token, ...rest }: Asked = {}) =>
      ask(`${base}${path}`, { token, ...rest });
    const notices = async () =>
      (await readTranscript(session_id)).flatMap((event) =>
        // The beds' models are in no list of prices, which `test/journeys/budget.test.ts` is about.
        event.type === "notice" && event.code !== "model_price_unknown"
          ? [{ code: event.code, message: event.message }]
          : [],
      );
    return { base, proxy, offer: work.offer, work, runId: run_id, sessionId: session_id, notices };
  }
}
