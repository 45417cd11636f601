/** The deadlines of the agent's program, with the clock set: what it does at its start is told from what hooks do then. */
import type { SDKMessage } from "@anthropic-ai/claude-agent-sdk";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AgentWatch } from "#sandbox-runner/agent/agent-watch.ts";

const system = (subtype: string) =>
  ({ type: "system", subtype, hook_id: "one", hook_name: "SessionStart", stdout: "", stderr: "" }) as SDKMessage;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function watchOf(room: () => Promise<void> = async () => {}) {
  const told: string[] = [];
  const onNotice = (notice: { type: string }) => told.push("code" in notice ? String(notice.code) : notice.type);
  const watch = new AgentWatch({ startDeadlineMs: 60_000, hookDeadlineMs: 200_000, room, onNotice });
  return { watch, told, code: () => watch.failure?.code ?? null };
}

describe("the agent's program", () => {
  it("has its time for the start", async () => {
    const { watch, code } = watchOf();
    await vi.advanceTimersByTimeAsync(59_999);
    expect(code()).toBe(null);
    await vi.advanceTimersByTimeAsync(10);
    expect([code(), watch.signal.aborted]).toEqual(["agent_start_timed_out", true]);
  });

  it("has it without the hooks that it runs meanwhile", async () => {
    const { watch, told, code } = watchOf();
    await vi.advanceTimersByTimeAsync(50_000);
    watch.read(system("hook_started"));
    await vi.advanceTimersByTimeAsync(75_000);
    watch.read(system("hook_response"));
    await vi.advanceTimersByTimeAsync(50_000);
    watch.read(system("init"));
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect([told, code()]).toEqual([["hook_running", "hook"], null]);
  });

  it("still has to start after them", async () => {
    const { watch, code } = watchOf();
    watch.read(system("hook_started"));
    watch.read(system("hook_response"));
    await vi.advanceTimersByTimeAsync(60_010);
    expect(code()).toBe("agent_start_timed_out");
  });

  it("does not hang with a hook for ever", async () => {
    const { watch, code } = watchOf();
    watch.read(system("hook_started"));
    await vi.advanceTimersByTimeAsync(215_010);
    expect(code()).toBe("hook_timed_out");
  });

  it("is not judged while nobody reads what it says", async () => {
    const away = Promise.withResolvers<void>();
    const { watch, code } = watchOf(() => away.promise);
    watch.read(system("hook_started"));
    await vi.advanceTimersByTimeAsync(600_000);
    expect(code()).toBe(null);
    away.resolve();
    await vi.advanceTimersByTimeAsync(100);
    watch.read(system("hook_response"));
    watch.read(system("init"));
    await vi.advanceTimersByTimeAsync(600_000);
    expect(code()).toBe(null);
  });
});
