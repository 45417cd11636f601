/** Which hosts a run has asked for: counted at a container's exit, told in parts, and shown with the run. */
import { exports } from "cloudflare:workers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { HostUse } from "#protocol/host-use.ts";
import { runSchema } from "#protocol/run.ts";
import { call } from "#test/support/api.ts";
import { counted, HostCounts } from "#worker/exit/host-counts.ts";
import { ProxyBed } from "./proxy-bed.ts";

const bed = ProxyBed.make();
const LEASE = { run_id: "run_0ABCDEFGHJKMNPQRSTVWXYZ012", generation: 1 };
const use = (host: string, part: Partial<HostUse> = {}): HostUse => {
  return { host, allowed: true, requests: 0, bytes_sent: 0, bytes_received: 0, ...part };
};

function bodyOf(...pieces: string[]): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(encoder.encode(piece));
      controller.close();
    },
  });
}

/** Tells at once what a container's exit counts, in place of every few seconds. */
function tellAtOnce(): void {
  const spy = vi.spyOn(HostCounts.prototype, "add").mockImplementation((_lease, part, tell) => tell([part]));
  onTestFinished(() => spy.mockRestore());
}

describe("the counts of an isolate", () => {
  it("tell all that has come until then once, for each attempt by itself", async () => {
    const counts = new HostCounts();
    const told: [string, HostUse[]][] = [];
    const add = (generation: number, part: HostUse) =>
      counts.add({ ...LEASE, generation }, part, async (rows) => void told.push([String(generation), rows]), 1);
    const waits = [
      add(1, use("a.com", { requests: 1 })),
      add(1, use("a.com", { bytes_sent: 5 })),
      add(2, use("b.com")),
    ];
    expect(waits.map((wait) => wait === null)).toEqual([false, true, false]);
    await Promise.all(waits);
    expect(told).toEqual([
      ["1", [use("a.com", { requests: 1, bytes_sent: 5 })]],
      ["2", [use("b.com")]],
    ]);
    await add(1, use("c.com"));
    expect(told[2]).toEqual(["1", [use("c.com")]]);
  });

  it("are told once though the request that was to tell them has been ended", async () => {
    const counts = new HostCounts();
    const told: HostUse[][] = [];
    const tell = async (rows: HostUse[]) => void told.push(rows);
    const now = Date.now();
    const lost = counts.add(LEASE, use("a.com", { requests: 1 }), tell, 20, now);
    expect(counts.add(LEASE, use("a.com", { requests: 1 }), tell, 1, now + 59_000)).toBeNull();
    const again = counts.add(LEASE, use("a.com", { requests: 1 }), tell, 1, now + 60_000);
    expect(again).not.toBeNull();
    await Promise.all([again, lost]);
    expect(told).toEqual([[use("a.com", { requests: 3 })]]);
  });

  it.each<[what: string, headers: Record<string, string>, bytes: number[]]>([
    ["by its length", { "content-length": "7" }, [7]],
    ["by its length where it is compressed", { "content-length": "7", "content-encoding": "gzip" }, [7]],
    ["not at all where it is compressed and has none", { "content-encoding": "gzip" }, []],
    ["by what passes where it has none", {}, [10]],
    ["by what passes where its length is none", { "content-length": "-1" }, [10]],
  ])("count a body %s", async (_what, headers, bytes) => {
    const told: number[] = [];
    const body = counted(bodyOf("hello", "world"), new Headers(headers), (count) => told.push(count));
    expect(await new Response(body).text()).toBe("helloworld");
    expect(told).toEqual(bytes);
  });

  it("count what has passed of a body that nobody reads to its end", async () => {
    const told: number[] = [];
    const body = counted(bodyOf("hello", "world"), new Headers(), (count) => told.push(count));
    const reader = body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect(told).toHaveLength(1);
    expect(told[0]).toBeGreaterThanOrEqual(5);
  });
});

it.each<[what: string, url: string, use: HostUse]>([
  [
    "a host whose name is longer than any",
    `https://${"a.".repeat(200)}com/`,
    use("*", { allowed: false, requests: 12 }),
  ],
  [
    "bodies that are announced longer than can be counted",
    "https://pypi.org/",
    use("pypi.org", { requests: 12, bytes_received: Number.MAX_SAFE_INTEGER }),
  ],
])("a run that asks for %s is shown as any", async (_what, url, shown) => {
  tellAtOnce();
  const { offer } = await bed.begin();
  bed.upstream = () => new Response(new ReadableStream(), { headers: { "content-length": "999999999999999" } });
  for (let count = 0; count < 12; count += 1) {
    const answer = await exports.SandboxExit({ props: offer.lease }).fetch(url);
    await answer.body?.cancel();
  }
  await vi.waitFor(async () => {
    const { status, body } = await call("GET", `/api/v1/runs/${offer.lease.run_id}`);
    expect(status).toBe(200);
    expect(runSchema.parse(body).evidence.hosts).toEqual([shown]);
  });
});

it("a run shows which hosts its container asked for, also when it has ended", async () => {
  tellAtOnce();
  const { offer, work } = await bed.begin();
  bed.upstream = () => new Response("the package", { headers: { "content-length": "11" } });
  const leave = (url: string, init: RequestInit = {}) =>
    exports.SandboxExit({ props: offer.lease }).fetch(new Request(url, init));
  await (await leave("https://pypi.org/", { method: "PUT", body: "bytes" })).text();
  await (await leave("https://pypi.org/simple")).text();
  await leave("https://evil.com/");
  const hosts = async () => {
    const { body } = await call("GET", `/api/v1/runs/${offer.lease.run_id}`);
    return runSchema.parse(body).evidence.hosts;
  };
  const expected = [
    use("pypi.org", { requests: 2, bytes_sent: 5, bytes_received: 22 }),
    use("evil.com", { allowed: false, requests: 1 }),
  ];
  await vi.waitFor(async () => expect(await hosts()).toEqual(expected));
  await work.finish();
  expect(await hosts()).toEqual(expected);
  const list = await call<{ data: { evidence: object }[] }>("GET", "/api/v1/runs");
  expect(list.body.data.filter(({ evidence }) => "hosts" in evidence)).toEqual([]);
});
