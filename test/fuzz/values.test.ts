/** Readers of JSON values: whatever stands in the place of whatever, what they answer obeys its schema, and nothing throws. */
import fc from "fast-check";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { connectorInputSchema } from "#protocol/connector.ts";
import { environmentInputSchema } from "#protocol/environment.ts";
import { notificationRuleSchema } from "#protocol/notification.ts";
import { routineInputSchema } from "#protocol/routine.ts";
import { frameSchema, runnerToPoolSchema, runnerToRunSchema, runToRunnerSchema } from "#protocol/runner-link.ts";
import type { Json, JsonObject } from "#protocol/schema.ts";
import { secretInputSchema } from "#protocol/secret.ts";
import { sourceReadingSchema } from "#protocol/source-event.ts";
import { NO_TOOL_POLICY } from "#protocol/tools.ts";
import { runnerEventSchema } from "#protocol/transcript.ts";
import { triggerInputSchema } from "#protocol/triggers.ts";
import { viewerMessageSchema } from "#protocol/viewer.ts";
import { judgeMessages } from "#rules/connectors/client-messages.ts";
import { messageSchema } from "#rules/connectors/json-rpc.ts";
import { filterMessages } from "#rules/connectors/server-messages.ts";
import { findField } from "#rules/filters/field-lookup.ts";
import { schemaRefusal } from "#rules/routine/schema-faults.ts";
import { Redactor } from "#rules/secrets/redactor.ts";
import { judgeCall } from "#rules/tools/judge-call.ts";
import { judgeAnswer } from "#rules/wake-gate/judge-answer.ts";
import { resourceValue, toolValue } from "#rules/watch/answer-value.ts";
import { readItems } from "#rules/watch/read-items.ts";
import { AgentEvents } from "#sandbox-runner/agent/agent-events.ts";
import { boundedHooks } from "#sandbox-runner/agent/hook-bounds.ts";
import { readGithub } from "#worker/inbound/sources/github/read-event.ts";
import { readEvent, valueAt } from "#worker/inbound/sources/payload.ts";
import { holds } from "./support/holds.ts";
import { changed, jsonOf, nested } from "./support/inputs.ts";

const id = (prefix: string) => `${prefix}_${"0".repeat(26)}`;

/** Schemas of what somebody sends, each with something that fits. */
const SENT: Record<string, { schema: z.ZodType; examples: unknown[]; words: string[] }> = {
  routine: {
    schema: routineInputSchema,
    words: ["name", "prompt", "triggers", "tags", "session_key", "limits", "30m"],
    examples: [
      {
        name: "Docs",
        prompt: "Write {{ x }}",
        tags: { team: "docs" },
        repositories: [{ url: "https://github.com/acme/app", branch: "main", paths: ["docs"] }],
        triggers: [
          { type: "schedule", cron: "0 9 * * 1", timezone: "Europe/Berlin" },
          { type: "github", event: "push" },
        ],
        limits: { duration: "30m" },
        retry: { attempts: 2, backoff: "5m" },
        notify: [{ on: ["failed"], webhook: "https://hooks.acme.dev/a" }],
      },
    ],
  },
  trigger: {
    schema: triggerInputSchema,
    words: ["schedule", "github", "webhook", "event", "watch", "filters", "matches_regex"],
    examples: [
      {
        type: "webhook",
        source: "generic",
        auth: { kind: "hmac", header: "x-a" },
        filters: [{ field: "a", operator: "equals", value: 1 }],
      },
      { type: "event", event: "x", coalesce: "5m" },
      { type: "schedule", at: "2026-12-01T09:00" },
    ],
  },
  environment: {
    schema: environmentInputSchema,
    words: ["variables", "network", "allow", "*.acme.dev"],
    examples: [
      { name: "ci", variables: { A: "{{ B }}" }, network: { level: "custom", allow: ["*.acme.dev"] }, setup: "npm ci" },
    ],
  },
  connector: {
    schema: connectorInputSchema,
    words: ["url", "auth", "headers"],
    examples: [
      { name: "acme", url: "https://mcp.acme.dev/mcp", auth: { type: "header", headers: { "x-key": "{{ KEY }}" } } },
    ],
  },
  secret: { schema: secretInputSchema, words: ["value", "source"], examples: [{ value: "v1,whsec_AAAA\r\n" }] },
  rule: {
    schema: notificationRuleSchema,
    words: ["on", "webhook", "slack", "failed"],
    examples: [{ on: ["failed"], webhook: "https://hooks.acme.dev/{{ A }}" }],
  },
  "runner's frame": {
    schema: frameSchema,
    words: ["kind", "body", "events", "n"],
    examples: [
      { n: 1, body: { kind: "events", events: [{ type: "agent.message", message_id: "m", text: "x" }] } },
      {
        n: 2,
        body: { kind: "event", event: { type: "tool.call", tool_call_id: "t", name: "Bash", input: { command: "x" } } },
      },
    ],
  },
  "runner's message to its run": {
    schema: runnerToRunSchema,
    words: ["type", "frame", "hello", "n"],
    examples: [
      { type: "frame", frame: { n: 1, body: { kind: "events", events: [] } } },
      { type: "hello", runner_id: "r", features: [] },
    ],
  },
  "runner's message to its pool": {
    schema: runnerToPoolSchema,
    words: ["type", "hello", "lease", "capacity"],
    examples: [{ type: "hello", runner_id: "r", capacity: 1, leases: [{ run_id: id("run"), generation: 1 }] }],
  },
  "order to a runner": {
    schema: runToRunnerSchema,
    words: ["type", "cancel", "ack"],
    examples: [
      { type: "ack", n: 1 },
      { type: "cancel", reason: "user" },
    ],
  },
  "viewer's message": {
    schema: viewerMessageSchema,
    words: ["ack", "message", "interrupt"],
    examples: [
      { type: "ack", seq: 1 },
      { type: "message", id: "m", text: "x" },
    ],
  },
};

