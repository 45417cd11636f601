/** What model calls use is counted, once, whatever becomes of the calls that tell it. */
import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { refuse, success } from "#protocol/errors.ts";
import type { ModelUsage } from "#protocol/model-usage.ts";
import { listedRunSchema } from "#protocol/run.ts";
import { readRun, readTranscript } from "#test/support/api.ts";
import { CANCELED } from "#test/support/fake-runner.ts";
import { answerLate, fail, hang, loseAnswer, routine, type Trouble } from "#test/support/hang.ts";
import { asking } from "#test/support/objects.ts";
import worker from "#worker/index.ts";
import { LOOK_MS } from "#worker/proxy/model/attempt-watch.ts";
import { tellUnused } from "#worker/proxy/model/metered-answer.ts";
import { tellOwedUsage } from "#worker/proxy/model/owe-usage.ts";
import { MODEL, ProxyBed } from "./proxy-bed.ts";
import { type Asked, ask, read } from "./support.ts";

const bed = ProxyBed.make();
const messages: Asked = { method: "POST", body: { model: MODEL, max_tokens: 10, messages: [] } };
const USED = { input_tokens: 11, output_tokens: 22, cache_read_tokens: 0, cache_write_tokens: 0 };
const NOTHING = { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 };

const event = (type: string, more: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const START = event("message_start", { message: { usage: { input_tokens: 11, output_tokens: 1 } } });
const DELTA = event("message_delta", { delta: {}, usage: { output_tokens: 22 } });
const STOP = event("message_stop", {});
const STREAM = [START, DELTA, STOP];
const JSON_ANSWER = ['{"type":"message","usage":{"input_tokens":11,', '"output_tokens":22}', "}"];
const TYPES = { stream: "text/event-stream; charset=utf-8", json: "application/json" };

/** An upstream that sends these pieces one by one, and then ends, or breaks off. */
function answers(pieces: readonly string[], type: string, ending: "ends" | "breaks off" | "stays open" = "ends") {
  bed.upstream = () => {
    const left = [...pieces];
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const piece = left.shift();
        if (piece !== undefined) return controller.enqueue(new TextEncoder().encode(piece));
        if (ending === "ends") return controller.close();
        if (ending === "breaks off") return controller.error(new Error("connection lost"));
        await new Promise(() => {});
      },
    });
    return new Response(body, { headers: { "content-type": type } });
  };
}

/** Keeps what is sent to the queue, in place of the queue. */
let queued: ModelUsage[] = [];
let isQueueBroken = false;
beforeEach(() => {
  queued = [];
  isQueueBroken = false;
  vi.spyOn(Object.getPrototypeOf(env.USAGE), "send").mockImplementation(async (usage) => {
    if (isQueueBroken) throw new Error("the queue is out of order");
    queued.push(usage as ModelUsage);
  });
});

/** The queue's messages arrive. @returns how many are to come again. */
async function arrive(attempts = 1): Promise<number> {
  const sent = queued.map((body, index) => ({ id: String(index), timestamp: new Date(), attempts, body }));
  const batch = createMessageBatch("reveille-usage", sent);
  await worker.queue(batch, env);
  return (await getQueueResult(batch, createExecutionContext())).retryMessages.length;
}

/** Without what it cost, which `test/journeys/budget.test.ts` is about. */
const usageOf = async (runId: string) => {
  const { metered_cost_usd: _cost, estimated: _estimated, ...usage } = (await readRun(runId)).usage;
  return usage;
};
const counted = { ...USED, cost_usd: 0 };

/** Has a silent call ask soon whether its attempt is still on, until it is disposed of. */
function soonLooking() {
  const later = globalThis.setTimeout;
  let looks = 0;
  const sooner = (work: () => void, ms?: number) => {
    if (ms === LOOK_MS) looks += 1;
    return later(work, ms === LOOK_MS ? 10 : ms);
  };
  globalThis.setTimeout = sooner as typeof setTimeout;
  return {
    looks: () => looks,
    [Symbol.dispose]: () => {
      globalThis.setTimeout = later;
    },
  };
}

/** Reads until the answer has come to its end, or to nothing for now. */
function reading(answer: Response) {
  const state = { text: "", ending: "open" as "open" | "ended" | "broken" };
  const decoder = new TextDecoder();
  const all = (async () => {
    for await (const piece of answer.body ?? []) state.text += decoder.decode(piece, { stream: true });
  })();
  const done = all.then(
    () => (state.ending = "ended"),
    () => (state.ending = "broken"),
  );
  return { state, done };
}

const kinds = [
  ["a stream", STREAM, TYPES.stream],
  ["a whole answer", JSON_ANSWER, TYPES.json],
] as const;

