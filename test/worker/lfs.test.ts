/** Git LFS: the sandbox gets addresses of its own proxy in the place of a store's, and nothing by which the store lets it in. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { mayBeAsked } from "#worker/proxy/lfs/batch.ts";
import { ProxyBed, REPOSITORY, type Seen } from "./proxy-bed.ts";
import type { Asked } from "./support.ts";

const bed = ProxyBed.make();

const OID = "ab".repeat(32);
const SIZE = 5;
const STORE = `https://store.example.com/bucket/${OID}?X-Signature=secret`;
const HEADER = { Authorization: "RemoteAuth store-secret" };
const batch = (operation: string, more = {}): Asked => ({
  method: "POST",
  body: JSON.stringify({ operation, transfers: ["basic", "ssh"], objects: [{ oid: OID, size: SIZE }], ...more }),
  headers: { "content-type": "application/vnd.git-lfs+json" },
});
const BATCH = "/git/0.git/info/lfs/objects/batch";

/** What an LFS server answers, and after it what the store does. */
function serves(actions: object, store: (seen: Seen) => Response = () => new Response("12345")) {
  bed.upstream = (seen) =>
    seen.url.endsWith("/info/lfs/objects/batch")
      ? Response.json({ transfer: "basic", objects: [{ oid: OID, size: SIZE, actions }] })
      : store(seen);
}

type Proxy = Awaited<ReturnType<typeof bed.begin>>["proxy"];

/** @returns the path of the transfer below the run's own proxy. */
async function wayOf(proxy: Proxy, operation: "download" | "upload"): Promise<string> {
  const answer = await proxy(BATCH, batch(operation));
  const text = await answer.text();
  expect([answer.status, text.includes("secret"), text.includes("store.example")]).toEqual([200, false, false]);
  const { href } = JSON.parse(text).objects[0].actions[operation];
  expect(href).toMatch(`${REPOSITORY}/info/lfs/objects/`);
  return `/git/0${href.slice(REPOSITORY.length)}`;
}

it("asks the server at the documented address, for plain transfers alone", async () => {
  const { proxy } = await bed.begin();
  serves({ download: { href: STORE, header: HEADER } });
  await wayOf(proxy, "download");
  expect(bed.asked[0]?.url).toBe(`${REPOSITORY}/info/lfs/objects/batch`);
  expect(JSON.parse(bed.asked[0]?.text ?? "")).toMatchObject({ operation: "download", transfers: ["basic"] });
});

it("moves an object both ways by the store's own headers, and tells the server of an upload", async () => {
  const { proxy } = await bed.begin();
  const verify = { href: `${REPOSITORY}/info/lfs/verify`, header: HEADER };
  const place = { href: STORE, header: HEADER };
  serves({ download: place, upload: place, verify });
  expect(await (await proxy(await wayOf(proxy, "download"))).text()).toBe("12345");
  const sent = { method: "PUT", body: "54321", headers: { "content-length": "5" } };
  expect((await proxy(await wayOf(proxy, "upload"), sent)).status).toBe(200);
  const store = bed.asked.filter(({ url }) => !url.endsWith("/batch"));
  expect(store.map(({ method, url, text }) => [method, url, text])).toEqual([
    ["GET", STORE, ""],
    ["PUT", STORE, "54321"],
    ["POST", `${REPOSITORY}/info/lfs/verify`, JSON.stringify({ oid: OID, size: SIZE })],
  ]);
  for (const { headers } of store) expect(headers.get("authorization")).toBe(HEADER.Authorization);
});

