/** The rules of the proxies, as tables: what a model call may hold, and what it used. */
import { describe, expect, it } from "vitest";
import { basicAuthorization, basicPassword, bearerToken } from "#worker/auth/credentials.ts";
import { pickHeaders } from "#worker/proxy/headers.ts";
import { RequestReader, RequestRefused } from "#worker/proxy/model/request-reader.ts";
import { usageMeter } from "#worker/proxy/model/usage-meter.ts";

const encoder = new TextEncoder();

describe("what a model call may hold", () => {
  const block = (source: object) => ({ messages: [{ role: "user", content: [{ type: "image", source }] }] });
  it.each<[object | string, string | null]>([
    [{}, null],
    [{ tools: [] }, null],
    [{ tools: [{ name: "Bash", input_schema: {} }] }, null],
    [{ tools: [{ type: "custom", name: "x" }] }, null],
    [{ tools: [{ type: "bash_20250124", name: "bash" }] }, null],
    [{ tools: [{ type: "text_editor_20250728" }, { type: "memory_20250818" }, { type: "computer_20251124" }] }, null],
    [{ tools: [{ name: "ok" }, { type: "web_search_20250305" }] }, "server_side_tool: web_search_20250305"],
    [{ tools: [{ type: "web_fetch_20250910" }] }, "server_side_tool: web_fetch_20250910"],
    [{ tools: [{ type: "code_execution_20250825" }] }, "server_side_tool: code_execution_20250825"],
    [{ tools: [{ type: "mcp_toolset" }] }, "server_side_tool: mcp_toolset"],
    [{ tools: [{ type: "bash" }] }, "server_side_tool: bash"],
    [{ tools: [{ type: 7 }] }, "server_side_tool: 7"],
    [{ tools: { 0: { type: "web_search_20250305" } } }, "tools: must be an array"],
    [{ mcp_servers: [] }, null],
    [{ mcp_servers: [{ url: "https://x" }] }, "server_side_field: mcp_servers"],
    [{ container: "c" }, "server_side_field: container"],
    [block({ type: "base64", data: "" }), null],
    [block({ type: "url", url: "https://x" }), "remote_source: url"],
    [block({ type: "file", file_id: "f" }), "remote_source: file"],
    [{ system: [{ type: "document", source: { type: "url" } }] }, "remote_source: url"],
    [
      { messages: [{ content: [{ type: "tool_result", content: [{ type: "image", source: { type: "url" } }] }] }] },
      "remote_source: url",
    ],
    [
      {
        messages: [
          { content: [{ type: "document", source: { type: "content", content: [{ source: { type: "url" } }] } }] },
        ],
      },
      "remote_source: url",
    ],
    [{ messages: [{ content: { type: "image", source: { type: "url" } } }] }, "remote_source: url"],
    [{ system: { source: { type: "content", content: { source: { type: "file" } } } } }, "remote_source: file"],
    [{ messages: [{ content: { type: "tool_use", input: { source: { type: "url" } } } }] }, null],
    [{ messages: [{ content: [{ type: "tool_use", input: { source: { type: "url" } } }] }] }, null],
    [{ messages: "text", tools: null }, null],
    // A parser may take either of two.
    ['{"tools":[{"type":"web_search_20250305","type":"custom"}]}', "server_side_tool: web_search_20250305"],
    ['{"tools":[{"type":"custom","type":"web_search_20250305"}]}', "server_side_tool: web_search_20250305"],
    ['{"tools":[{"t\\u0079pe":"web_s\\u0065arch_20250305"}]}', "server_side_tool: web_search_20250305"],
    ['{"tools":[{"type":{}}]}', "server_side_tool: object"],
    ['{"mcp_servers":[[]]}', "server_side_field: mcp_servers"],
    ['{"mcp_servers":{}}', "server_side_field: mcp_servers"],
    ['{"container":false}', "server_side_field: container"],
    ['{"container":null,"mcp_servers":null}', null],
    ['{"tools":false}', "tools: must be an array"],
    ['{"tools":"[]"}', "tools: must be an array"],
    ['{"tools":[7,"x",null,[{"type":"web_search_20250305"}]]}', null],
    [block({ type: "base64", media_type: "url", data: "url" }), null],
    [`{"system":[{"source":{"type":"base64"},"source":{"type":"file"}}]}`, "remote_source: file"],
    [{ messages: [{ content: [{ type: "container_upload", file_id: "f" }] }] }, "remote_source: container_upload"],
    [
      { messages: [{ content: [{ type: "url" }, { type: "server_tool_use", name: "web_search" }] }] },
      "remote_source: url",
    ],
  ])("%j → %j", (body, rule) => {
    for (const size of [1, 7, 100_000]) expect(ruleOf(body, size)).toBe(rule);
  });

  it.each<[object | string, string | null]>([
    [{ tools: [{ type: "web_search_20250305" }, { type: "web_fetch_20250910" }, { name: "ok" }] }, null],
    [{ tools: [{ type: "code_execution_20250825" }] }, null],
    [block({ type: "url", url: "https://x" }), null],
    [{ messages: [{ content: [{ type: "server_tool_use", name: "web_search", input: {} }] }] }, null],
    // What is of the instance's account is no part of the internet.
    [block({ type: "file", file_id: "f" }), "remote_source: file"],
    [{ messages: [{ content: [{ type: "container_upload", file_id: "f" }] }] }, "remote_source: container_upload"],
    [{ container: "c" }, "server_side_field: container"],
    [{ mcp_servers: [{ url: "https://x" }] }, "server_side_field: mcp_servers"],
    [{ tools: [{ type: "mcp_toolset" }] }, "server_side_tool: mcp_toolset"],
    [{ tools: [{ type: "web_search" }] }, "server_side_tool: web_search"],
    [{ tools: [{ type: "web_search_20250305x" }] }, "server_side_tool: web_search_20250305x"],
    [{ tools: [{ type: "advisor_20260301" }] }, "server_side_tool: advisor_20260301"],
    ['{"tools":[{"type":"web_search_20250305","type":"mcp_toolset"}]}', "server_side_tool: mcp_toolset"],
  ])("of a run that reaches every host: %j → %j", (body, rule) => {
    for (const size of [1, 100_000]) expect(ruleOf(body, size, true)).toBe(rule);
  });

  it("is walked as deep as a request may be nested", () => {
    let content: object[] = [{ source: { type: "url" } }];
    for (let depth = 0; depth < 499; depth += 1) content = [{ content }];
    expect(ruleOf({ messages: content })).toBe("invalid_json");
    expect(ruleOf({ messages: (content[0] as { content: object[] }).content })).toBe("remote_source: url");
  });

  /** @param size of the pieces in which it comes. @returns the rule that refuses it, or else the refusal's code. */
  function ruleOf(body: object | string, size = 100_000, reachesAll = false): string | null {
    const fields = ["tools", "messages", "system", "mcp_servers", "container"];
    const request = new RequestReader({ known: new Set(fields), reachesAll }, () => {});
    const bytes = encoder.encode(typeof body === "string" ? body : JSON.stringify(body));
    try {
      for (let at = 0; at < bytes.length; at += size) request.push(bytes.slice(at, at + size));
      request.finish();
      return null;
    } catch (error) {
      if (!(error instanceof RequestRefused)) throw error;
      return error.refusal.reason ?? error.refusal.code;
    }
  }
});