describe.each(kinds)("%s", (_kind, pieces, type) => {
  it("has its last piece held until what it used is written down, and no other", async () => {
    const { proxy, runId } = await bed.begin();
    answers(pieces, type);
    using late = answerLate(routine("endModelCall", runId));
    const { state, done } = reading(await proxy("/model/v1/messages", messages));
    await late.untilMet();
    await vi.waitUntil(() => state.text === pieces.slice(0, -1).join(""));
    expect(await usageOf(runId)).toEqual(counted);
    late.end();
    expect(await done).toBe("ended");
    expect(state.text).toBe(pieces.join(""));
    expect(queued).toEqual([]);
  });

  it.each<[string, (party: ReturnType<typeof routine>) => Trouble]>([
    ["fails", fail],
    ["loses its answer", loseAnswer],
    ["hangs", hang],
  ])("is counted once when the object %s, and the queue tells twice", async (_what, trouble) => {
    const { proxy, runId } = await bed.begin();
    answers(pieces, type);
    using troubled = trouble(routine("endModelCall", runId));
    expect(await (await proxy("/model/v1/messages", messages)).text()).toBe(pieces.join(""));
    expect(queued).toMatchObject([{ kind: "model_usage", call: 1, tokens: USED }]);
    troubled.end();
    expect(await arrive()).toBe(0);
    expect(await arrive()).toBe(0);
    expect(await usageOf(runId)).toEqual(counted);
  });

  it("breaks off when neither object nor queue takes in what it used, and the run says so", async () => {
    const { proxy, runId, work, sessionId } = await bed.begin();
    answers(pieces, type);
    const errors = vi.spyOn(console, "error");
    isQueueBroken = true;
    using _failing = fail(routine("endModelCall", runId));
    const { state, done } = reading(await proxy("/model/v1/messages", messages));
    expect(await done).toBe("broken");
    expect(pieces.slice(0, -1).join("")).toContain(state.text);
    const told = errors.mock.calls.map(([line]) => JSON.parse(line));
    expect(told).toContainEqual(expect.objectContaining({ code: "usage_lost", run_id: runId, call: 1, ...USED }));
    await work.finish();
    expect((await usageOf(runId)).unmetered_calls).toBe(1);
    const finished = (await readTranscript(sessionId)).find(({ type }) => type === "run.finished");
    expect(finished).toMatchObject({ usage: { unmetered_calls: 1 } });
  });
});