it("is good for one repository of one run and one direction, and takes no other size", async () => {
  const { proxy } = await bed.begin();
  const other = await bed.begin();
  serves({ download: { href: STORE }, upload: { href: STORE } }, () => new Response("longer"));
  const [down, up] = [await wayOf(proxy, "download"), await wayOf(proxy, "upload")];
  const asked = bed.asked.length;
  const put = (body: string): Asked => ({ method: "PUT", body, headers: { "content-length": String(body.length) } });
  expect((await other.proxy(down)).status).toBe(404);
  expect((await proxy(up)).status).toBe(404);
  expect((await proxy(down, put("12345"))).status).toBe(404);
  expect((await proxy(`${down}x`)).status).toBe(404);
  expect((await proxy(up, put("123456"))).status).toBe(400);
  expect(bed.asked).toHaveLength(asked);
  await expect(async () => (await proxy(down)).text()).rejects.toThrow();
});

it("tells in git-lfs's own form what goes wrong, and asks no address that is not public", async () => {
  const { proxy } = await bed.begin();
  serves({ download: { href: STORE } }, () => new Response(null, { status: 429, headers: { "retry-after": "7" } }));
  const limited = await proxy(await wayOf(proxy, "download"));
  expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "7"]);
  expect(await limited.json()).toMatchObject({ message: expect.stringContaining("takes no more requests") });

  serves({ download: { href: STORE, header: HEADER } }, ({ url, headers }) =>
    url === STORE
      ? new Response(null, { status: 302, headers: { location: "https://far.example.com/x" } })
      : new Response(headers.has("authorization") ? "leaks" : "12345"),
  );
  expect(await (await proxy(await wayOf(proxy, "download"))).text()).toBe("12345");
  serves(
    { download: { href: STORE } },
    () => new Response(null, { status: 302, headers: { location: "http://10.0.0.1/x" } }),
  );
  expect((await proxy(await wayOf(proxy, "download"))).status).toBe(403);

  serves({ download: { href: "http://169.254.169.254/latest" } });
  const answer = await (await proxy(BATCH, batch("download"))).text();
  expect(JSON.parse(answer).objects[0]).toMatchObject({
    error: { code: 403, message: expect.stringContaining("not public") },
  });
  bed.upstream = () => new Response("<html>", { headers: { "content-type": "text/html" } });
  expect((await proxy(BATCH, batch("download"))).status).toBe(503);
  bed.upstream = () => new Response(null, { status: 401 });
  expect((await proxy(BATCH, batch("download"))).status).toBe(403);
  expect((await proxy(BATCH, batch("destroy"))).status).toBe(400);
  expect((await proxy("/git/0/info/lfs/locks/verify", { method: "POST", body: "{}" })).status).toBe(404);
});

it("says what is wrong with what a server tells, and why it refuses", async () => {
  const { proxy } = await bed.begin();
  const says = async (status: number, words: string) => {
    const answer = await proxy(BATCH, batch("download"));
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringContaining(words)]);
  };
  for (const header of [{ "a b": "x" }, { a: "x\ny" }]) {
    serves({ download: { href: STORE, header } });
    await says(503, "in no form that is known");
  }
  for (const endless of [{ header: { a: "x".repeat(400_000) } }, { href: `${STORE}&${"x".repeat(400_000)}` }]) {
    serves({ download: { href: STORE, ...endless } });
    await says(200, "address for this object is too long");
  }
  bed.upstream = () => new Response("<html>", { status: 404 });
  await says(404, "has no Git LFS for this repository");
  bed.upstream = () => Response.json({ message: "over its data quota" }, { status: 403 });
  await says(403, "and says: over its data quota");
  bed.upstream = () => Response.json({ message: "No disk." }, { status: 507 });
  await says(503, "and says: No disk.");
  const half = /\\ud83d(?!\\ud)|\ud83d(?![\udc00-\udfff])/;
  bed.upstream = () => Response.json({ message: `${"y".repeat(299)}😀` }, { status: 403 });
  expect(await (await proxy(BATCH, batch("download"))).text()).not.toMatch(half);
  const error = { code: 404, message: `${"y".repeat(499)}😀` };
  bed.upstream = () => Response.json({ objects: [{ oid: OID, size: SIZE, error }] });
  expect(await (await proxy(BATCH, batch("download"))).text()).not.toMatch(half);
});

