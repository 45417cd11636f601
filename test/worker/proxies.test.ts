/** What a run's sandbox gets through the worker: its model and its repositories, with the instance's credentials put in. */
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { runSchema } from "#protocol/run.ts";
import { readTranscript } from "#test/support/api.ts";
import { configuredCredentials } from "#worker/proxy/git/git-credentials.ts";
import { askGit } from "#worker/proxy/git/git-upstream.ts";
import { MODEL, ProxyBed, REPOSITORY } from "./proxy-bed.ts";
import { type Asked, ask, errorOf, read } from "./support.ts";

const bed = ProxyBed.make();
const NEW = "2".repeat(40);
const NONE = "0".repeat(40);

const messages = { model: MODEL, max_tokens: 10, stream: true, messages: [{ role: "user", content: "hi" }] };
const answered =
  'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":11,"output_tokens":1}}}\n\n' +
  'event: message_delta\ndata: {"type":"message_delta","delta":{},"usage":{"output_tokens":22}}\n\n';

function eventStream(text = answered, headers: Record<string, string> = {}): Response {
  return new Response(text, { headers: { "content-type": "text/event-stream", ...headers } });
}

function call(body: unknown = messages, headers: Record<string, string> = {}): Asked {
  return { method: "POST", body, headers };
}

const deep = `{"model":"${MODEL}","messages":${"[".repeat(5_000_000)}${"]".repeat(5_000_000)}}`;