describe.each(Object.entries(SENT))("a %s", (name, { schema, examples, words }) => {
  const values = fc.oneof(changed(examples, words), jsonOf(words));
  holds(`a ${name} is taken as its schema has it, or refused in words`, values, (value) => {
    const parsed = schema.safeParse(value);
    if (parsed.success) {
      // What was taken once is taken again as it is shown.
      expect(() => JSON.stringify(parsed.data)).not.toThrow();
      return;
    }
    const { code, message, field, issues } = schemaRefusal(schema, value, parsed.error);
    expect(code).toMatch(/^[a-z_]+$/);
    expect(message).not.toMatch(/Invalid input|undefined|\[object|function/);
    expect((message ?? "").length).toBeLessThan(3_000);
    expect(field).toEqual(expect.any(String));
    expect((issues ?? []).length).toBeLessThan(200);
  });
});

const access = {
  rules: { allow: ["read_*"], deny: ["read_secret"], read_only: true },
  readOnly: new Set(["read_all"]),
};
const RPC = [
  {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: {
      name: "read_all",
      arguments: { a: 1 },
      _meta: { "io.modelcontextprotocol/clientCapabilities": { sampling: {} } },
    },
  },
  { jsonrpc: "2.0", id: "x", method: "initialize", params: { capabilities: { elicitation: {}, roots: {} } } },
  {
    jsonrpc: "2.0",
    id: 2,
    result: { tools: [{ name: "read_all", annotations: { readOnlyHint: true } }, { name: "delete" }] },
  },
  [
    { jsonrpc: "2.0", id: 3, method: "sampling/createMessage" },
    { jsonrpc: "2.0", method: "notifications/progress" },
  ],
];
const RPC_WORDS = [
  "jsonrpc",
  "2.0",
  "id",
  "method",
  "params",
  "result",
  "error",
  "tools",
  "name",
  "tools/call",
  "tools/list",
  "delete",
];

describe("messages of MCP", () => {
  const messages = fc.oneof(changed(RPC, RPC_WORDS), jsonOf(RPC_WORDS));

  holds("an agent's call of a tool that it may not call goes on in no form", messages, (value) => {
    const judged = judgeMessages(JSON.stringify(value), "acme", access, { method: null, name: null });
    if (!judged.ok) return;
    for (const message of [JSON.parse(judged.text)].flat()) {
      expect(messageSchema.safeParse(message).success).toBe(true);
      if (message.method === "tools/call") expect(message.params?.name).toBe("read_all");
      expect(message.params?.capabilities?.sampling).toBeUndefined();
    }
  });

  holds("a server's goes on as messages, without questions", messages, (value) => {
    const { passed, answers } = filterMessages(value, "acme", access);
    for (const one of [...passed, ...answers]) expect(messageSchema.safeParse(one).success).toBe(true);
    for (const one of passed) {
      const { method, id: asked } = messageSchema.parse(one);
      if (asked != null && method !== undefined) expect(method).toBe("ping");
    }
  });
});

describe("answers of connectors", () => {
  const answers = jsonOf(["items", "id", "name", "text", "content"]) as fc.Arbitrary<Json>;
  const paths = fc.option(fc.constantFrom("items", "items.id", "__proto__", "constructor.name", "", "a..b", "id"), {
    nil: undefined,
  });

  holds(
    "are items with a key and a content, or why they are none",
    fc.tuple(answers, paths, paths),
    ([answer, items, key]) => {
      const read = readItems(answer, { items, key });
      if (!read.ok) return expect(read.detail.length).toBeGreaterThan(5);
      expect(new Set(read.items.map((one) => one.key)).size).toBe(read.items.length);
      for (const item of read.items) expect(Object.values(item).every((one) => typeof one === "string")).toBe(true);
      return undefined;
    },
  );

  holds(
    "decide a gate, or don't",
    fc.tuple(
      answers,
      fc.constantFrom("count(items) > 0", "exists(constructor)", "a.b == 1 or not exists(id)", "name contains 1"),
    ),
    ([answer, when]) => {
      expect(judgeAnswer(answer, when).detail).not.toBe("");
      expect(judgeAnswer(answer, undefined).ok).toBe(true);
    },
  );

  holds(
    "are values whatever their blocks are",
    jsonOf(["type", "text", "blob", "isError", "structuredContent"]),
    (value) => {
      const blocks = Array.isArray(value) ? value.map((one) => ({ type: "text", ...Object(one) })) : [];
      toolValue({ content: blocks, isError: value });
      resourceValue({ contents: blocks });
    },
  );
});

describe("an agent's messages", () => {
  const input = fc.oneof(jsonOf(["command", "file_path"]), fc.constantFrom(nested(1_318), nested(150), nested(5_000)));

  holds(
    "are events that the instance takes, however deep a tool's input is",
    fc.tuple(input, fc.string({ unit: "binary" })),
    ([value, text]) => {
      const content = [
        { type: "tool_use", id: `t${text}`, name: `n${text}`, input: value },
        { type: "text", text },
        { type: "thinking", thinking: text },
      ];
      const message = { type: "assistant", message: { id: "m", content }, parent_tool_use_id: null };
      const result = {
        type: "user",
        message: { content: [{ type: "tool_result", tool_use_id: "t", content: [{ type: "text", text }] }] },
        parent_tool_use_id: null,
      };
      const reader = new AgentEvents();
      for (const one of [message, result]) {
        for (const event of reader.read(one as never).events) {
          const sent = JSON.parse(JSON.stringify(new Redactor(["correct-horse"]).value(event)));
          expect(runnerEventSchema.safeParse(sent).error).toBeUndefined();
        }
      }
    },
    0.2,
  );

  holds("are judged by the rules of tools", fc.tuple(input, fc.string()), ([value, name]) => {
    expect(judgeCall(NO_TOOL_POLICY, name, value)).toEqual({ decision: "allow" });
    expect(["allow", "deny"]).toContain(judgeCall({ deny: ["Bash(rm:*)"], ask: [] }, "Bash", value).decision);
  });

  holds(
    "hooks of a repository are bounded",
    fc.oneof(
      jsonOf(["hooks", "type", "command", "timeout", "matcher"]),
      changed([{ PreToolUse: [{ matcher: "", hooks: [{ type: "command", timeout: 900 }] }] }], ["hooks"]),
    ),
    (value) => {
      const { shortened } = boundedHooks(value, 5);
      expect(shortened.every((one) => one.endsWith(" s)"))).toBe(true);
    },
  );
});

describe("payloads", () => {
  const words = [
    "repository",
    "full_name",
    "pull_request",
    "head",
    "sha",
    "sender",
    "login",
    "commits",
    "action",
    "number",
  ];
  const push = {
    ref: "refs/heads/main",
    before: "a".repeat(40),
    after: "b".repeat(40),
    repository: { id: 1, full_name: "acme/app", private: false },
    sender: { login: "ana", type: "User" },
    commits: [{ id: "b".repeat(40), message: "x", added: ["a"] }],
  };
  const pull = {
    action: "opened",
    number: 1,
    pull_request: {
      number: 1,
      title: "x",
      head: { sha: "a".repeat(40), ref: "b", repo: { id: 1 } },
      base: { ref: "main" },
      labels: [{ name: "x" }],
    },
    repository: push.repository,
    sender: push.sender,
  };

  holds(
    "of GitHub are events within bounds, or ignored",
    fc.tuple(
      fc.constantFrom("push", "pull_request", "issues", "__proto__", "constructor", ""),
      changed([push, pull], words),
    ),
    ([name, payload]) => {
      const reading = readGithub(name, "72d3162e", payload as Json);
      if (reading.kind === "ignored") return expect(reading.reason).not.toBe("");
      return expect(sourceReadingSchema.safeParse(reading.event).error).toBeUndefined();
    },
  );

  holds(
    "are looked up by paths, by their own keys alone",
    fc.tuple(
      jsonOf(words),
      fc.constantFrom("__proto__.a", "constructor.name", "a.b", "repository.full_name", ".", "length"),
    ),
    ([payload, path]) => {
      const found = valueAt(payload as Json, path);
      expect(typeof found).not.toBe("function");
      const field = findField({ payload: payload as Json, fields: {} }, path);
      expect(["one", "list", "missing"]).toContain(field.kind);
    },
  );

  holds(
    "are cut to what an event may have, once and for all",
    fc.tuple(fc.string({ unit: "binary", maxLength: 600 }), jsonOf(words)),
    ([text, payload]) => {
      const event = {
        name: text || "x",
        action: text,
        summary: text,
        dedupe_key: text,
        payload: payload as Json,
        fields: {} as JsonObject,
        context: text,
      };
      const read = readEvent(event);
      expect(sourceReadingSchema.safeParse(read).error).toBeUndefined();
      expect(readEvent(read)).toEqual(read);
    },
  );
});
