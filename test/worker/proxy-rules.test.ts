/** The rules of the proxies, as tables: what a model call may hold, what it used, and git's wire format. */
import { describe, expect, it } from "vitest";
import { basicAuthorization, basicPassword, bearerToken } from "#worker/auth/credentials.ts";
import { pickHeaders } from "#worker/proxy/headers.ts";
import { PacketReader, PushReport, parsePush, pushedBranches } from "#worker/proxy/pkt-line.ts";
import { readPush } from "#worker/proxy/read-push.ts";
import { refusedByRule } from "#worker/proxy/tool-rule.ts";
import { usageMeter } from "#worker/proxy/usage-meter.ts";

const encoder = new TextEncoder();

describe("what a model call may hold", () => {
  const block = (source: object) => ({ messages: [{ role: "user", content: [{ type: "image", source }] }] });
  it.each<[object, string | null]>([
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
    [{ messages: [{ content: [{ type: "tool_use", input: { source: { type: "url" } } }] }] }, null],
    [{ messages: "text", tools: null }, null],
  ])("%j → %j", (body, rule) => {
    expect(refusedByRule(body)).toBe(rule);
  });

  it("is walked to any depth", () => {
    let content: object[] = [{ source: { type: "url" } }];
    for (let depth = 0; depth < 100_000; depth += 1) content = [{ content }];
    expect(refusedByRule({ messages: [{ content }] })).toBe("remote_source: url");
  });
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
    ["a stream that was cut", "text/event-stream", start + text, [7, 1, 3, 5]],
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

function packet(text: string): string {
  return `${(encoder.encode(text).length + 4).toString(16).padStart(4, "0")}${text}`;
}

const OLD = "1".repeat(40);
const NEW = "2".repeat(40);
const NONE = "0".repeat(40);

describe("git's packets", () => {
  it.each([1, 3, 1_000])("are the same in pieces of %i bytes", (size) => {
    const bytes = encoder.encode(`${packet("ok refs/heads/a\n")}0000${packet("über")}`);
    const reader = new PacketReader();
    const texts: (string | null)[] = [];
    for (let offset = 0; offset < bytes.length; offset += size) {
      for (const found of reader.push(bytes.slice(offset, offset + size))) {
        texts.push(found === null ? null : new TextDecoder().decode(found));
      }
    }
    expect(texts).toEqual(["ok refs/heads/a\n", null, "über"]);
  });

  it.each(["zzzz", "0001", "0003", "-001", "PACK"])("%s is none", (text) => {
    expect(() => new PacketReader().push(encoder.encode(text))).toThrow(RangeError);
  });

  it("tell what a push asks for", () => {
    const lines = [
      `shallow ${OLD}\n`,
      `${NONE} ${NEW} refs/heads/claude/x\0 report-status-v2 side-band-64k agent=git/2\n`,
    ];
    const push = parsePush([...lines, `${OLD} ${NONE} refs/heads/gone`].map((line) => encoder.encode(line)));
    expect(push.commands).toEqual([
      { previous: NONE, commit: NEW, ref: "refs/heads/claude/x" },
      { previous: OLD, commit: NONE, ref: "refs/heads/gone" },
    ]);
    expect(push.capabilities).toContain("report-status-v2");
    expect(() => parsePush([encoder.encode("push-cert\0x")])).toThrow(RangeError);
  });

  it.each([
    ["plain", [" report-status "], (lines: string) => lines],
    [
      "in a side band",
      ["report-status", "side-band-64k"],
      (lines: string) =>
        packet(`\u0002Resolving deltas\n`) +
        packet(`\u0001${lines.slice(0, 9)}`) +
        packet(`\u0001${lines.slice(9)}`) +
        "0000",
    ],
  ])("tell what the upstream took: %s", (_how, capabilities, wrap) => {
    const lines = `${packet("unpack ok\n")}${packet("ok refs/heads/a\n")}${packet("ng refs/heads/b protected\n")}0000`;
    const report = new PushReport(capabilities);
    for (const byte of encoder.encode(wrap(lines))) report.push(new Uint8Array([byte]));
    expect([...report.accepted()]).toEqual(["refs/heads/a"]);
  });

  it("that are none tell nothing, and break nothing", () => {
    const report = new PushReport([]);
    report.push(encoder.encode("<html>"));
    report.push(encoder.encode(packet("ok refs/heads/a\n")));
    expect(report.accepted().size).toBe(0);
  });

  it("give the branches that were set, not those that were deleted or refused, and no tags", () => {
    const commands = [
      { previous: NONE, commit: NEW, ref: "refs/heads/new" },
      { previous: OLD, commit: NEW, ref: "refs/heads/moved" },
      { previous: OLD, commit: NONE, ref: "refs/heads/deleted" },
      { previous: NONE, commit: NEW, ref: "refs/heads/refused" },
      { previous: NONE, commit: NEW, ref: "refs/tags/v1" },
    ];
    const accepted = new Set(["refs/heads/new", "refs/heads/moved", "refs/heads/deleted", "refs/tags/v1"]);
    expect(pushedBranches(commands, accepted)).toEqual([
      { branch: "new", commit: NEW, previous: null },
      { branch: "moved", commit: NEW, previous: OLD },
    ]);
  });
});

describe("the start of a push", () => {
  function inPieces(text: string, size: number): ReadableStream<Uint8Array> {
    const bytes = encoder.encode(text);
    let offset = 0;
    return new ReadableStream({
      pull: (controller) => {
        if (offset >= bytes.length) return controller.close();
        controller.enqueue(bytes.slice(offset, offset + size));
        offset += size;
      },
    });
  }
  const whole = `${packet(`${NONE} ${NEW} refs/heads/x\0report-status`)}0000PACK and what follows`;

  it.each([1, 64, 10_000])("is read, and all of it is passed on, in pieces of %i bytes", async (size) => {
    for (const length of [null, whole.length]) {
      const read = await readPush(inPieces(whole, size), length);
      if (!read.ok) throw new Error(read.refusal.code);
      expect(read.value.push.commands).toEqual([{ previous: NONE, commit: NEW, ref: "refs/heads/x" }]);
      expect(await new Response(read.value.body).text()).toBe(whole);
    }
  });

  it.each([
    ["", "invalid_request"],
    ["0", "invalid_request"],
    ["PACK", "invalid_request"],
    [packet("hello"), "invalid_request"],
    [`${packet("hello")}0000`, "invalid_request"],
    [packet(`${NONE} ${NEW} refs/heads/${"x".repeat(60_000)}`).repeat(20), "body_too_large"],
  ])("%.20s is refused: %s", async (text, code) => {
    expect(await readPush(inPieces(text, 50_000), null)).toMatchObject({ ok: false, refusal: { code } });
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
