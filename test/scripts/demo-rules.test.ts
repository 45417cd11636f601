/** The pure parts of seeding and of the demo. */
import { describe, expect, test } from "vitest";
import { type Routine, routineInputSchema, routineSchema } from "#protocol/routine.ts";
import { type TranscriptEvent, transcriptEventSchema } from "#protocol/transcript.ts";
import { Redactor } from "#rules/secrets/redactor.ts";
import { createLog } from "#sandbox-runner/process/log.ts";
import { SseReader } from "#scripts/demo/sse.ts";
import { transcriptLines } from "#scripts/demo/transcript-lines.ts";
import { DEMO_REVIEWER, DEMO_WRITER, demoRoutinePatch, isDemoRoutine } from "#scripts/instance/demo-routine.ts";
import { workerVariables } from "#scripts/instance/worker-variables.ts";
import { printable } from "#scripts/terminal.ts";

const HERE = "http://127.0.0.1:4001/changelog-demo.git";
const BEFORE = "http://127.0.0.1:4000/changelog-demo.git";
const ELSEWHERE = "https://github.com/acme/app";

function routine(
  urls: string[],
  triggers: Routine["triggers"] = [
    { id: `trg_${"0".repeat(26)}`, type: "api", status: "active", next_fire_times: [], endpoint: null },
  ],
): Routine {
  return routineSchema.parse({
    ...routineInputSchema.parse(DEMO_WRITER.input(HERE)),
    model: null,
    session_key: null,
    gate: null,
    gate_state: null,
    repositories: urls.map((url) => ({ url })),
    triggers,
    id: `rtn_${"0".repeat(26)}`,
    revision: 1,
    status: "active",
    paused_reason: null,
    paused_by: null,
    has_token: true,
    token_may_read: false,
    created_at: "2026-11-22T00:00:00.000Z",
    updated_at: "2026-11-22T00:00:00.000Z",
  });
}

/** An escape, a bell, a string for the terminal, controls of eight bits, delete, an override of direction, and ends of lines. */
const NASTY = "\u001b[2J\u0007\u001b]0;x\u0007\u009b31m\u007f\u202egnp\u2066\u2028\rover\n\u001b[1A";
/** What a terminal shows, and does nothing else with. */
const PLAIN = /^[^\p{Cc}\u200e\u200f\u061c\u2028-\u202e\u2066-\u2069]*$/u;

describe("a demo routine", () => {
  test("is known by its tag, whatever it is called", () => {
    expect(isDemoRoutine({ ...routine([HERE]), name: "Mine" }, DEMO_WRITER)).toBe(true);
    expect(isDemoRoutine(routine([HERE]), DEMO_REVIEWER)).toBe(false);
    expect(isDemoRoutine({ ...routine([HERE]), tags: {} }, DEMO_WRITER)).toBe(false);
  });

  test("is left alone where nothing has moved, and where its owner attached another repository", () => {
    expect(demoRoutinePatch(routine([HERE]), DEMO_WRITER, HERE)).toBeNull();
    expect(demoRoutinePatch(routine([ELSEWHERE]), DEMO_WRITER, HERE)).toBeNull();
    expect(demoRoutinePatch(routine([]), DEMO_WRITER, HERE)).toBeNull();
    expect(demoRoutinePatch(routine([HERE], []), DEMO_REVIEWER, HERE)).toBeNull();
  });

  test("follows its upstream to another port, and gets its trigger back beside those that it has", () => {
    expect(demoRoutinePatch(routine([ELSEWHERE, BEFORE]), DEMO_WRITER, HERE)).toEqual({
      repositories: [
        { url: ELSEWHERE, push: "prefix" },
        { url: HERE, push: "prefix" },
      ],
    });
    const kept: Routine["triggers"][number] = {
      id: `trg_${"1".repeat(26)}`,
      type: "event",
      name: "file.changed",
      filters: [],
      status: "active",
      next_fire_times: [],
      endpoint: null,
    };
    expect(demoRoutinePatch(routine([HERE], [kept]), DEMO_WRITER, HERE)).toEqual({ triggers: [kept, { type: "api" }] });
  });
});

describe("the worker's variables", () => {
  const secrets = {
    OWNER_TOKEN: "o",
    SIGNING_KEY: "s",
    RUNNER_TOKEN: "r",
    UPSTREAM_CREDENTIAL: "demo:p",
    GITHUB_WEBHOOK_SECRET: "g",
  };
  const base = {
    secrets,
    url: "http://localhost:8787",
    upstreamUrl: "http://127.0.0.1:4001",
    demoModelUrl: null,
    containers: 0,
  };

  test("what was drawn, and where things are; the upstream's password goes to the upstream alone", () => {
    expect(workerVariables({ ...base, given: {}, demoModelUrl: "http://127.0.0.1:5000" })).toEqual({
      OWNER_TOKEN: "o",
      SIGNING_KEY: "s",
      RUNNER_TOKEN: "r",
      GITHUB_WEBHOOK_SECRET: "g",
      PUBLIC_URL: "http://localhost:8787",
      LOCAL_INSTANCE: "1",
      CONTAINERS: "0",
      GIT_CREDENTIALS: '{"http://127.0.0.1:4001":"demo:p"}',
      DEMO_MODEL_URL: "http://127.0.0.1:5000",
    });
  });

  test("what the person set wins, and their credentials stay", () => {
    const given = {
      OWNER_TOKEN: "mine",
      PUBLIC_URL: "https://x.test",
      GIT_CREDENTIALS: '{"https://github.com":"x:y"}',
    };
    expect(workerVariables({ ...base, given })).toMatchObject({
      OWNER_TOKEN: "mine",
      PUBLIC_URL: "https://x.test",
      GIT_CREDENTIALS: '{"https://github.com":"x:y","http://127.0.0.1:4001":"demo:p"}',
    });
  });

  test("how many containers work at once is what was asked for, whatever else is set", () => {
    expect(workerVariables({ ...base, given: { CONTAINERS: "9" }, containers: 3 })).toMatchObject({ CONTAINERS: "3" });
  });

  test("credentials that do not parse reach the worker, which says so", () => {
    expect(workerVariables({ ...base, given: { GIT_CREDENTIALS: "{" } })).toMatchObject({ GIT_CREDENTIALS: "{" });
  });
});