describe("a call", () => {
  it("that ends without its last event, or stays open after it, is counted like any other", async () => {
    const { proxy, runId } = await bed.begin();
    answers([START, DELTA], TYPES.stream);
    expect(await (await proxy("/model/v1/messages", messages)).text()).toBe(START + DELTA);
    answers(STREAM, TYPES.stream, "stays open");
    const { state } = reading(await proxy("/model/v1/messages", messages));
    await vi.waitUntil(() => state.text === STREAM.join(""));
    expect(await usageOf(runId)).toEqual({ ...counted, input_tokens: 22, output_tokens: 44 });
  });

  it("that breaks off, or ends with an error, is counted up to there", async () => {
    const { proxy, runId } = await bed.begin();
    answers([START], TYPES.stream, "breaks off");
    expect(await reading(await proxy("/model/v1/messages", messages)).done).toBe("broken");
    expect(await usageOf(runId)).toEqual({ ...counted, output_tokens: 1, unmetered_calls: 1 });
    answers([START, event("error", { error: { type: "overloaded_error" } })], TYPES.stream);
    await (await proxy("/model/v1/messages", messages)).text();
    expect(await usageOf(runId)).toEqual({ ...counted, input_tokens: 22, output_tokens: 2, unmetered_calls: 2 });
  });

  it.each<[string, readonly string[], string, "ends" | "breaks off", object]>([
    ["a stream, after its first event", [START], TYPES.stream, "ends", { ...counted, output_tokens: 1 }],
    ["a stream, before its first event", [": hello\n\n"], TYPES.stream, "breaks off", { ...NOTHING, cost_usd: 0 }],
    [
      "a whole answer, which breaks off",
      JSON_ANSWER.slice(0, 1),
      TYPES.json,
      "breaks off",
      { ...NOTHING, cost_usd: 0 },
    ],
    ["a whole answer, which ends too early", JSON_ANSWER.slice(0, 2), TYPES.json, "ends", { ...NOTHING, cost_usd: 0 }],
    ["an answer that does not tell", ["{}"], TYPES.json, "ends", { ...NOTHING, cost_usd: 0 }],
  ])("that is cut off is among those that are not metered, told by the queue too: %s", async (...cut) => {
    const [, pieces, type, ending, used] = cut;
    const { proxy, runId } = await bed.begin();
    answers(pieces, type, ending);
    using failing = fail(routine("endModelCall", runId));
    await reading(await proxy("/model/v1/messages", messages)).done;
    failing.end();
    expect(await arrive()).toBe(0);
    expect(await arrive()).toBe(0);
    expect(await usageOf(runId)).toEqual({ ...used, unmetered_calls: 1 });
  });

  it.each<[string, () => Response | Promise<Response>]>([
    ["nobody answers", () => Promise.reject(new TypeError("connection refused"))],
    ["the key is refused", () => new Response(null, { status: 401 })],
    ["the model is overloaded", () => Response.json({ type: "error" }, { status: 529 })],
  ])("has used nothing when %s, and is not left open", async (_what, upstream) => {
    const { proxy, runId } = await bed.begin();
    bed.upstream = upstream;
    await (await proxy("/model/v1/messages", messages)).text();
    await vi.waitFor(async () => expect(await usageOf(runId)).toEqual({ ...NOTHING, cost_usd: 0 }));
    expect((await readRun(runId)).evidence.model_calls).toBe(1);
  });

  it("is counted beside another, each once", async () => {
    const { proxy, runId } = await bed.begin();
    answers(STREAM, TYPES.stream);
    using failing = fail(routine("endModelCall", runId));
    const both = await Promise.all([1, 2].map(async () => (await proxy("/model/v1/messages", messages)).text()));
    expect(both).toEqual([STREAM.join(""), STREAM.join("")]);
    failing.end();
    expect(queued.map(({ call }) => call).sort()).toEqual([1, 2]);
    await Promise.all([arrive(), arrive()]);
    expect(await usageOf(runId)).toEqual({ ...counted, input_tokens: 22, output_tokens: 44 });
  });

  it("is not counted when it only counts tokens", async () => {
    const { proxy, runId } = await bed.begin();
    answers(['{"input_tokens":', "3}"], TYPES.json);
    using silent = hang(routine("endModelCall", runId));
    expect(await (await proxy("/model/v1/messages/count_tokens", messages)).json()).toEqual({ input_tokens: 3 });
    expect(silent.met).toBe(0);
    expect(await usageOf(runId)).toEqual({ ...NOTHING, cost_usd: 0 });
  });

  it.each([
    ["has ended", async ({ work }: Begun) => work.finish()],
    [
      "was canceled",
      async ({ work, runId }: Begun) => {
        await ask(`/api/v1/runs/${runId}/cancel`, { method: "POST" });
        await work.finish(CANCELED);
      },
    ],
  ])("that comes to its end when the run %s is counted to it, also in lists", async (_what, end) => {
    const begun = await bed.begin();
    const { proxy, runId } = begun;
    answers(STREAM, TYPES.stream);
    using failing = fail(routine("endModelCall", runId));
    await (await proxy("/model/v1/messages", messages)).text();
    await end(begun);
    const listed = async () => {
      const runs = await read(z.object({ data: z.array(listedRunSchema) }), "/api/v1/runs?limit=100");
      return runs.data.find(({ id }) => id === runId);
    };
    const open = await usageOf(runId);
    expect(open).toMatchObject({ unmetered_calls: 1 });
    await vi.waitFor(async () => expect((await listed())?.usage).toMatchObject(open), 5_000);
    failing.end();
    await arrive();
    const all = { ...counted, cost_usd: open.cost_usd };
    expect(await usageOf(runId)).toEqual(all);
    await vi.waitFor(async () => expect((await listed())?.usage).toMatchObject(all), 5_000);
  });

  it("whose worker is gone is counted as far as it had been told, and the run says that it is not all", async () => {
    const { proxy, runId, work } = await bed.begin();
    answers([START], TYPES.stream, "stays open");
    const { state } = reading(await proxy("/model/v1/messages", messages));
    await vi.waitUntil(() => state.text === START);
    await vi.waitFor(async () => expect((await usageOf(runId)).input_tokens).toBe(11));
    await work.finish();
    expect(await usageOf(runId)).toMatchObject({ input_tokens: 11, output_tokens: 1, unmetered_calls: 1 });
  });

  it.each([
    ["nothing", [] as string[], NOTHING],
    ["its beginning", [START], { ...NOTHING, input_tokens: 11, output_tokens: 1 }],
  ])(
    "that is silent after %s is let go when its attempt has ended, and counted so far",
    async (_what, pieces, used) => {
      const { proxy, runId, work } = await bed.begin();
      const left = vi.fn();
      bed.upstream = () => {
        const body = new ReadableStream<Uint8Array>({
          start: (controller) => {
            for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
          },
          cancel: left,
        });
        return new Response(body, { headers: { "content-type": TYPES.stream } });
      };
      using soon = soonLooking();
      const { state } = reading(await proxy("/model/v1/messages", messages));
      await vi.waitUntil(() => soon.looks() > 2);
      expect([left.mock.calls.length, state.ending]).toEqual([0, "open"]);
      await work.finish(CANCELED);
      await vi.waitFor(() => expect(left).toHaveBeenCalledTimes(1));
      await vi.waitFor(async () => expect(await usageOf(runId)).toEqual({ ...used, cost_usd: 0, unmetered_calls: 1 }));
    },
  );

  it("waits for nobody with its first piece, nor with a beginning that the object does not take in", async () => {
    const { proxy, runId } = await bed.begin();
    answers(STREAM, TYPES.stream);
    using silent = hang(routine("noteModelUsage", runId));
    expect(await (await proxy("/model/v1/messages", messages)).text()).toBe(STREAM.join(""));
    await silent.untilMet();
    silent.end();
    // What it tells comes after the end, and counts nothing.
    await vi.waitFor(async () => expect(await usageOf(runId)).toEqual(counted));
  });
});

