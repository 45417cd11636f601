/** A runner without agents: the real links to pool and runs, in a process of its own. */
import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { FrameBody } from "#protocol/runner-link.ts";
import { Redactor } from "#rules/secrets/redactor.ts";
import { AgentEvents } from "#sandbox-runner/agent/agent-events.ts";
import { RunLink } from "#sandbox-runner/link/run-link.ts";
import { ScrubbedFrames } from "#sandbox-runner/link/scrubbed-frames.ts";
import { type Offer, PoolLink } from "#sandbox-runner/runner/pool-link.ts";
import { nowMs } from "./clock.ts";
import { type PushOrder, type PushReport, pushEvents } from "./push.ts";
import { sdkTurn } from "./sdk-turn.ts";
import { serveHelper } from "./serve-helper.ts";

const CAPACITY = 100;
const RUNNER_ID = "bench";
const FINISHED: FrameBody = {
  kind: "finished",
  outcome: { status: "succeeded" },
  report: { result: "done", summary: "All done." },
  seen: { turns: 1, tool_calls: 1, files_changed: 0, commits_pushed: 0, cost_usd: 0 },
};

interface Work {
  offer: Offer;
  link: RunLink;
}

let pool: PoolLink | null = null;
let works: Work[] = [];
let onWork = (): void => {};

const face = {
  /** Registers; from then on every offer is accepted, and its run is linked and running. */
  join({ url, token }: { url: string; token: string }): Promise<void> {
    return new Promise((resolve, reject) => {
      pool = new PoolLink({
        instanceUrl: url,
        token,
        runnerId: RUNNER_ID,
        boot: randomUUID(),
        capacity: CAPACITY,
        leases: () => works.map(({ offer }) => offer.lease),
        onRegistered: () => resolve(),
        onOffer: (offer) => {
          void begin(url, offer);
          return "taken";
        },
        onStop: () => {},
        onKill: () => {},
        onDown: () => {},
        onRefused: ({ why }) => {
          reject(new Error(why));
          return false;
        },
      });
    });
  },

  /** Resolves when so many runs are on. */
  working({ runs }: { runs: number }): Promise<void> {
    return new Promise((resolve) => {
      onWork = () => works.length >= runs && resolve();
      onWork();
    });
  },

  /** What a sandbox of each run would have. */
  proxies(): { run_id: string; token: string }[] {
    return works.map(({ offer }) => ({ run_id: offer.lease.run_id, token: offer.proxy_token }));
  },

  /** Sends events on all runs at once. */
  async push(order: PushOrder): Promise<PushReport> {
    const startedAt = nowMs();
    await Promise.all(
      works.map(async ({ link }) => {
        await pushEvents(order, {
          send: (event) => {
            link.send({ kind: "event", event });
            return link.room();
          },
          sendDelta: (delta) => link.sendDelta(delta),
        });
        await link.settled();
      }),
    );
    return { startedAt, endedAt: nowMs() };
  },

  /** The SDK's messages of one turn on all runs, one after the other within about so long. */
  async turn({ spreadMs }: { spreadMs: number }): Promise<void> {
    await Promise.all(works.map(({ link }) => tellTurn(link, spreadMs)));
  },

  /** Ends all runs, and frees their places. */
  async finish(): Promise<void> {
    await Promise.all(
      works.map(async ({ link, offer }) => {
        link.send(FINISHED);
        await link.settled();
        await link.close();
        pool?.ended(offer.lease);
      }),
    );
    works = [];
  },
};

export type Runner = typeof face;
serveHelper(face);

async function begin(url: string, offer: Offer): Promise<void> {
  const link = new RunLink({
    instanceUrl: url,
    runId: offer.lease.run_id,
    linkToken: offer.link_token,
    runner: { kind: "local", id: RUNNER_ID },
    boot: randomBytes(12).toString("hex"),
    onOrder: () => {},
    onFeatures: () => {},
    onSaid: () => {},
    onAnswer: () => {},
    onPark: () => {},
    onClose: () => {},
    onCancel: () => {},
    onEnded: () => {},
    onDown: () => {},
  });
  link.send({ kind: "running", sandbox: "none" });
  await link.settled();
  works.push({ offer, link });
  onWork();
}

/** As an attempt does it: messages become events and deltas, which are scrubbed and sent when there is room. */
async function tellTurn(link: RunLink, spreadMs: number): Promise<void> {
  const messages = sdkTurn();
  const frames = new ScrubbedFrames(new Redactor(["a-token-that-nobody-says"]), link);
  const reader = new AgentEvents();
  const startedAt = nowMs();
  for (const [index, message] of messages.entries()) {
    const waitMs = startedAt + (index / messages.length) * spreadMs - nowMs();
    if (waitMs > 0) await delay(waitMs);
    await link.room();
    const { events, deltas } = reader.read(message);
    for (const delta of deltas) frames.sendDelta(delta);
    for (const event of events) frames.send({ kind: "event", event });
  }
  await link.settled();
}
