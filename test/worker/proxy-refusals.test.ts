/** What a proxy refuses, and what it does otherwise than it was asked: said in words to the agent, and once to the transcript. */
import { describe, expect, it } from "vitest";
import { MODEL, ProxyBed, REPOSITORY } from "./proxy-bed.ts";
import { type Asked, ask, errorOf } from "./support.ts";

const bed = ProxyBed.make();

const messages = { model: MODEL, max_tokens: 64_000, messages: [{ role: "user", content: "hi" }] };
const call = (body: unknown = messages): Asked => ({ method: "POST", body });
const answered = () => Response.json({ usage: { input_tokens: 1, output_tokens: 1 } });

describe("a model that was asked for", () => {
  it.each([
    ["the routine's own", MODEL, MODEL, MODEL],
    [
      "the routine's with a wider context, as Claude Code sends it",
      "claude-sonnet-4-5[1m]",
      "claude-sonnet-4-5",
      "claude-sonnet-4-5",
    ],
    ["the same, as it is written", "claude-sonnet-4-5[1m]", "claude-sonnet-4-5[1m]", "claude-sonnet-4-5"],
    ["a capital mark", "claude-sonnet-4-5[1M]", "claude-sonnet-4-5", "claude-sonnet-4-5"],
    ["two millions", "claude-x[2m]", "claude-x", "claude-x"],
    ["a doubled mark", "my-model[1m][1m]", "my-model", "my-model"],
    ["capitals", "Claude-Sonnet-5", "claude-sonnet-5", "claude-sonnet-5"],
    ["a family's newest", "sonnet", "claude-sonnet-5-5", "claude-sonnet-5-5"],
    ["a family's newest with a wider context", "opus[1m]", "claude-opus-5-5", "claude-opus-5-5"],
    ["a gateway's name", "acme:gateway_7@eu", "acme:gateway_7@eu", "acme:gateway_7@eu"],
    ["one that the instance allows", MODEL, "claude-also-allowed", "claude-also-allowed"],
  ])("answers when it is %s", async (_which, routines, asks, sent) => {
    const { proxy, notices } = await bed.begin(routines);
    bed.upstream = answered;
    const body = { ...messages, model: asks, thinking: { type: "adaptive" } };
    expect((await proxy("/model/v1/messages", call(body))).status).toBe(200);
    expect(JSON.parse(bed.asked[0]?.text ?? "")).toEqual({ ...body, model: sent });
    expect(await notices()).toEqual([]);
  });

  it.each([
    ["a subagent's", "claude-haiku-4-5-20251001"],
    ["a family's", "haiku"],
    ["a name that only begins like the routine's", `${MODEL}-other`],
    ["a long one", "m".repeat(200)],
  ])("is answered by the routine's when it is another: %s", async (_whose, other) => {
    const { proxy, notices } = await bed.begin();
    bed.upstream = answered;
    const shaped = { ...messages, model: other, thinking: { type: "enabled", budget_tokens: 31_999 } };
    for (let asked = 0; asked < 3; asked += 1) {
      expect((await proxy("/model/v1/messages", call(shaped))).status).toBe(200);
      expect((await proxy("/model/v1/messages/count_tokens", call(shaped))).status).toBe(200);
    }
    for (const { text } of bed.asked) {
      expect(JSON.parse(text)).toEqual({ ...messages, model: MODEL, max_tokens: 32_000 });
    }
    const told = await notices();
    expect(told).toEqual([{ code: "model_replaced", message: expect.stringContaining(other) }]);
    expect(told[0]?.message).toContain(MODEL);
  });
});

describe("an answer of the model's API", () => {
  it("carries what it says about asking again", async () => {
    const { proxy } = await bed.begin();
    const said = { "retry-after": "7", "retry-after-ms": "7000", "x-should-retry": "false", "request-id": "req_1" };
    const more = { "anthropic-ratelimit-tokens-reset": "soon", "set-cookie": "a=b", server: "up" };
    bed.upstream = () => Response.json({ type: "error" }, { status: 429, headers: { ...said, ...more } });
    const answer = await proxy("/model/v1/messages", call());
    expect(answer.status).toBe(429);
    expect(Object.fromEntries(answer.headers)).toMatchObject({ ...said, "anthropic-ratelimit-tokens-reset": "soon" });
    expect(answer.headers.get("set-cookie")).toBeNull();
    expect(answer.headers.get("server")).toBeNull();
  });

  const invalid = { type: "error", error: { type: "authentication_error", message: "invalid x-api-key" } };
  it.each<[string, () => Response, string]>([
    ["401", () => Response.json(invalid, { status: 401 }), "it answered 401: invalid x-api-key"],
    ["403", () => Response.json(invalid, { status: 403 }), "it answered 403: invalid x-api-key"],
    ["401 with a page", () => new Response("<html>", { status: 401 }), "it answered 401."],
    ["403 without a body", () => new Response(null, { status: 403 }), "it answered 403."],
    ["401 with a huge body", () => new Response("x".repeat(9_000_000), { status: 401 }), "it answered 401."],
  ])("that refuses the instance's key is told as that: %s", async (_what, refusing, words) => {
    const { proxy, notices } = await bed.begin();
    bed.upstream = refusing;
    for (const path of ["/model/v1/messages", "/model/v1/messages/count_tokens"]) {
      const answer = await proxy(path, call());
      expect(answer.headers.get("x-should-retry")).toBe("false");
      expect(answer.headers.get("www-authenticate")).toBeNull();
      expect(await errorOf(answer)).toMatchObject({
        // A 401 would have the agent's program say that nobody has signed in.
        status: 403,
        type: "authentication_error",
        message: expect.stringContaining(words),
        hint: expect.stringContaining("ANTHROPIC_API_KEY"),
        details: { code: "model_access_refused" },
      });
    }
    const told = await notices();
    expect(told).toEqual([{ code: "model_access_refused", message: expect.stringContaining(words) }]);
  });
});