type Begun = Awaited<ReturnType<typeof bed.begin>>;

describe("the object", () => {
  it("takes no call for one of the run's that it has not let begin", async () => {
    const { runId, offer } = await bed.begin();
    const other = await bed.begin();
    const model = await asking(runId).beginModelCall(offer.lease, MODEL);
    expect(model).toMatchObject({ ok: true, value: { call: 1 } });
    const refused = { ok: false, refusal: { code: "proxy_token_refused" } };
    expect(await asking(runId).endModelCall(offer.lease, 2, USED)).toMatchObject(refused);
    expect(await asking(runId).endModelCall(other.offer.lease, 1, USED)).toMatchObject(refused);
    expect(await asking(other.runId).endModelCall(other.offer.lease, 1, USED)).toMatchObject(refused);
    await asking(runId).noteModelUsage(offer.lease, 2, USED);
    expect(await usageOf(runId)).toEqual({ ...NOTHING, cost_usd: 0, unmetered_calls: 1 });
    await asking(runId).endModelCall(offer.lease, 1, USED);
    expect(await usageOf(runId)).toEqual(counted);
  });
});

it.each([
  ["the sandbox has left, is not metered", AbortSignal.abort(), 0, true],
  ["nobody has answered, used nothing", new AbortController().signal, 0, false],
  ["it was refused, used nothing, though the sandbox has left", AbortSignal.abort(), 401, false],
])("a call without an answer, where %s", async (_what, signal, status, isPart) => {
  const told: unknown[] = [];
  const endModelCall = async (...values: unknown[]) => success(void told.push(values));
  const waits: Promise<unknown>[] = [];
  const c = {
    var: { requestId: "req_x", deps: { ownerOf: () => ({ endModelCall }) } },
    req: { raw: { signal } },
    executionCtx: { waitUntil: (work: Promise<unknown>) => void waits.push(work) },
  };
  const lease = { run_id: "run_x", generation: 1 };
  tellUnused(c as never, { lease, call: 1 }, status);
  await Promise.all(waits);
  expect(told).toEqual([[lease, 1, NOTHING, isPart]]);
});

describe("the queue", () => {
  const usage: ModelUsage = { kind: "model_usage", lease: { run_id: "run_x", generation: 1 }, call: 1, tokens: USED };
  const owned = (endModelCall: () => Promise<unknown>) => ({ ownerOf: () => ({ endModelCall }) as never });

  it.each([
    ["is told no more once it has taken it in", async () => success(null), 1, null],
    ["is told no more when it has no such call", async () => refuse("proxy_token_refused"), 1, null],
    ["is told again when it can't be opened", async () => refuse("storage_not_migrated"), 1, 5],
    ["is told again when it fails", () => Promise.reject(new Error("reset")), 3, 20],
    ["is told again each hour", () => Promise.reject(new Error("reset")), 32, 3_600],
    ["is given up after a day", () => Promise.reject(new Error("reset")), 33, null],
  ])("%s", async (_what, answer, attempt, wait) => {
    const errors = vi.spyOn(console, "error").mockClear();
    expect(await tellOwedUsage(owned(answer), usage, attempt)).toBe(wait);
    const told = errors.mock.calls.map(([line]) => JSON.parse(line));
    const trouble = { code: "usage_lost", run_id: "run_x", call: 1, ...USED };
    expect(told).toEqual(attempt === 33 ? [expect.objectContaining(trouble)] : []);
  });

  it("brings what is owed by itself, and again when the object fails", async () => {
    vi.restoreAllMocks();
    vi.spyOn(globalThis, "fetch").mockImplementation(async () => bed.upstream({} as never));
    const { proxy, runId } = await bed.begin();
    answers(STREAM, TYPES.stream);
    using failing = fail(routine("endModelCall", runId));
    await (await proxy("/model/v1/messages", messages)).text();
    failing.end();
    await vi.waitFor(async () => expect(await usageOf(runId)).toEqual(counted));
  });
});
