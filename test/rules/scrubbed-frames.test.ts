/** What a runner says is scrubbed, and stays what the instance takes in, whatever the secrets are. */
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { type FrameBody, frameBodySchema } from "#protocol/runner-link.ts";
import { type Delta, deltaSchema } from "#protocol/transcript.ts";
import { MARK, Redactor } from "#rules/secrets/redactor.ts";
import { ScrubbedFrames } from "#sandbox-runner/link/scrubbed-frames.ts";

const SECRET = "canary-9f8e7d6c5b4a";

function scrubbing(...secrets: string[]) {
  const sent: FrameBody[] = [];
  const deltas: Delta[] = [];
  const sink = {
    send: (body: FrameBody) => void sent.push(body),
    sendDelta: (delta: Delta) => void deltas.push(delta),
  };
  return { frames: new ScrubbedFrames(new Redactor(secrets), sink), sent, deltas };
}

const seen = { turns: 1, tool_calls: 1, files_changed: 0, commits_pushed: 0, cost_usd: 12_345_678 };
const error = { code: "agent_failed", message: `m ${SECRET}`, hint: `h ${SECRET}`, phase: "agent" } as const;
const report = { result: "nothing_to_do", summary: `s ${SECRET}` } as const;
const FRAMES: FrameBody[] = [
  { kind: "running", sandbox: "container" },
  { kind: "event", event: { type: "run.step", phase: "provisioning", message: `a ${SECRET}` } },
  { kind: "event", event: { type: "notice", level: "warning", code: "hook_failed", message: `a ${SECRET}` } },
  { kind: "event", event: { type: "agent.message", message_id: "msg_00000001", text: `a ${SECRET}` } },
  { kind: "event", event: { type: "agent.thinking", message_id: "msg_00000001", text: `a ${SECRET}` } },
  {
    kind: "event",
    event: {
      type: "tool.call",
      tool_call_id: "toolu_01",
      name: `mcp_${SECRET}`,
      input: { type: SECRET, [SECRET]: [SECRET, 1] },
    },
  },
  { kind: "event", event: { type: "tool.result", tool_call_id: "toolu_01", is_error: false, text: `a ${SECRET}` } },
  { kind: "finished", outcome: { status: "failed", error }, report, seen },
  { kind: "finished", outcome: { status: "succeeded" }, report: null, seen },
];

/** Every word that a schema compares with. */
function wordsOf(schema: z.core.$ZodType): string[] {
  const def: Record<string, unknown> = { ...schema._zod.def };
  const words = [def["entries"], def["values"]].flatMap((all) => Object.values(all ?? {}));
  const inner = [def["options"], def["shape"], def["element"], def["innerType"], def["left"], def["right"]];
  const schemas = inner.flatMap((one) => (isSchema(one) ? [one] : Object.values(one ?? {}).filter(isSchema)));
  return [...words.map(String), ...schemas.flatMap(wordsOf)];
}

function isSchema(value: unknown): value is z.core.$ZodType {
  return typeof value === "object" && value !== null && "_zod" in value;
}

describe("a frame", () => {
  it("holds no secret in any text", () => {
    const { frames, sent } = scrubbing(SECRET);
    for (const frame of FRAMES) frames.send(frame);
    expect(JSON.stringify(sent)).not.toContain(SECRET);
    expect(sent[5]).toMatchObject({ event: { input: { type: MARK, [MARK]: [MARK, 1] }, name: `mcp_${MARK}` } });
    expect(sent.length).toBe(FRAMES.length);
  });

  it("says the same where a secret is a word of the protocol, or a number in it", () => {
    const words = [...new Set(wordsOf(frameBodySchema))].filter((word) => word.length >= 8);
    expect(words).toEqual(
      expect.arrayContaining(["finished", "agent.message", "tool.result", "provisioning", "succeeded"]),
    );
    expect(words.length).toBeGreaterThan(20);
    const { frames, sent } = scrubbing(...words, "12345678");
    for (const frame of FRAMES) frames.send(frame);
    expect(sent.map((frame) => frameBodySchema.safeParse(frame).error)).toEqual(FRAMES.map(() => undefined));
    expect(sent).toEqual(FRAMES);
  });

  it.each([
    [
      "a summary",
      {
        kind: "finished",
        outcome: { status: "succeeded" },
        report: { result: "done", summary: "12345678".repeat(1_250) },
        seen,
      },
    ],
    [
      "an error",
      {
        kind: "finished",
        outcome: { status: "failed", error: { ...error, message: "12345678".repeat(500) } },
        report: null,
        seen,
      },
    ],
    [
      "a tool's name",
      { kind: "event", event: { type: "tool.call", tool_call_id: "a", name: "12345678".repeat(62), input: null } },
    ],
  ] as [string, FrameBody][])("is taken in where %s is full of secrets", (_what, frame) => {
    const { frames, sent } = scrubbing("12345678");
    expect(frameBodySchema.safeParse(frame).success).toBe(true);
    frames.send(frame);
    expect(frameBodySchema.safeParse(sent[0]).error).toBeUndefined();
    expect(JSON.stringify(sent)).not.toContain("12345678".repeat(2));
  });
});

