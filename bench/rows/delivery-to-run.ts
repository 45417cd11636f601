/** From a signed delivery to the moment at which its run is admitted, one at a time. */
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { pageSchema } from "#protocol/api.ts";
import { occurrenceSchema } from "#protocol/occurrence.ts";
import type { Figure, Row } from "../row.ts";
import { nowMs } from "../support/clock.ts";
import { pullRequestOpened } from "../support/github.ts";
import { ask, makeRoutine } from "../support/reveille.ts";
import { type Served, serveReveille } from "../support/served.ts";
import { percentile } from "../support/statistics.ts";

/** In each round; those of the first only warm up. */
const DELIVERIES = 10;
const REPOSITORY = 1;
const LONGEST_MS = 10_000;
const POLL_MS = 10;

const occurrences = pageSchema(occurrenceSchema);

/** Occurrences tell their moment in whole milliseconds. Nobody works on the runs. */
export const deliveryToRun: Row = {
  id: "delivery-to-run",
  title: "from the sending of a signed GitHub delivery until its run is admitted",
  baseline: "none",
  measure: async (rounds) => {
    const secret = randomBytes(32).toString("hex");
    await using served = await serveReveille({ GITHUB_WEBHOOK_SECRET: secret });
    const { id } = await makeRoutine(served, {
      repositories: [{ url: `https://github.com/acme/app-${REPOSITORY}` }],
      triggers: [{ type: "github", event: "pull_request", actions: ["opened"] }],
    });
    const times: number[] = [];
    for (let sent = 0; sent < (rounds + 1) * DELIVERIES; sent += 1) {
      const ms = await deliver(served, secret, id, sent);
      if (sent >= DELIVERIES) times.push(ms);
    }
    const alone = { unit: "ms", baseline: null, goal: null } as const;
    return [
      { what: "p50", ours: percentile(times, 0.5), ...alone },
      { what: "p99", ours: percentile(times, 0.99), ...alone },
    ] satisfies Figure[];
  },
};

/** @param before how many the routine has had. @throws Error when it is not taken in, or no run comes of it. */
async function deliver(served: Served, secret: string, routineId: string, before: number): Promise<number> {
  const { path, headers, body } = pullRequestOpened(secret, REPOSITORY, before);
  const sentAt = nowMs();
  const answer = await fetch(`${served.url}${path}`, { method: "POST", headers, body });
  if (answer.status !== 202) throw new Error(`a delivery was answered ${answer.status}`);
  await answer.arrayBuffer();
  while (nowMs() - sentAt < LONGEST_MS) {
    const { data } = await ask(served, "GET", `/api/v1/routines/${routineId}/occurrences?limit=200`, occurrences);
    const [newest] = data;
    if (data.length > before && newest !== undefined && newest.run_id !== null) return Date.parse(newest.at) - sentAt;
    await delay(POLL_MS);
  }
  throw new Error("no run came of a delivery");
}
