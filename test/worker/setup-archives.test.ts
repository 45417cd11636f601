/** What setup scripts have made, at the instance: who may keep it, who finds it, and until when. */
import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { SETUP_HEADERS, SETUP_KEPT_MS, SETUP_LIMIT_BYTES, setupPath } from "#protocol/setup-archive.ts";
import { workOn } from "#test/support/chains.ts";
import { FakeRunner, RUNNING } from "#test/support/fake-runner.ts";
import { setupArchives } from "#worker/store/setup-archives.ts";
import { createRoutine, read } from "./support.ts";

const INSTANCE = "http://reveille.internal";
const CONTENT = new Uint8Array(700_000).fill(7);
const started = z.object({ run_id: z.string() });
const named = z.object({ name: z.string() });
const toldSchema = z.object({
  environment: z.object({ setup: z.object({ script: z.string(), cache_key: z.string() }) }),
});
let runner: FakeRunner;
let shared: string;
beforeAll(async () => {
  shared = await environmentWith();
  runner = await FakeRunner.join({ capacity: 40 });
});

async function sha256Of(content: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", content)).toHex();
}

/** Another for each test: R2 keeps what an earlier one has put there. */
const drawKey = () => crypto.getRandomValues(new Uint8Array(32)).toHex();

/** An attempt whose runner has said hello, and whose agent has not started. */
async function begin(input: Record<string, unknown> = {}) {
  const { id } = await createRoutine({ environment: shared, ...input });
  const { run_id } = await read(started, `/api/v1/routines/${id}/run`, { method: "POST" });
  const work = await workOn(runner, run_id);
  const { lease, link_token, proxy_token } = work.offer;
  const { cache_key } = toldSchema.parse(work.order).environment.setup;
  return { work, lease, link_token, proxy_token, cacheKey: cache_key };
}

let made = 0;
/** @returns its name. */
async function environmentWith(input: Record<string, unknown> = {}): Promise<string> {
  made += 1;
  const body = { name: `setup-${made}`, setup: "echo made >~/made", ...input };
  return (await read(named, "/api/v1/environments", { method: "POST", body })).name;
}

/** As its runner asks, out of its container. */
function ask(lease: LeaseRef, token: string, key: string, init: RequestInit = {}, runId = lease.run_id) {
  const headers = { ...init.headers, authorization: `Bearer ${token}` };
  return exports
    .SandboxExit({ props: lease })
    .fetch(new Request(`${INSTANCE}${setupPath(runId, key)}`, { ...init, headers }));
}

async function put(content = CONTENT, headers: Record<string, string> = {}): Promise<RequestInit> {
  return { method: "PUT", body: content, headers: { [SETUP_HEADERS.sha256]: await sha256Of(content), ...headers } };
}

describe("the runner of a container", () => {
  it("keeps an archive before its agent starts, and the runner of a later run finds it", async () => {
    const key = drawKey();
    const first = await begin();
    expect((await ask(first.lease, first.link_token, key)).status).toBe(404);
    expect((await ask(first.lease, first.link_token, key, await put())).status).toBe(204);
    const second = await begin();
    const found = await ask(second.lease, second.link_token, key);
    expect(found.status).toBe(200);
    expect(found.headers.get(SETUP_HEADERS.bytes)).toBe(String(CONTENT.length));
    expect(found.headers.get(SETUP_HEADERS.sha256)).toBe(await sha256Of(CONTENT));
    expect(Math.abs(Date.now() - Number(found.headers.get(SETUP_HEADERS.keptAt)))).toBeLessThan(60_000);
    expect(new Uint8Array(await found.arrayBuffer())).toEqual(CONTENT);
    const other = new Uint8Array([1, 2, 3]);
    expect((await ask(second.lease, second.link_token, key, await put(other))).status).toBe(204);
    expect(new Uint8Array(await (await ask(first.lease, first.link_token, key)).arrayBuffer())).toEqual(other);

    // Whoever is in the container now may be anybody.
    await first.work.report(RUNNING);
    expect((await ask(first.lease, first.link_token, key, await put())).status).toBe(401);
    expect((await ask(first.lease, first.link_token, key)).status).toBe(401);
    await first.work.finish();
    await second.work.finish();
    expect((await ask(second.lease, second.link_token, key, await put())).status).toBe(401);
  });

  it("is refused with another token, for another run, and without what tells that an archive is whole", async () => {
    const key = drawKey();
    const [one, two] = [await begin(), await begin()];
    const wrong = "0".repeat(64);
    const answers = [
      await ask(one.lease, one.proxy_token, key, await put()),
      await ask(one.lease, two.link_token, key, await put()),
      await ask(one.lease, two.link_token, key, await put(), two.lease.run_id),
      await ask(one.lease, one.link_token, `${key}0`, await put()),
      await ask(one.lease, one.link_token, key, await put(CONTENT, { [SETUP_HEADERS.sha256]: "none" })),
      await ask(one.lease, one.link_token, key, await put(CONTENT, { [SETUP_HEADERS.sha256]: wrong })),
      await ask(one.lease, one.link_token, key, { ...(await put()), method: "POST" }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 403, 403, 400, expect.any(Number), 404]);
    expect(answers[5]?.status).toBeGreaterThanOrEqual(400);
    expect((await ask(one.lease, one.link_token, key)).status).toBe(404);
    await Promise.all([one.work.finish(), two.work.finish()]);
  });

  it("is refused an archive that is too long", async () => {
    const { work, lease, link_token } = await begin();
    const { readable } = new FixedLengthStream(SETUP_LIMIT_BYTES + 1);
    const init = { method: "PUT", body: readable, headers: { [SETUP_HEADERS.sha256]: "0".repeat(64) } };
    expect((await ask(lease, link_token, drawKey(), init)).status).toBe(413);
    await work.finish();
  });
});

