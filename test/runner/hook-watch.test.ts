/** What the transcript says of hooks, and which of them end a run, as a table. Times are milliseconds from the beginning. */
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { describe, expect, it } from "vitest";
import { HookWatch } from "#sandbox-runner/agent/hook-watch.ts";

const BOUND_MS = 20_000;

function started(name: string, id = "one"): SDKMessage {
  const [event] = name.split(":");
  return { type: "system", subtype: "hook_started", hook_id: id, hook_name: name, hook_event: event } as SDKMessage;
}

function ended(name: string, response: object, id = "one"): SDKMessage {
  const plain = { outcome: "success", exit_code: 0, stdout: "", stderr: "" };
  const [event] = name.split(":");
  const head = { type: "system", subtype: "hook_response", hook_id: id, hook_name: name, hook_event: event };
  return { ...head, ...plain, ...response } as SDKMessage;
}

const exit2 = { outcome: "error", exit_code: 2 };
const json = (value: unknown) => ({ stdout: JSON.stringify(value) });
const decision = (value: string, reason: string) =>
  json({ hookSpecificOutput: { permissionDecision: value, permissionDecisionReason: reason } });

const table: [hook: string, response: object, code: string, message: string][] = [
  ["SessionStart:startup", { stdout: "ready\n" }, "hook", "Hook SessionStart:startup ran (1.5 s): ready"],
  ["PostToolUse:Write", {}, "hook", "Hook PostToolUse:Write ran (1.5 s)."],
  ["PreToolUse:Bash", { ...exit2, stderr: "no\n" }, "hook_blocked", "Hook PreToolUse:Bash blocked (1.5 s): no"],
  ["Stop", { ...exit2, stderr: "tests are red" }, "hook_blocked", "Hook Stop blocked (1.5 s): tests are red"],
  ["Stop", json({ decision: "block", reason: "red" }), "hook_blocked", "Hook Stop blocked (1.5 s): red"],
  ["PreToolUse:Bash", decision("deny", "no way"), "hook_blocked", "Hook PreToolUse:Bash blocked (1.5 s): no way"],
  ["PreToolUse:Bash", decision("ask", "sure?"), "hook", "Hook PreToolUse:Bash ran (1.5 s): sure?"],
  [
    "PostToolUse:Bash",
    json({ continue: false, stopReason: "over" }),
    "hook_blocked",
    "Hook PostToolUse:Bash blocked (1.5 s): over",
  ],
  [
    "PostToolUse:Edit",
    { ...exit2, stderr: "lint" },
    "hook_failed",
    "Hook PostToolUse:Edit failed (exit 2, 1.5 s): lint",
  ],
  [
    "Stop",
    { outcome: "error", exit_code: 127, stderr: "x: not found" },
    "hook_failed",
    "Hook Stop failed (exit 127, 1.5 s): x: not found",
  ],
  ["Stop", { outcome: "error", exit_code: undefined }, "hook_failed", "Hook Stop failed (1.5 s)."],
  ["Stop", { outcome: "cancelled", exit_code: 1 }, "hook_cut", "Hook Stop did not end, and was cut off after 1.5 s."],
  ["Stop", { stdout: "[1, 2]" }, "hook", "Hook Stop ran (1.5 s): [1, 2]"],
  ["Stop", json({ continue: "yes", reason: 4 }), "hook", 'Hook Stop ran (1.5 s): {"continue":"yes","reason":4}'],
  ["Stop", { stdout: "x".repeat(5_000) }, "hook", `Hook Stop ran (1.5 s): ${"x".repeat(2_000)}…`],
];

describe("the transcript says", () => {
  it.each(table)("%s %j", (hook, response, code, message) => {
    const watch = new HookWatch(BOUND_MS);
    expect(watch.read(started(hook), 0)).toEqual([]);
    expect(watch.isHeldUp).toBe(true);
    expect(watch.read(ended(hook, response), 1_500)).toMatchObject([{ type: "notice", code, message }]);
    expect(watch.isHeldUp).toBe(false);
  });

  it("that a hook is slow, once, while it runs", () => {
    const watch = new HookWatch(BOUND_MS);
    watch.read(started("SessionStart"), 0);
    expect(watch.dueAtMs).toBe(10_000);
    expect(watch.tick(9_999)).toEqual([]);
    expect(watch.tick(10_000)).toMatchObject([{ code: "hook_running" }]);
    expect(watch.tick(11_000)).toEqual([]);
    expect(watch.dueAtMs).toBe(35_000);
    watch.read(ended("SessionStart", {}), 12_000);
    expect(watch.dueAtMs).toBe(null);
  });
});

describe("a run", () => {
  const cut = { outcome: "cancelled", exit_code: 1 };
  const hang = (watch: HookWatch, from: number, ms: number) => {
    watch.read(started("PostToolUse:Write"), from);
    watch.read(ended("PostToolUse:Write", cut), from + ms);
  };

  it("goes on after one hook that was cut off, and not after the second", () => {
    const watch = new HookWatch(BOUND_MS);
    hang(watch, 0, 19_990);
    expect(watch.failure).toBe(null);
    hang(watch, 30_000, 20_010);
    expect(watch.failure).toMatchObject({
      code: "hook_timed_out",
      message: expect.stringContaining("PostToolUse:Write"),
    });
  });

  it("bears hooks that end at a shorter timeout of their own", () => {
    const watch = new HookWatch(BOUND_MS);
    for (const from of [0, 10_000, 20_000]) hang(watch, from, 5_000);
    expect(watch.failure).toBe(null);
  });

  it("fails when a hook outlives its deadline by far", () => {
    const watch = new HookWatch(BOUND_MS);
    watch.read(started("Stop"), 0);
    watch.tick(34_999);
    expect(watch.failure).toBe(null);
    watch.tick(35_000);
    expect(watch.failure?.code).toBe("hook_timed_out");
  });

  it("does not wait for a hook in the background", () => {
    const watch = new HookWatch(BOUND_MS);
    watch.read(started("PostToolUse:Bash"), 0);
    watch.read({ type: "user" } as SDKMessage, 10);
    expect([watch.isHeldUp, watch.dueAtMs, watch.tick(90_000)]).toEqual([false, null, []]);
    expect(watch.read(ended("PostToolUse:Bash", { stdout: "late" }), 91_000)).toMatchObject([
      { message: "Hook PostToolUse:Bash ran (91.0 s): late" },
    ]);
  });
});
