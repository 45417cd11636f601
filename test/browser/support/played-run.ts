/** A runner that the test plays: it takes a run and reports what the test says, over the same links as the real one. */
import { once } from "node:events";
import type { TestContext } from "node:test";
import { WebSocket } from "ws";
import type { z } from "zod";
import type { RunnerRef } from "#protocol/run.ts";
import { RUNNER_FEATURES } from "#protocol/runner-features.ts";
import {
  type FrameBody,
  poolToRunnerSchema,
  RUNNER_PING_MS,
  RUNNER_PROTOCOL,
  type RunnerToPool,
  type RunnerToRun,
  runToRunnerSchema,
} from "#protocol/runner-link.ts";
import { FrameLog } from "#sandbox-runner/link/frame-log.ts";
import { type Bed, createRoutine, runNow } from "./bed.ts";

export interface PlayedRun {
  runId: string;
  sessionId: string;
  /** Sends frames, and waits until the instance has stored them. */
  report(frames: Iterable<FrameBody>): Promise<void>;
  /** Live only: text as it is written. */
  write(messageId: string, text: string): void;
  /** Reports success, and leaves. */
  finish(summary: string): Promise<void>;
}

/** The agent is on. */
export const RUNNING: FrameBody = { kind: "running", sandbox: "none" };

export function said(event: Extract<FrameBody, { kind: "event" }>["event"]): FrameBody {
  return { kind: "event", event };
}

/** More room than the instance's own runner has, so that the next run comes here. */
const CAPACITY = 100;

/** Creates a routine of this name, and takes its first run. What a test leaves unfinished is finished at its end. */
export async function playRun(t: TestContext, bed: Bed, name: string): Promise<PlayedRun> {
  const runner = { kind: "local" as const, id: `played-${crypto.randomUUID()}` };
  const { pool, offer } = await takeRun(bed, name, runner);
  const { run_id: runId } = offer.lease;
  const link = await Link.dial(`${bed.origin}/runner/runs/${runId}/link`, offer.link_token, runToRunnerSchema);
  link.send({ type: "hello", protocol: RUNNER_PROTOCOL, runner, features: [] });
  const { order } = await link.next("welcome");
  const log = new FrameLog();
  const flush = () => {
    for (let next = log.next(); next !== null; next = log.next()) link.send(JSON.parse(next));
  };
  const report = async (frames: Iterable<FrameBody>) => {
    for (const frame of frames) {
      log.append(frame);
      if (!log.full) continue;
      flush();
      while (log.full) log.acknowledge((await link.next("ack")).n);
    }
    flush();
    while (!log.settled) log.acknowledge((await link.next("ack")).n);
  };
  let isOver = false;
  const finish = async (summary: string) => {
    isOver = true;
    const seen = { turns: 1, tool_calls: 0, files_changed: 0, commits_pushed: 0, cost_usd: 0 };
    await report([{ kind: "finished", outcome: { status: "succeeded" }, report: { result: "done", summary }, seen }]);
    pool.send({ type: "ended", lease: offer.lease });
    await Promise.all([link.close(), pool.close()]);
  };
  t.after(async () => {
    if (!isOver) await finish("Nobody looks any more.");
  });
  return {
    runId,
    sessionId: order.session_id,
    report,
    write: (messageId, text) => {
      const delta = { type: "agent.delta" as const, message_id: messageId, kind: "text" as const, text };
      link.send({ type: "delta", delta });
    },
    finish,
  };
}

/** Joins the pool, starts a run of a new routine, and accepts it. */
async function takeRun(bed: Bed, name: string, runner: RunnerRef) {
  const pool = await Link.dial(`${bed.origin}/runner/pool`, bed.runnerToken, poolToRunnerSchema);
  const boot = crypto.randomUUID();
  const registration = { type: "register", protocol: RUNNER_PROTOCOL, runner, boot, capacity: CAPACITY } as const;
  pool.send({ ...registration, features: [...RUNNER_FEATURES], leases: [] });
  await pool.next("registered");
  const routine = await createRoutine(bed, { name, prompt: "Whatever the test plays." });
  await runNow(bed, routine.id);
  const offer = await pool.next("offer");
  pool.send({ type: "accept", lease: offer.lease });
  return { pool, offer };
}

/** A WebSocket of a runner. Instance and test are on one machine: what breaks stays broken. */
class Link<Incoming extends { type: string }> {
  readonly #socket: WebSocket;
  readonly #pings: NodeJS.Timeout;
  readonly #came: Incoming[] = [];
  #wake: () => void = () => undefined;

  private constructor(socket: WebSocket, schema: z.ZodType<Incoming>) {
    this.#socket = socket;
    this.#pings = setInterval(() => socket.send("ping"), RUNNER_PING_MS);
    socket.on("message", (data) => {
      if (String(data) !== "pong") this.#came.push(schema.parse(JSON.parse(String(data))));
      this.#wake();
    });
    socket.on("close", () => this.#wake());
  }

  static async dial<Incoming extends { type: string }>(url: string, token: string, schema: z.ZodType<Incoming>) {
    const socket = new WebSocket(url.replace(/^http/, "ws"), { headers: { authorization: `Bearer ${token}` } });
    const link = new Link(socket, schema);
    await once(socket, "open");
    return link;
  }

  send(message: RunnerToPool | RunnerToRun): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** The next message of this type; those before it are done with. @throws when the instance closes the link. */
  async next<Type extends Incoming["type"]>(type: Type): Promise<Extract<Incoming, { type: Type }>> {
    const fits = (message: Incoming): message is Extract<Incoming, { type: Type }> => message.type === type;
    for (;;) {
      for (let message = this.#came.shift(); message !== undefined; message = this.#came.shift()) {
        if (fits(message)) return message;
      }
      if (this.#socket.readyState !== WebSocket.OPEN) throw new Error(`the link was closed before "${type}"`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Leaves once the instance has what was sent. It does not answer a close, so none is waited for. */
  async close(): Promise<void> {
    clearInterval(this.#pings);
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    const answered = new Promise<void>((resolve) => {
      this.#socket.on("message", (data) => String(data) === "pong" && resolve());
      this.#socket.on("close", () => resolve());
    });
    this.#socket.send("ping");
    await answered;
    this.#socket.terminate();
  }
}