describe("a rule that refuses", () => {
  const tool = { ...messages, tools: [{ type: "web_search_20250305" }] };
  const git = { method: "POST", headers: { "content-type": "application/x-git-receive-pack-request" } };
  it.each<[string, string, Asked, string, string]>([
    ["a server's tool", "/model/v1/messages", call(tool), "proxy_refused", "server_side_tool: web_search_20250305"],
    ["a connector", "/model/v1/messages", call({ ...messages, mcp_servers: [{}] }), "proxy_refused", "mcp_servers"],
    ["another path", "/model/v1/files", {}, "not_found", "no such path"],
    [
      "a repository that is not attached",
      "/git/1/info/refs?service=git-upload-pack",
      {},
      "proxy_refused",
      "not attached",
    ],
    ["a push that is none", "/git/0/git-receive-pack", { ...git, body: "x" }, "invalid_request", "not a git push"],
  ])("says why, and leaves one notice: %s", async (_what, path, asked, code, words) => {
    const { proxy, notices } = await bed.begin();
    for (let tried = 0; tried < 3; tried += 1) {
      expect(await errorOf(await proxy(path, asked))).toMatchObject({
        message: expect.stringContaining(words),
        details: { code },
      });
    }
    expect(await notices()).toEqual([{ code, message: expect.stringContaining(words) }]);
    expect(bed.asked).toEqual([]);
  });

  it("lets the model's service reach what the run itself may reach: every public host, or none", async () => {
    bed.upstream = answered;
    const image = { type: "image", source: { type: "url", url: "https://x.example/a.png" } };
    const statuses: number[] = [];
    for (const network of [
      { level: "full" },
      { level: "custom", allow: ["x.example"] },
      { level: "trusted" },
      { level: "none" },
    ]) {
      const body = { name: `tools-${network.level}`, network };
      expect((await ask("/api/v1/environments", { method: "POST", body })).status).toBe(201);
      const { proxy } = await bed.begin(MODEL, REPOSITORY, { environment: body.name });
      for (const asked of [tool, { ...messages, messages: [{ role: "user", content: [image] }] }]) {
        for (const path of ["/model/v1/messages", "/model/v1/messages/count_tokens"]) {
          statuses.push((await proxy(path, call(asked))).status);
        }
      }
    }
    expect(statuses).toEqual([...Array(4).fill(200), ...Array(12).fill(403)]);
    expect(bed.asked).toHaveLength(4);
  });

  it("does not fill the transcript, however many refusals differ", async () => {
    const { proxy, notices } = await bed.begin();
    const types = Array.from({ length: 70 }, (_, number) => `web_search_${number}`);
    for (const type of types) await proxy("/model/v1/messages", call({ ...messages, tools: [{ type }] }));
    expect(await notices()).toHaveLength(50);
    // What there has been too much of hides nothing else.
    const push = "/git/0/git-receive-pack";
    await proxy(push, { method: "POST", headers: { "content-type": "text/plain" } });
    expect((await notices()).map(({ code }) => code).slice(50)).toEqual(["content_type_refused"]);
  });

  it("is silent when the attempt has ended, and when the upstream may come back", async () => {
    const { proxy, notices, work } = await bed.begin();
    bed.upstream = () => Promise.reject(new TypeError("connection refused"));
    expect((await proxy("/model/v1/messages", call())).status).toBe(503);
    await work.finish();
    expect((await proxy("/model/v1/messages", call())).status).toBe(401);
    // The object is asked first: nobody looks into what an attempt sends that has ended.
    expect((await proxy("/model/v1/messages", call(tool))).status).toBe(401);
    expect(await notices()).toEqual([]);
  });
});