describe("the model proxy", () => {
  it("passes a call on with a list of headers, streams the answer, and meters it", async () => {
    const { proxy, runId } = await bed.begin();
    bed.upstream = () =>
      eventStream(answered, { "request-id": "req_up", "set-cookie": "a=b", "anthropic-ratelimit-x": "1" });
    const headers = {
      "anthropic-version": "2023-06-01",
      "anthropic-beta": "b",
      cookie: "c=d",
      "x-forwarded-for": "1.2.3.4",
    };
    const answer = await proxy("/model/v1/messages?beta=true", call(messages, headers));
    expect(await answer.text()).toBe(answered);
    expect(answer.headers.get("request-id")).toBe("req_up");
    expect(answer.headers.get("anthropic-ratelimit-x")).toBe("1");
    expect(answer.headers.get("set-cookie")).toBeNull();
    const [request] = bed.asked;
    expect(request?.url).toBe("http://model.test/v1/messages?beta=true");
    expect(JSON.parse(request?.text ?? "")).toEqual(messages);
    expect([...(request?.headers.keys() ?? [])].sort()).toEqual([
      "anthropic-beta",
      "anthropic-version",
      "content-type",
      "x-api-key",
    ]);
    expect(request?.headers.get("x-api-key")).toBe(env.ANTHROPIC_API_KEY);
    await vi.waitFor(async () => {
      const run = await read(runSchema, `/api/v1/runs/${runId}`);
      expect(run.usage).toMatchObject({ input_tokens: 11, output_tokens: 22 });
      expect(run.evidence.model_calls).toBe(1);
    });
  });

  it("records the call before it is made, also when nobody answers", async () => {
    const { proxy, runId } = await bed.begin();
    const seen: number[] = [];
    bed.upstream = async () => {
      seen.push((await read(runSchema, `/api/v1/runs/${runId}`)).evidence.model_calls);
      throw new TypeError("connection refused");
    };
    expect(await errorOf(await proxy("/model/v1/messages", call()))).toMatchObject({
      status: 503,
      type: "overloaded_error",
    });
    expect(seen).toEqual([1]);
  });

  it.each([
    ["while it speaks", () => scheduler.wait(5).then(() => "event: ping\ndata: {}\n\n")],
    ["while it is silent", () => new Promise<string>(() => {})],
  ])("hands each piece on as it comes, and meters what was used when the reader goes away %s", async (_when, next) => {
    const { proxy, runId } = await bed.begin();
    let isUpstreamCanceled = false;
    const pieces = [`${answered.split("\n\n")[0]}\n\n`];
    bed.upstream = () => {
      const body = new ReadableStream({
        pull: async (controller) => {
          // Never ends by itself: only a reader that goes away ends it.
          const piece = pieces.shift() ?? (await next());
          controller.enqueue(new TextEncoder().encode(piece));
        },
        cancel: () => {
          isUpstreamCanceled = true;
        },
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    };
    const answer = await proxy("/model/v1/messages", call());
    const reader = answer.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toContain("message_start");
    await reader?.cancel();
    await vi.waitFor(async () => {
      expect((await read(runSchema, `/api/v1/runs/${runId}`)).usage.input_tokens).toBe(11);
    });
    expect(isUpstreamCanceled).toBe(true);
  });

  it("counts tokens without counting a call", async () => {
    const { proxy, runId } = await bed.begin();
    bed.upstream = () => Response.json({ input_tokens: 3 });
    const answer = await proxy("/model/v1/messages/count_tokens", call());
    expect(await answer.json()).toEqual({ input_tokens: 3 });
    expect((await read(runSchema, `/api/v1/runs/${runId}`)).evidence.model_calls).toBe(0);
  });

  it("takes its token in each of the forms that programs send it", async () => {
    const { base, offer } = await bed.begin();
    bed.upstream = () => eventStream();
    const forms = [
      { authorization: `Bearer ${offer.proxy_token}` },
      { "x-api-key": offer.proxy_token },
      { authorization: `Basic ${btoa(`x:${offer.proxy_token}`)}` },
    ];
    for (const headers of forms) {
      const answer = await ask(`${base}/model/v1/messages`, { ...call(messages, headers), token: null });
      expect(answer.status).toBe(200);
      await answer.text();
    }
    for (const request of bed.asked) expect(JSON.stringify([...request.headers])).not.toContain("rvl_proxy");
  });

  it.each<[string, string, Asked, number, string]>([
    ["no model", "/model/v1/messages", call({ messages: [] }), 400, "invalid_request"],
    [
      "a server's tool",
      "/model/v1/messages",
      call({ ...messages, tools: [{ type: "web_search_20250305" }] }),
      403,
      "proxy_refused",
    ],
    [
      "a connector",
      "/model/v1/messages",
      call({ ...messages, mcp_servers: [{ url: "https://x" }] }),
      403,
      "proxy_refused",
    ],
    ["no JSON", "/model/v1/messages", call("{", { "content-type": "application/json" }), 400, "invalid_json"],
    ["deep nesting", "/model/v1/messages", call(deep, { "content-type": "application/json" }), 400, "invalid_json"],
    ["another type", "/model/v1/messages", call("{}", { "content-type": "text/plain" }), 415, "content_type_refused"],
    ["a query", "/model/v1/messages?x=1", call(), 404, "not_found"],
    ["a batch", "/model/v1/messages/batches", call(), 404, "not_found"],
    ["files", "/model/v1/files", {}, 404, "not_found"],
    ["another method", "/model/v1/messages", {}, 404, "not_found"],
    ["a path trick in code", "/model/v1/messages%2f..%2ffiles", call(), 404, "not_found"],
    ["a repository that is not attached", "/git/1/info/refs?service=git-upload-pack", {}, 403, "proxy_refused"],
    ["a repository that is none", "/git/x/info/refs?service=git-upload-pack", {}, 404, "not_found"],
    ["another service", "/git/0/info/refs?service=git-upload-archive", {}, 404, "not_found"],
    ["the dumb protocol", "/git/0/info/refs", {}, 404, "not_found"],
    ["objects", "/git/0/objects/info/packs", {}, 404, "not_found"],
    [
      "a push of another type",
      "/git/0/git-receive-pack",
      call("x", { "content-type": "text/plain" }),
      415,
      "content_type_refused",
    ],
    [
      "a push that is none",
      "/git/0/git-receive-pack",
      call("nonsense", { "content-type": "application/x-git-receive-pack-request" }),
      400,
      "invalid_request",
    ],
    [
      "a compressed push",
      "/git/0/git-receive-pack",
      call("x", { "content-type": "application/x-git-receive-pack-request", "content-encoding": "gzip" }),
      415,
      "content_type_refused",
    ],
  ])("refuses %s before anything leaves", async (_what, path, request, status, code) => {
    const { proxy } = await bed.begin();
    const refused = await proxy(path, request);
    expect(await errorOf(refused)).toMatchObject({ status, details: { code } });
    expect(bed.asked).toEqual([]);
  });

  it("never passes a redirect on", async () => {
    const { proxy } = await bed.begin();
    bed.upstream = () => new Response(null, { status: 302, headers: { location: "https://evil.example" } });
    expect(await errorOf(await proxy("/model/v1/messages", call()))).toMatchObject({ status: 503 });
  });

  it("passes the model's own errors on", async () => {
    const { proxy } = await bed.begin();
    bed.upstream = () => Response.json({ type: "error" }, { status: 529, headers: { "retry-after": "3" } });
    const answer = await proxy("/model/v1/messages", call());
    expect({ status: answer.status, after: answer.headers.get("retry-after") }).toEqual({ status: 529, after: "3" });
  });
});

describe("a proxy token", () => {
  it("opens its own run's paths while its attempt is on, and nothing else", async () => {
    const mine = await bed.begin();
    const other = await bed.begin();
    bed.upstream = () => eventStream();
    const refusals = [
      await ask(`${other.base}/model/v1/messages`, { ...call(), token: mine.offer.proxy_token }),
      await ask(`${mine.base}/model/v1/messages`, { ...call(), token: mine.offer.link_token }),
      await ask(`${mine.base}/model/v1/messages`, { ...call(), token: mine.offer.proxy_token.replace("_1_", "_2_") }),
      await ask(`${mine.base}/model/v1/messages`, { ...call(), token: null }),
      await ask("/api/v1/routines", { token: mine.offer.proxy_token }),
      await ask(`/api/v1/runs/${mine.runId}`, { token: mine.offer.proxy_token }),
      await ask("/runner/pool", { token: mine.offer.proxy_token, headers: { upgrade: "websocket" } }),
      await ask(`/runner/runs/${mine.runId}/link`, {
        token: mine.offer.proxy_token,
        headers: { upgrade: "websocket" },
      }),
      await ask(`/runner/runs/${other.runId}/link`, {
        token: mine.offer.link_token,
        headers: { upgrade: "websocket" },
      }),
    ];
    for (const refused of refusals) expect(await errorOf(refused)).toMatchObject({ status: 401 });
    await mine.work.finish();
    const late = await mine.proxy("/model/v1/messages", call());
    expect(late.headers.get("x-should-retry")).toBe("false");
    expect(await errorOf(late)).toMatchObject({ status: 401, details: { code: "proxy_token_refused" } });
    const lateGit = await mine.proxy("/git/0/info/refs?service=git-upload-pack");
    expect(await errorOf(lateGit)).toMatchObject({ status: 401 });
    expect(bed.asked).toEqual([]);
  });
});

const packet = (text: string) => `${(text.length + 4).toString(16).padStart(4, "0")}${text}`;

const push = `${packet(`${NONE} ${NEW} refs/heads/claude/x\0 report-status side-band-64k`)}0000PACK`;
/** An upstream's answer to a push. */
const taken = (report: string) =>
  new Response(report, { headers: { "content-type": "application/x-git-receive-pack-result" } });
const pushed: Asked = {
  method: "POST",
  body: push,
  headers: { "content-type": "application/x-git-receive-pack-request" },
};

describe("the git proxy", () => {
  it("passes a fetch through unchanged, compressed or not", async () => {
    const { proxy } = await bed.begin();
    bed.upstream = () =>
      new Response("refs", { headers: { "content-type": "application/x-git-upload-pack-advertisement" } });
    const refs = await proxy("/git/0/info/refs?service=git-upload-pack", {
      headers: { "git-protocol": "version=2", cookie: "x" },
    });
    expect(new TextDecoder().decode(await refs.arrayBuffer())).toBe("refs");
    expect(refs.headers.get("content-type")).toBe("application/x-git-upload-pack-advertisement");
    expect(bed.asked[0]?.url).toBe(`${REPOSITORY}/info/refs?service=git-upload-pack`);
    expect([...(bed.asked[0]?.headers ?? [])]).toEqual([["git-protocol", "version=2"]]);
    const body = new Uint8Array([0x1f, 0x8b, 8, 0, 1, 2, 3]);
    const headers = { "content-type": "application/x-git-upload-pack-request", "content-encoding": "gzip" };
    await (await proxy("/git/0/git-upload-pack", { method: "POST", body, headers })).arrayBuffer();
    expect(bed.asked[1]?.body).toEqual(body);
    expect(bed.asked[1]?.headers.get("content-encoding")).toBe("gzip");
  });

  it("records a push that the upstream took, before its answer ends", async () => {
    const { proxy, runId, sessionId } = await bed.begin();
    const report = `${packet("unpack ok\n")}${packet("ok refs/heads/claude/x\n")}0000`;
    bed.upstream = () => taken(`${packet(`\u0002done\n`)}${packet(`\u0001${report}`)}0000`);
    const answer = await proxy("/git/0/git-receive-pack", pushed);
    expect(await answer.text()).toContain("ok refs/heads/claude/x");
    expect(bed.asked[0]?.text).toBe(push);
    const branch = { repository: REPOSITORY, branch: "claude/x", commit: NEW, previous: null };
    const run = await read(runSchema, `/api/v1/runs/${runId}`);
    expect(run.evidence.branches_pushed).toEqual([branch]);
    const transcript = await readTranscript(sessionId);
    expect(transcript.find(({ type }) => type === "git.push")).toMatchObject(branch);
  });

  it("records nothing of a push that the upstream refused, and refuses one that would tell nothing", async () => {
    const { proxy, runId } = await bed.begin();
    const report = `${packet("unpack ok\n")}${packet("ng refs/heads/claude/x protected\n")}0000`;
    bed.upstream = () => taken(`${packet(`\u0001${report}`)}0000`);
    await (await proxy("/git/0/git-receive-pack", pushed)).text();
    expect((await read(runSchema, `/api/v1/runs/${runId}`)).evidence.branches_pushed).toEqual([]);
    const silent = { ...pushed, body: `${packet(`${NONE} ${NEW} refs/heads/x\0side-band-64k`)}0000` };
    expect(await errorOf(await proxy("/git/0/git-receive-pack", silent))).toMatchObject({ status: 403 });
    expect(bed.asked).toHaveLength(1);
  });

  it.each<[number, number, string]>([
    [401, 403, "GIT_CREDENTIALS"],
    [403, 403, "GIT_CREDENTIALS"],
    [404, 404, "no such repository"],
    [422, 403, "answered 422"],
    [500, 503, "answered 500"],
    [302, 403, "answered 302"],
    [429, 429, "answered 429"],
    [410, 404, "no such repository any more"],
    [501, 403, "answered 501"],
  ])("turns an upstream's %i into %i", async (given, status, says) => {
    const { proxy } = await bed.begin();
    bed.upstream = () =>
      new Response("secret of the upstream", { status: given, headers: { "www-authenticate": "Basic" } });
    const answer = await proxy("/git/0/info/refs?service=git-upload-pack");
    expect(answer.headers.get("www-authenticate")).toBeNull();
    const error = await errorOf(answer);
    expect(error.status).toBe(status);
    expect(JSON.stringify(error)).toContain(says);
    expect(JSON.stringify(error)).not.toContain("secret");
  });

  it("tells git itself in plain text, which is all that git shows", async () => {
    const { proxy } = await bed.begin();
    bed.upstream = () => new Response(null, { status: 500 });
    const answer = await proxy("/git/0/info/refs?service=git-upload-pack", { headers: { "user-agent": "git/2.39.5" } });
    expect(answer.headers.get("content-type")).toContain("text/plain");
    expect(await answer.text()).toMatch(/answered 500\nTry again soon/);
  });
});

describe("asking a git upstream", () => {
  const credentials = configuredCredentials(new Map([["https://git.test", "user:pässword"]]));
  const refs = (name: string) => `https://git.test/${name}/info/refs?service=git-upload-pack`;
  const get = { method: "GET", url: refs("a"), headers: new Headers(), body: null } as const;
  const advertised = () =>
    new Response("refs", { headers: { "content-type": "application/x-git-upload-pack-advertisement" } });
  const to = (location: string) => new Response(null, { status: 301, headers: { location } });

  it("puts the credential of its origin in, and follows a move within it", async () => {
    bed.upstream = ({ url }) => (url === refs("b") ? advertised() : to(refs("b")));
    const answer = await askGit(get, credentials);
    expect(answer.ok).toBe(true);
    for (const request of bed.asked) {
      expect(request.headers.get("authorization")).toBe(`Basic ${btoa("user:p\u00c3\u00a4ssword")}`);
    }
    expect(bed.asked).toHaveLength(2);
  });

  it.each([
    ["to another origin", refs("b").replace("git.test", "evil.test"), get],
    ["to plain http", refs("b").replace("https", "http"), get],
    ["for ever", refs("a"), get],
    [
      "of a push",
      "/b/git-receive-pack",
      { ...get, method: "POST", url: "https://git.test/a/git-receive-pack", body: new Blob().stream() } as const,
    ],
  ])("does not follow a move %s", async (_where, location, request) => {
    bed.upstream = () => to(location);
    expect(await askGit(request, credentials)).toMatchObject({ ok: false, refusal: { code: "repository_moved" } });
    for (const { url } of bed.asked) expect(new URL(url).origin).toBe("https://git.test");
    expect(bed.asked.length).toBeLessThanOrEqual(4);
  });

  it("keeps an origin's credential from every other", async () => {
    bed.upstream = advertised;
    await askGit({ ...get, url: "https://git.test:8443/a" }, credentials);
    expect(bed.asked[0]?.headers.get("authorization")).toBeNull();
  });
});
