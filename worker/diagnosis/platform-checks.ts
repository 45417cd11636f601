/** The parts of the platform that an instance is made of: its database, bucket, cron and queue. */
import type { Finding } from "#protocol/diagnosis.ts";
import journal from "../../migrations/d1/meta/_journal.json" with { type: "json" };
import type { ProbedQueue } from "../bindings.ts";
import type { Heartbeats } from "../store/heartbeats.ts";
import { type Check, fault, warning, well } from "./finding.ts";

export interface PlatformParts {
  database: D1Database;
  bucket: Pick<R2Bucket, "head">;
  heartbeats: Heartbeats;
  sendProbe(queue: ProbedQueue): Promise<void>;
  pause(ms: number): Promise<void>;
  now(): number;
}

/** Cron comes once a minute; one that has not come for so long does not come. */
const SWEEP_LATE_MS = 3 * 60_000;
const QUEUE_DEADLINE_MS = 8_000;
const QUEUE_POLL_MS = 250;
/** A key that nothing has: the bucket is asked, and nothing read. */
const NO_KEY = "doctor/no-such-object";

export function platformChecks(parts: PlatformParts): Check[] {
  return [
    { name: "schema", look: () => lookAtSchema(parts) },
    { name: "BODIES", look: () => lookAtBucket(parts) },
    { name: "sweep", look: () => lookAtSweep(parts) },
    { name: "queue", look: () => lookAtQueue(parts, "queue") },
    { name: "usage_queue", look: () => lookAtQueue(parts, "usage_queue") },
  ];
}

/** That no migration is missing was told before: then this is not asked at all. A newer schema serves this version as well. */
async function lookAtSchema({ database }: PlatformParts): Promise<Finding[]> {
  const known = journal.entries.at(-1)?.tag ?? "";
  const found = await database
    .prepare("SELECT name FROM d1_migrations ORDER BY name DESC LIMIT 1")
    .first<{ name: string }>();
  const newest = (found?.name ?? "").replace(/\.sql$/, "");
  if (newest <= known) return [well("schema", `D1 has the tables of this version (${known}).`)];
  const message = `D1 is ahead of this version: ${newest} is applied, ${known} is the newest that it knows.`;
  return [
    warning(
      "schema",
      message,
      "Nothing is lost. Deploy the newer version again, unless you have rolled back on purpose.",
    ),
  ];
}

async function lookAtBucket({ bucket }: PlatformParts): Promise<Finding[]> {
  await bucket.head(NO_KEY);
  return [well("BODIES", "The bucket of long deliveries answers.")];
}

async function lookAtSweep({ heartbeats, now }: PlatformParts): Promise<Finding[]> {
  const last = await heartbeats.last("sweep");
  const lateMs = last === null ? null : now() - last;
  if (lateMs !== null && lateMs <= SWEEP_LATE_MS) return [well("sweep", "Cron calls the sweep.")];
  const since =
    lateMs === null ? "has never been called" : `was last called ${Math.round(lateMs / 60_000)} minutes ago`;
  const hint =
    "A new deployment's first call comes within minutes. Later: see that the worker has its cron trigger (wrangler.toml, [triggers]), and deploy again.";
  return [fault("sweep", `The sweep, which fires schedules, ${since}.`, hint)];
}

/** Nothing here tells by which name the instance was deployed: its queues begin with it. */
const QUEUES: Record<ProbedQueue, { suffix: string; without: string }> = {
  queue: { suffix: "clock", without: "schedules fire late or not at all" },
  usage_queue: {
    suffix: "usage",
    without: "what a model call used is lost where its run can't be told at once",
  },
};

/** Sends a message, and waits for its consumer to write down that it came. */
async function lookAtQueue(
  { heartbeats, sendProbe, pause, now }: PlatformParts,
  queue: ProbedQueue,
): Promise<Finding[]> {
  const { suffix, without } = QUEUES[queue];
  const sentMs = now();
  await sendProbe(queue);
  while (now() - sentMs < QUEUE_DEADLINE_MS) {
    const last = await heartbeats.last(queue);
    if (last !== null && last >= sentMs) return [well(queue, `The ${suffix} queue hands on what it is given.`)];
    await pause(QUEUE_POLL_MS);
  }
  const hint = `npx wrangler queues info NAME-${suffix} says whether it has a consumer, and whether that is paused; a deploy makes it again. NAME is reveille, or what the instance was deployed with as --name.`;
  return [fault(queue, `The ${suffix} queue takes messages, and hands none on: ${without}.`, hint)];
}
