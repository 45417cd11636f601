/** A credential that the worker puts into a request comes back in no answer, however the upstream quotes it. */
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { depsOf } from "#worker/deps.ts";
import { configuredCredentials } from "#worker/proxy/git/git-credentials.ts";
import { withhold } from "#worker/proxy/withhold.ts";
import { MODEL, ProxyBed, REPOSITORY } from "./proxy-bed.ts";
import type { Asked } from "./support.ts";

const KEY = "canary-model-key-0123456789";
const PASSWORD = "canary-git-password-0123456789";
const BASIC = btoa(`user:${PASSWORD}`);
const bed = ProxyBed.make();
const found = depsOf(env);
if (!found.ok) throw new Error("the worker is not set up");
const { deps } = found;
const before = { model: deps.config.model, gitCredentials: deps.gitCredentials };

beforeAll(() => {
  Object.assign(deps.config, { model: { kind: "anthropic", apiKey: KEY, baseUrl: "http://model.test" } });
  const pairs = new Map([[new URL(REPOSITORY).origin, `user:${PASSWORD}`]]);
  Object.assign(deps, { gitCredentials: configuredCredentials(pairs) });
});
afterAll(() => {
  Object.assign(deps.config, { model: before.model });
  Object.assign(deps, { gitCredentials: before.gitCredentials });
});

const call: Asked = { method: "POST", body: { model: MODEL, max_tokens: 10, messages: [] } };
const error = (message: string) => JSON.stringify({ type: "error", error: { type: "x", message } });
const seenIn = (answer: Response, text: string) => `${JSON.stringify([...answer.headers])} ${text}`;

describe("a model key that is quoted", () => {
  it.each<[string, () => Response]>([
    ["in a refusal of it", () => new Response(error(`Incorrect API key: ${KEY}.`), { status: 401 })],
    ["at the edge of what is told of it", () => new Response(error(`${"x".repeat(280)} ${KEY}`), { status: 403 })],
    ["in another error", () => new Response(error(KEY), { status: 400 })],
    ["in a fault of a gateway's", () => new Response(`x-api-key: ${KEY}`, { status: 502 })],
    ["in a stream", () => new Response(`data: ${KEY}\n\n`, { headers: { "content-type": "text/event-stream" } })],
    ["in a header", () => new Response("{}", { headers: { "request-id": KEY } })],
  ])("%s reaches neither the sandbox nor the transcript", async (_where, upstream) => {
    const { proxy, notices } = await bed.begin();
    bed.upstream = upstream;
    const answer = await proxy("/model/v1/messages", call);
    const text = seenIn(answer, await answer.text());
    expect(bed.asked[0]?.headers.get("x-api-key")).toBe(KEY);
    for (const said of [text, JSON.stringify(await notices())]) expect(said).not.toContain(KEY.slice(0, 12));
    expect(text).toContain("[secret]");
  });
});

describe("a git password that is quoted", () => {
  const LFS = "/git/0.git/info/lfs/objects/batch";
  const refs = "/git/0/info/refs?service=git-upload-pack";
  const advertised = { "content-type": "application/x-git-upload-pack-advertisement" };
  const batch: Asked = {
    method: "POST",
    body: JSON.stringify({ operation: "download", objects: [{ oid: "ab".repeat(32), size: 5 }] }),
    headers: { "content-type": "application/vnd.git-lfs+json" },
  };
  const ofLfs = { objects: [{ oid: "ab".repeat(32), error: { code: 403, message: `no ${PASSWORD}` } }] };
  const moved = (to: string) => () => new Response(null, { status: 302, headers: { location: to } });
  it.each<[string, string, Asked, () => Response]>([
    ["as it was sent", refs, {}, () => new Response(`ERR Basic ${BASIC}`, { headers: advertised })],
    ["by itself", refs, {}, () => new Response(`ERR ${PASSWORD}`, { headers: advertised })],
    ["in a type", refs, {}, () => new Response("x", { headers: { "content-type": `text/${PASSWORD}` } })],
    ["in an address", refs, {}, moved(`http://other.test/${PASSWORD}/info/refs?service=git-upload-pack`)],
    ["in a refusal of Git LFS", LFS, batch, () => Response.json({ message: `no ${PASSWORD}` }, { status: 403 })],
    ["in an error of Git LFS", LFS, batch, () => Response.json(ofLfs)],
  ])("%s reaches neither the sandbox nor the transcript", async (_how, path, asked, upstream) => {
    const { proxy, notices } = await bed.begin();
    bed.upstream = upstream;
    const answer = await proxy(path, asked);
    const text = seenIn(answer, await answer.text());
    expect(bed.asked[0]?.headers.get("authorization")).toBe(`Basic ${BASIC}`);
    for (const said of [text, JSON.stringify(await notices())]) {
      expect(said).not.toContain(PASSWORD);
      expect(said).not.toContain(BASIC);
    }
    expect(text).toContain("[secret]");
  });
});

describe("what is withheld of an answer in pieces", () => {
  const TEXTS = ["aab-aab-aac", "aac-12345678"];
  const through = async (...pieces: string[]) => {
    const encoder = new TextEncoder();
    const stream = new ReadableStream({
      start(out) {
        for (const piece of pieces) out.enqueue(encoder.encode(piece));
        out.close();
      },
    });
    return await withhold(new Response(stream), TEXTS).text();
  };
  const cases: [string, string][] = [
    ["none", "none"],
    ["aab-aab-aac", "[secret]"],
    ["aab-aab-aab-aac", "aab-[secret]"],
    ["xaab-aab-aacaac-12345678y", "x[secret][secret]y"],
    ["aab-aab-aac-12345678", "[secret]-12345678"],
    ["aab-aab-aaaac-12345678", "aab-aab-aa[secret]"],
    ["it ends with aab-aab-aa", "it ends with aab-aab-aa"],
    ["é€aab-aab-aac🔑", "é€[secret]🔑"],
  ];
  it.each(cases)("%s, wherever it is cut", async (text, clean) => {
    for (let at = 0; at <= text.length; at += 1) {
      if (/[\ud800-\udbff]$/.test(text.slice(0, at))) continue;
      expect(await through(text.slice(0, at), text.slice(at))).toBe(clean);
    }
    expect(await through(...(text.match(/./gu) ?? []))).toBe(clean);
  });

  it("is nothing where there is nothing to withhold", () => {
    const answer = new Response("x");
    expect(withhold(answer, ["short"])).toBe(answer);
  });
});
