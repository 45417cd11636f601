/** From a webhook to its answer, beside a worker that inserts one row; and what became of every one. */
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { pageSchema } from "#protocol/api.ts";
import { deliverySchema } from "#protocol/delivery.ts";
import type { Figure, Row } from "../row.ts";
import { nowMs } from "../support/clock.ts";
import { pullRequestOpened } from "../support/github.ts";
import { Helper } from "../support/helper.ts";
import { compared, interleave } from "../support/interleave.ts";
import type { Load, LoadOrder, LoadReport } from "../support/load.ts";
import { ask, makeRoutine } from "../support/reveille.ts";
import { type Served, serveBare, serveReveille } from "../support/served.ts";
import { median } from "../support/statistics.ts";

const COUNT = 5_000;
const WARM_UP_COUNT = 500;
const CONNECTIONS = 32;
/** Half of the repositories have a routine that waits for them. */
const ROUTINES = 10;
const REPOSITORIES = 2 * ROUTINES;
const LONGEST_MS = 90_000;
const HANDLED_WITHIN_MS = 60_000;
const POLL_MS = 200;
const PAGE = 200;

const deliveries = pageSchema(deliverySchema);

/** Nobody works on the runs: they wait in their routines' queues, which hold 1,000 each. */
export const webhooks: Row = {
  id: "webhooks",
  title: "from a signed GitHub delivery to its 202, and what became of each",
  baseline: "a bare worker inserts one row into D1",
  rounds: 3,
  measure: async (rounds) => {
    const secret = randomBytes(32).toString("hex");
    await using served = await serveReveille({ GITHUB_WEBHOOK_SECRET: secret });
    await using bare = await serveBare("webhooks");
    await using load = new Helper<Load>("load.ts");
    for (let number = 0; number < ROUTINES; number += 1) await makeRoutine(served, waitingFor(number));
    let sent = 0;
    let isWarm = false;
    const handledMs: number[] = [];
    const reports = await interleave(
      rounds,
      async () => {
        const report = await measure(load, served.url, some(secret, sent, isWarm));
        sent += report.count;
        handledMs.push(await untilHandled(served));
        return report;
      },
      async () => {
        const report = await measure(load, bare.url, some(secret, sent, isWarm));
        // The first round ends with this side.
        isWarm = true;
        return report;
      },
    );
    const became = await countOutcomes(served);
    check(became, sent);
    const of = (pick: (report: LoadReport) => number) => compared(reports, pick);
    const alone = { baseline: null, goal: null };
    const figures: Figure[] = [
      { what: "32 connections, p50", unit: "ms", ...of(({ p50Ms }) => p50Ms), goal: null },
      { what: "32 connections, p99", unit: "ms", ...of(({ p99Ms }) => p99Ms), goal: { bound: "at most", value: 2 } },
      { what: "32 connections", unit: "/s", ...of(({ perSecond }) => perSecond), goal: null },
      { what: "handled after the last answer", unit: "ms", ours: median(handledMs), ...alone },
    ];
    return figures;
  },
};

function waitingFor(number: number): Record<string, unknown> {
  return {
    name: `bench ${number}`,
    repositories: [{ url: `https://github.com/acme/app-${number}` }],
    triggers: [{ type: "github", event: "pull_request", actions: ["opened"] }],
  };
}

function some(secret: string, first: number, isWarm: boolean): LoadOrder["requests"] {
  return Array.from({ length: isWarm ? COUNT : WARM_UP_COUNT }, (_, place) => {
    const number = first + place;
    return pullRequestOpened(secret, number % REPOSITORIES, number);
  });
}

/** @throws Error when an answer is not a 202: it would be measured for what it is not. */
async function measure(load: Helper<Load>, url: string, requests: LoadOrder["requests"]): Promise<LoadReport> {
  const order = { url, requests, connections: CONNECTIONS, count: requests.length, durationMs: LONGEST_MS };
  const report = await load.ask("run", order);
  if (report.statuses[202] === requests.length) return report;
  throw new Error(`not every delivery was taken in: ${JSON.stringify(report.statuses)}`);
}

/** @returns how long it took until no delivery waited. */
async function untilHandled(served: Served): Promise<number> {
  const startedAt = nowMs();
  while (nowMs() - startedAt < HANDLED_WITHIN_MS) {
    const { data } = await ask(served, "GET", "/api/v1/deliveries?status=stored&limit=1", deliveries);
    if (data.length === 0) return nowMs() - startedAt;
    await delay(POLL_MS);
  }
  throw new Error("deliveries still wait to be handled");
}

interface Became {
  handled: number;
  /** Events that a trigger waited for, by what admission made of them. */
  outcomes: Record<string, number>;
  runs: Set<string>;
}

async function countOutcomes(served: Served): Promise<Became> {
  const became: Became = { handled: 0, outcomes: {}, runs: new Set() };
  for (let cursor = ""; ; ) {
    const page = await ask(served, "GET", `/api/v1/deliveries?limit=${PAGE}${cursor}`, deliveries);
    for (const { status, outcomes } of page.data) {
      if (status === "handled") became.handled += 1;
      for (const { outcome, reason, run_id } of outcomes) {
        const verdict = outcome === "refused" ? `refused: ${reason}` : (outcome ?? "not matched");
        became.outcomes[verdict] = (became.outcomes[verdict] ?? 0) + 1;
        if (run_id !== null) became.runs.add(run_id);
      }
    }
    if (page.next_cursor === null) return became;
    cursor = `&cursor=${page.next_cursor}`;
  }
}

/** @throws Error when a delivery is gone, or one that a routine waits for has neither a run nor a refusal. */
function check({ handled, outcomes, runs }: Became, sent: number): void {
  const { started = 0, queued = 0, "refused: queue_full": full = 0, ...others } = outcomes;
  const isWhole = handled === sent && started + queued + full === sent / 2 && runs.size === started + queued;
  if (isWhole && Object.keys(others).length === 0) return;
  throw new Error(`of ${sent} deliveries ${handled} were handled, with ${JSON.stringify(outcomes)}`);
}
