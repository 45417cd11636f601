/** Whether somebody works on runs: the runners of each pool, and the instance's containers. */
import { NoAnswer, withinDeadline } from "#instance/in-time.ts";
import type { Finding } from "#protocol/diagnosis.ts";
import { DEFAULT_POOL, type PoolStatus } from "#protocol/pool.ts";
import { whyWaiting } from "#rules/pool/why-waiting.ts";
import { type Check, fault, warning, well } from "./finding.ts";

export interface PoolParts {
  pools: { names(): Promise<string[]> };
  pool(name: string): { look(): Promise<PoolStatus> };
}

/** A pool that does not answer hides no other. */
const DEADLINE_MS = 5_000;

export function poolCheck({ pools, pool }: PoolParts): Check {
  const lookAt = async (name: string): Promise<Finding[]> => {
    try {
      return poolFindings(name, await withinDeadline(pool(name).look(), DEADLINE_MS, "the pool"));
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      return [fault(checkOf(name), "It does not answer, so its runs wait.", "Try again soon; the log tells more.")];
    }
  };
  return {
    name: "pools",
    look: async () => (await Promise.all([DEFAULT_POOL, ...(await pools.names())].map(lookAt))).flat(),
  };
}

/** A pool that nobody uses may be empty; the default one, or one whose runs wait, may not. */
export function poolFindings(name: string, status: PoolStatus): Finding[] {
  const { capacity, busy, runners, waiting } = status;
  const check = checkOf(name);
  const taking = runners.filter(({ state }) => state === "idle" || state === "busy");
  const containers = capacity - taking.reduce((sum, runner) => sum + runner.capacity, 0);
  const refused = runners
    .filter(({ state }) => state === "refused")
    .map(({ id, reason }) => warning(check, `${id} was refused: ${reason}.`, "Do what the reason says."));
  if (capacity > 0) {
    return [well(check, `It has room for ${capacity} runs: ${busy} are on, and ${waiting} wait.`), ...refused];
  }
  const { message, hint } = whyWaiting({ name, containers, runners });
  const isNeeded = name === DEFAULT_POOL || waiting > 0;
  const told = waiting === 0 ? message : `${message} ${waiting} ${waiting === 1 ? "run waits" : "runs wait"}.`;
  return [isNeeded ? fault(check, told, hint) : warning(check, told, hint), ...refused];
}

function checkOf(name: string): string {
  return `pool:${name}`;
}