test("server-sent events come whole out of any pieces", () => {
  const stream =
    'retry: 1000\n\n: comment\n\nid: 1\ndata: {"a":1}\n\nid: 2\r\ndata: x\r\ndata: y\r\n\r\ndata: live\n\n';
  const whole = [
    { id: "1", data: '{"a":1}' },
    { id: "2", data: "x\ny" },
    { id: "2", data: "live" },
  ];
  expect(new SseReader().push(stream)).toEqual(whole);
  const reader = new SseReader();
  expect([...stream].flatMap((character) => reader.push(character))).toEqual(whole);
});

describe("a transcript for the terminal", () => {
  const at = "2026-11-22T00:00:01.250Z";
  const start = Date.parse("2026-11-22T00:00:00.000Z");
  const envelope = { seq: 1, at, session_id: `session_${"0".repeat(26)}`, run_id: `run_${"0".repeat(26)}` };
  const lines = (body: object): string[] => {
    const event: TranscriptEvent = transcriptEventSchema.parse({ ...envelope, ...body });
    return transcriptLines(event, start);
  };

  test("a step and a call take one line, a long result the beginning of it", () => {
    expect(lines({ type: "run.step", phase: "clone", message: "Cloning" })).toEqual([
      "   1.3 s  clone          Cloning",
    ]);
    const call = {
      type: "tool.call",
      tool_call_id: "t",
      name: "mcp__reveille__report_result",
      input: { summary: "Good" },
    };
    expect(lines(call)).toEqual(["   1.3 s  report_result  Good"]);
    const text = Array.from({ length: 9 }, (_none, index) => `line ${index}`).join("\n");
    const result = lines({ type: "tool.result", tool_call_id: "t", is_error: false, text });
    expect(result.map((line) => line.trim())).toEqual([
      "1.3 s    gave         line 0",
      "line 1",
      "line 2",
      "line 3",
      "… 5 more lines",
    ]);
  });

  test("what the agent says is wrapped, and nothing steers the terminal", () => {
    const [first, second, ...more] = lines({
      type: "agent.message",
      message_id: "m",
      text: `${"word ".repeat(30)}end`,
    });
    expect([first?.length, second?.trim().endsWith("end"), more]).toEqual([124, true, []]);
    expect(lines({ type: "agent.message", message_id: "m", text: "a\u001b[2Jb\rc\td" })).toEqual([
      "   1.3 s  agent          a\\u001b[2Jb\\u000dc  d",
    ]);
  });

  test.each([
    { type: "tool.call", tool_call_id: "t", name: NASTY, input: { command: NASTY } },
    { type: "tool.call", tool_call_id: "t", name: `mcp__a__${NASTY}`, input: NASTY },
    { type: "tool.call", tool_call_id: "t", name: `${NASTY}__`, input: { [NASTY]: [NASTY], summary: NASTY } },
    { type: "tool.result", tool_call_id: "t", is_error: true, text: NASTY },
    { type: "agent.message", message_id: "m", text: `${NASTY} ${"word ".repeat(40)}${NASTY}` },
    { type: "agent.thinking", message_id: "m", text: NASTY },
    { type: "user.message", source: "trigger", text: NASTY },
    { type: "notice", level: "warning", code: "x", message: NASTY },
    { type: "run.queued", attempt: 1, summary: NASTY },
    { type: "run.step", phase: "clone", message: NASTY },
    { type: "run.running", attempt: 1, sandbox: "none", model: NASTY },
    { type: "git.push", repository: NASTY, branch: NASTY, commit: "a".repeat(40), previous: null },
  ])("whatever field of an event a text stands in, it steers nothing: $type", (body) => {
    const shown = lines(body);
    expect(shown.join("")).toContain("\\u001b");
    for (const line of shown) expect(line).toMatch(PLAIN);
  });
});

test("nothing that a command says steers the terminal", () => {
  const all = printable(`one\n${NASTY}\r\nthree`).split("\n");
  expect([all[0], all.at(-1), all.length]).toEqual(["one", "three", 4]);
  for (const line of all) expect(line).toMatch(PLAIN);
});

test("a line of a log is JSON that means what it meant, and steers nothing", () => {
  const written: string[] = [];
  createLog(new Redactor([]), (line) => written.push(line))("run", { outcome: NASTY });
  expect(written[0]).toMatch(PLAIN);
  expect(JSON.parse(written[0] ?? "")).toMatchObject({ outcome: NASTY });
});
