/** The machine's clock is set while a runner works: what judges how long something takes sees nothing of that. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocketServer } from "ws";
import { AgentWatch } from "#sandbox-runner/agent/agent-watch.ts";
import { Ending } from "#sandbox-runner/agent/ending.ts";
import { LinkSocket } from "#sandbox-runner/link/link-socket.ts";
import { TransferPace } from "#sandbox-runner/link/transfer-pace.ts";
import { Patience } from "#sandbox-runner/process/patience.ts";

const DAY_MS = 86_400_000;
const JUMPS = [
  ["ahead", DAY_MS],
  ["back", -DAY_MS],
] as const;
const never = new AbortController().signal;

beforeEach(() => {
  const timers = ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] as const;
  vi.useFakeTimers({ toFake: ["Date", "performance", ...timers] });
  onTestFinished(() => void vi.useRealTimers());
});

const jump = (ms: number) => void vi.setSystemTime(Date.now() + ms);

describe.each(JUMPS)("the clock is set %s by a day:", (_where, jumpMs) => {
  async function linked(answersPings: boolean) {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const downs: string[] = [];
    const opened = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    server.on("connection", (socket) => {
      if (answersPings) socket.on("message", () => socket.send("word"));
    });
    const link = new LinkSocket({
      url: `http://127.0.0.1:${port}`,
      token: "token",
      backoff: { firstMs: DAY_MS, lastMs: DAY_MS },
      onOpen: () => opened.resolve(),
      onMessage: () => answered.resolve(),
      onDown: (why) => void downs.push(why),
      onRefused: () => true,
    });
    onTestFinished(async () => {
      vi.useRealTimers();
      for (const client of server.clients) client.terminate();
      await link.close();
      server.close();
    });
    await opened.promise;
    return { downs, answered: answered.promise };
  }

  it("a link that answers stays", async () => {
    const { downs, answered } = await linked(true);
    jump(jumpMs);
    vi.advanceTimersByTime(5_000);
    expect(downs).toEqual([]);
    await answered;
    vi.advanceTimersByTime(5_000);
    expect(downs).toEqual([]);
  });

  it("a link that has fallen silent is left at the second ping", async () => {
    const { downs } = await linked(false);
    jump(jumpMs);
    vi.advanceTimersByTime(5_000);
    expect(downs).toEqual([]);
    vi.advanceTimersByTime(5_000);
    expect(downs).toEqual(["it fell silent"]);
  });

  it("a wait is over when nothing has come for as long as may be, and not before", () => {
    const patience = new Patience({ idleMs: 60_000, count: () => 0, signal: never });
    onTestFinished(() => patience.close());
    jump(jumpMs);
    vi.advanceTimersByTime(59_000);
    expect(patience.isOver).toBe(false);
    vi.advanceTimersByTime(1_000);
    expect(patience.isOver).toBe(true);
  });

  it("a file that goes on is let through, and one that stops is given up", () => {
    const pace = new TransferPace();
    jump(jumpMs);
    vi.advanceTimersByTime(1_000);
    pace.passed(16_000);
    vi.advanceTimersByTime(119_000);
    expect(pace.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1_000);
    expect(pace.signal.aborted).toBe(true);
  });

  it("an agent's program has its time for the start", async () => {
    const options = { startDeadlineMs: 60_000, hookDeadlineMs: 200_000, room: async () => {}, onNotice: () => {} };
    const watch = new AgentWatch(options);
    onTestFinished(() => watch.close());
    jump(jumpMs);
    watch.read({ type: "system", subtype: "status" } as never);
    await vi.advanceTimersByTimeAsync(59_000);
    expect(watch.signal.aborted).toBe(false);
    jump(jumpMs);
    await vi.advanceTimersByTimeAsync(1_010);
    expect(watch.signal.aborted).toBe(true);
  });

  it("an agent whose work is over is ended when it was to be", async () => {
    const end = vi.fn(async () => {});
    const ending = new Ending({ endsAtMs: performance.now() + 5_000 }, async () => false, end);
    jump(jumpMs);
    ending.look();
    await vi.advanceTimersByTimeAsync(4_900);
    expect(end).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(100);
    expect(end).toHaveBeenCalledOnce();
  });
});