describe("what is slow is told as what it is", () => {
  const later = globalThis.setTimeout;
  /** What would be waited for for half a minute and longer is over a thousand times sooner. */
  const hurry = () => {
    const sooner = (work: () => void, ms = 0) => later(work, ms >= 25_000 ? ms / 1_000 : ms);
    globalThis.setTimeout = sooner as typeof setTimeout;
  };
  afterEach(() => {
    globalThis.setTimeout = later;
  });
  /** What begins, and does not go on. */
  const stuck = () => {
    let isFirst = true;
    return new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (!isFirst) return new Promise<void>(() => undefined);
        isFirst = false;
        controller.enqueue(new TextEncoder().encode("{"));
        return undefined;
      },
    });
  };
  const told = async (asked: Promise<Response>) => {
    const answer = await asked;
    return { status: answer.status, text: await answer.text() };
  };
  /** The next requests to the outside get no answer, as long as they are waited for. */
  const silence = () =>
    vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => {
      const { promise, reject } = Promise.withResolvers<Response>();
      init?.signal?.addEventListener("abort", () => reject(new Error("aborted")));
      if (init?.body instanceof ReadableStream) new Response(init.body).arrayBuffer().catch(reject);
      expect(String(input)).toMatch(/^http/);
      return promise;
    });

  it("a server's answer", async () => {
    const { proxy } = await bed.begin();
    hurry();
    bed.upstream = () => new Response(stuck());
    expect(await told(proxy(BATCH, batch("download")))).toEqual({
      status: 503,
      text: expect.stringMatching(/takes too long\. Reason: http:\/\/127\.0\.0\.1:9418 had begun to answer Git LFS/),
    });
    silence();
    expect(await told(proxy(BATCH, batch("download")))).toEqual({
      status: 503,
      text: expect.stringContaining("neither took nor answered anything for 60 s"),
    });
  });

  it("the sandbox's request", async () => {
    const { proxy } = await bed.begin();
    hurry();
    const answer = await told(proxy(BATCH, { ...batch("download"), body: stuck() }));
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining("came too slowly")]);
    expect(bed.asked).toEqual([]);
  });

  it("an upload: the sandbox's part, and the store's", async () => {
    const { proxy } = await bed.begin();
    serves({ upload: { href: STORE } });
    const way = await wayOf(proxy, "upload");
    hurry();
    silence();
    const put = (body: unknown): Asked => ({ method: "PUT", body, headers: { "content-length": "5" } });
    expect(await told(proxy(way, put(stuck())))).toEqual({
      status: 400,
      text: expect.stringContaining("came too slowly"),
    });
    expect(await told(proxy(way, put("12345")))).toEqual({
      status: 503,
      text: expect.stringContaining("https://store.example.com neither took nor answered anything for 300 s"),
    });
  });

  it("a download that stands still, by a notice of the run", async () => {
    const { proxy, notices } = await bed.begin();
    serves({ download: { href: STORE } }, () => new Response(stuck()));
    const way = await wayOf(proxy, "download");
    hurry();
    const answer = await proxy(way);
    await expect(answer.text()).rejects.toThrow();
    await vi.waitFor(async () => expect((await notices()).map(({ code }) => code)).toEqual(["upstream_slow"]));
  });
});

describe("an object's address", () => {
  it.each([
    ["https://store.example.com/x", true],
    ["http://127.0.0.1:9418/store/x", true],
    ["http://store.example.com/x", false],
    ["https://store.example.com:8443/x", false],
    ["https://user@store.example.com/x", false],
    ["https://127.0.0.1/x", false],
    ["https://2130706433/x", false],
    ["https://[::1]/x", false],
    ["https://localhost/x", false],
    ["https://metadata.google.internal/x", false],
    ["http://127.0.0.1:9419/x", false],
    ["ftp://store.example.com/x", false],
    ["not an address", false],
  ])("%s may be asked: %s", (href, may) => {
    expect(mayBeAsked(href, "http://127.0.0.1:9418")).toBe(may);
  });
});
