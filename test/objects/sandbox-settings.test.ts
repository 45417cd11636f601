/** What an attempt's container is made with: its routine's object says it, before anything is started. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { SandboxSettings } from "#instance/object-contracts.ts";
import { sandboxObject } from "#instance/objects.ts";
import type { Network } from "#protocol/environment.ts";
import { fakeContainers } from "#test/support/fake-container.ts";
import { PoolObject, RoutineObject, type SandboxObject } from "#worker/index.ts";

const CUSTOM: Network = { level: "custom", allow: ["api.acme.dev"] };

let settings: () => SandboxSettings | null;
let asked: number;
let ends: (string | null)[];
let made = 0;

beforeEach(() => {
  [settings, asked, ends] = [() => ({ network: CUSTOM, size: null }), 0, []];
  vi.spyOn(RoutineObject.prototype, "sandboxFor").mockImplementation(() => {
    asked += 1;
    return settings();
  });
  vi.spyOn(PoolObject.prototype, "hearContainer").mockImplementation(({ end }) => {
    ends.push(end);
    return "held";
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

async function begun() {
  made += 1;
  const lease = { run_id: `run_0ABCDEFGHJKMNPQRSTVWX${String(made).padStart(5, "0")}`, generation: 3 };
  const container = fakeContainers()(`${lease.run_id}.3`);
  const stub = () => sandboxObject(env, null, lease);
  const given = { link_token: "link", proxy_token: "proxy", pool: "default", place: "container-1" };
  await stub().begin({ lease, ...given, start_within_ms: 60_000 });
  const inside = <Value>(work: () => Value | Promise<Value>) => runInDurableObject<SandboxObject, Value>(stub(), work);
  const isOn = () =>
    runInDurableObject<SandboxObject, boolean>(stub(), (_it, { storage }) => {
      return storage.kv.get<{ life: { state: string } }>("container")?.life.state === "running";
    });
  return { container, stub, inside, started: () => vi.waitUntil(isOn, { interval: 5 }) };
}

it("may reach what its routine said, also after its object has been made anew", async () => {
  vi.stubGlobal("fetch", async () => new Response("reached"));
  const { container, stub, inside, started } = await begun();
  await started();
  settings = () => ({ network: { level: "full", allow: [] }, size: null });
  const denied = (url: string) =>
    inside(async () => (await container.way?.fetch(url))?.headers.get("x-deny-reason") ?? null);
  for (const way of ["the first", "of the object made anew"]) {
    expect([way, await denied("https://nodejs.org/")]).toEqual([way, "host_not_allowed"]);
    expect([way, await denied("https://api.acme.dev/")]).toEqual([way, null]);
    container.way = null;
    await evictDurableObject(stub());
    await inside(() => vi.waitUntil(() => container.way !== null));
  }
  expect(asked).toBe(1);
});

it("is of the size that its routine said, for which it is paid", async () => {
  settings = () => ({ network: CUSTOM, size: "standard-1" });
  const metered = vi.spyOn(RoutineObject.prototype, "noteContainer").mockReturnValue();
  const { container, inside, started } = await begun();
  await started();
  expect(container.started[0]).toMatchObject({ instance: "standard-1" });
  await inside(() => container.exit());
  await vi.waitUntil(() => metered.mock.calls.length > 0, { interval: 5 });
  expect(metered.mock.lastCall?.[2]).toMatchObject({ size: "standard-1" });
});

it.each([
  ["has the lease no more", () => null],
  [
    "fails",
    () => {
      throw new Error("out of order");
    },
  ],
])("is not started where its routine's object %s, and asked no more than three times", async (_what, say) => {
  settings = say;
  const { container } = await begun();
  await vi.waitUntil(() => ends.includes("container_start_failed"), { interval: 5 });
  expect([asked, container.started]).toEqual([3, []]);
});

it("is started where its routine's object answers the second time", async () => {
  settings = () => (asked === 1 ? null : { network: CUSTOM, size: null });
  const { started } = await begun();
  await started();
});