describe("the usage of a model call", () => {
  const none = { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 };
  const start =
    'event: message_start\ndata: {"type":"message_start","message":{"id":"m","usage":{"input_tokens":7,' +
    '"cache_creation_input_tokens":5,"cache_read_input_tokens":3,"output_tokens":1}}}\n\n';
  const text = 'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"text":"\\"usage\\" ü"}}\n\n';
  const end = 'event: message_delta\r\ndata: {"type":"message_delta","delta":{},"usage":{"output_tokens":42}}\r\n\r\n';
  const whole = '{"type":"message","usage":{"input_tokens":9,"output_tokens":2,"cache_read_input_tokens":null}}';
  it.each([
    ["a stream", "text/event-stream; charset=utf-8", start + text + end, [7, 42, 3, 5]],
    ["a stream that was cut", "text/event-stream", start + text, [7, 2, 3, 5]],
    ["one answer", "application/json", whole, [9, 2, 0, 0]],
    ["an error", "application/json", '{"type":"error","error":{}}', [0, 0, 0, 0]],
    ["broken JSON", "application/json", '{"usage":', [0, 0, 0, 0]],
    ["a count that is none", "application/json", '{"usage":{"input_tokens":-5}}', [0, 0, 0, 0]],
    ["nothing", null, "", [0, 0, 0, 0]],
  ])("of %s, however it is cut into pieces", (_what, contentType, sent, expected) => {
    const bytes = encoder.encode(sent);
    for (const size of [1, 7, 100_000]) {
      const meter = usageMeter(contentType);
      for (let offset = 0; offset < bytes.length; offset += size) meter.push(bytes.slice(offset, offset + size));
      const [input_tokens = 0, output_tokens = 0, cache_read_tokens = 0, cache_write_tokens = 0] = expected;
      expect(meter.tokens()).toEqual({ ...none, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens });
    }
  });
});

describe("what a request carries", () => {
  it.each([
    [undefined, null],
    ["Bearer abc", "abc"],
    ["bearer  abc ", "abc"],
    ["Bearer", null],
    ["Bearer a b", null],
    ["Basic abc", null],
  ])("bearer of %j is %j", (header, token) => {
    expect(bearerToken(header)).toBe(token);
  });

  it.each([
    [basicAuthorization("user:pass:word"), "pass:word"],
    ["Basic !!!", null],
    [`Basic ${btoa("no colon")}`, null],
    ["Bearer x", null],
    [undefined, null],
  ])("basic password of %j is %j", (header, password) => {
    expect(basicPassword(header)).toBe(password);
  });

  it("crosses a proxy only when it is on the list", () => {
    const headers = new Headers({
      accept: "a",
      cookie: "c",
      "anthropic-ratelimit-x": "1",
      authorization: "s",
      host: "h",
    });
    expect([...pickHeaders(headers, ["accept", "anthropic-ratelimit-*"])]).toEqual([
      ["accept", "a"],
      ["anthropic-ratelimit-x", "1"],
    ]);
  });
});