describe("an environment with a setup script", () => {
  it("has one key and one place for all of its runs, and no other environment's runs read there", async () => {
    const [one, two] = [await environmentWith(), await environmentWith()];
    const first = await begin({ environment: one });
    expect((await ask(first.lease, first.link_token, first.cacheKey)).status).toBe(404);
    expect((await ask(first.lease, first.link_token, first.cacheKey, await put())).status).toBe(204);
    const second = await begin({ environment: one });
    expect(second.cacheKey).toBe(first.cacheKey);
    const found = await ask(second.lease, second.link_token, second.cacheKey);
    expect(new Uint8Array(await found.arrayBuffer())).toEqual(CONTENT);
    const other = await begin({ environment: two });
    expect(other.cacheKey).not.toBe(first.cacheKey);
    expect((await ask(other.lease, other.link_token, first.cacheKey)).status).toBe(404);
    expect((await ask(other.lease, other.link_token, first.cacheKey, await put(new Uint8Array(9)))).status).toBe(204);
    const still = await ask(second.lease, second.link_token, second.cacheKey);
    expect(new Uint8Array(await still.arrayBuffer())).toEqual(CONTENT);
    await Promise.all([first, second, other].map(({ work }) => work.finish()));
  });
});

describe("archives", () => {
  const store = setupArchives(env.BODIES);
  const keep = async (key: string) =>
    await store.keep("env_1/default", key, new Blob([CONTENT]).stream(), {
      bytes: CONTENT.length,
      sha256: await sha256Of(CONTENT),
      nowMs: Date.now(),
    });

  it("are found for seven days, at their own place alone, and then forgotten", async () => {
    const key = drawKey();
    await keep(key);
    const nowMs = Date.now();
    const isThere = async (place: string, atMs: number) => {
      const found = await store.open(place, key, atMs);
      await found?.content.cancel();
      return found !== null;
    };
    expect(await isThere("env_1/default", nowMs)).toBe(true);
    expect(await isThere("env_1/default", nowMs + SETUP_KEPT_MS - 60_000)).toBe(true);
    expect(await isThere("env_1/default", nowMs + SETUP_KEPT_MS + 60_000)).toBe(false);
    expect([await isThere("env_2/default", nowMs), await isThere("env_1/other", nowMs)]).toEqual([false, false]);
    while (await store.purge(nowMs + SETUP_KEPT_MS - 60_000));
    expect(await isThere("env_1/default", nowMs)).toBe(true);
    while (await store.purge(nowMs + SETUP_KEPT_MS + 60_000));
    expect(await isThere("env_1/default", nowMs)).toBe(false);
  });

  it("are refused at once where the bucket has a fault before it has read them", async () => {
    const away = setupArchives({ put: () => Promise.reject(new Error("the bucket is away")) } as unknown as R2Bucket);
    const content = new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(100_000)) });
    const about = { bytes: 1_000_000_000, sha256: "0".repeat(64), nowMs: Date.now() };
    await expect(away.keep("env_1/default", drawKey(), content, about)).rejects.toThrow("the bucket is away");
  });

  it("are not kept in part", async () => {
    const key = drawKey();
    const sha256 = await sha256Of(CONTENT);
    const short = new Blob([CONTENT.subarray(1)]).stream();
    await expect(
      store.keep("env_1/default", key, short, { bytes: CONTENT.length, sha256, nowMs: Date.now() }),
    ).rejects.toThrow();
    const long = new Blob([CONTENT, "x"]).stream();
    await expect(
      store.keep("env_1/default", key, long, { bytes: CONTENT.length, sha256, nowMs: Date.now() }),
    ).rejects.toThrow();
    expect(await store.open("env_1/default", key, Date.now())).toBeNull();
  });
});