describe("pieces of text as they are written", () => {
  const delta = (message_id: string, text: string): Delta => ({ type: "agent.delta", kind: "text", message_id, text });

  it("hold no secret, also while other messages are written between them", () => {
    const { frames, deltas } = scrubbing(SECRET);
    for (const letter of SECRET) {
      frames.sendDelta(delta("one", letter));
      frames.sendDelta(delta("two", `${letter}.`));
    }
    const shown = (id: string) =>
      deltas
        .filter(({ message_id }) => message_id === id)
        .map(({ text }) => text)
        .join("");
    expect(shown("one")).toBe(MARK);
    expect(shown("two")).toBe([...SECRET].map((letter) => `${letter}.`).join(""));
  });

  it("are no longer than the instance takes in, and split no character", () => {
    const { frames, deltas } = scrubbing(`${"a".repeat(60_000)}b`);
    frames.sendDelta(delta("one", "a".repeat(60_000)));
    frames.sendDelta(delta("one", `${"🔑".repeat(32_000)}`));
    expect(deltas.map((one) => deltaSchema.safeParse(one).error)).toEqual(deltas.map(() => undefined));
    expect(deltas.map(({ text }) => text).join("")).toBe("a".repeat(60_000) + "🔑".repeat(32_000));
    expect(deltas.every(({ text }) => text.isWellFormed())).toBe(true);
  });
});

describe("entries of the conversation", () => {
  const entry = (type: string, ...content: object[]) => ({ type, uuid: "u", message: { role: type, content } });
  const textOf = (sent: FrameBody[]) => sent.map((body) => (body.kind === "conversation" ? body.text : "")).join("");

  it("hold no secret, and stay what they are where a secret is a word of theirs", () => {
    const { frames, sent } = scrubbing(SECRET, "assistant", "tool_use");
    const input = { command: `echo ${SECRET}` };
    frames.sendEntries("subagents/agent-1.jsonl", "1.0.0", [
      entry("assistant", { type: "tool_use", id: "toolu_1", name: "Bash", input }),
      { type: "assistant", toolUseResult: { stdout: SECRET } },
    ]);
    expect(sent.map((frame) => frameBodySchema.safeParse(frame).error)).toEqual([undefined]);
    const clean = { command: `echo ${MARK}` };
    const [one, two] = textOf(sent)
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(one).toEqual(entry("assistant", { type: "tool_use", id: "toolu_1", name: "Bash", input: clean }));
    expect(two).toEqual({ type: "assistant", toolUseResult: { stdout: MARK } });
  });

  it("leave out a thought with a secret in it, which no model would take back", () => {
    const { frames, sent } = scrubbing(SECRET);
    const thought = (thinking: string) => entry("assistant", { type: "thinking", thinking, signature: "c2ln" });
    frames.sendEntries(null, "1.0.0", [thought(`I use ${SECRET}.`), thought("I think.")]);
    expect(textOf(sent)).toBe(`${JSON.stringify(thought("I think."))}\n`);
  });

  it("are cut to what the instance takes in, within no character, and are whole together", () => {
    const { frames, sent } = scrubbing(SECRET);
    const long = entry("user", { type: "text", text: `a${"🔑".repeat(250_000)}` });
    frames.sendEntries(null, "1.0.0", [long]);
    expect(sent.length).toBeGreaterThan(2);
    expect(sent.map((frame) => frameBodySchema.safeParse(frame).error)).toEqual(sent.map(() => undefined));
    expect(sent.every((body) => body.kind === "conversation" && body.text.isWellFormed())).toBe(true);
    expect(textOf(sent)).toBe(`${JSON.stringify(long)}\n`);
  });
});
