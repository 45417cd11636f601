/** Whether somebody works on runs: the runners of each pool, and the instance's containers. */
import { NoAnswer, withinDeadline } from "#instance/in-time.ts";
import type { Finding } from "#protocol/diagnosis.ts";
import { errorText } from "#protocol/log.ts";
import { DEFAULT_POOL, type PoolStatus } from "#protocol/pool.ts";
import { whyWaiting } from "#rules/pool/why-waiting.ts";
import type { MissingPool, Pools } from "../store/pools.ts";
import { type Check, fault, warning, well } from "./finding.ts";

export interface PoolParts {
  pools: Pick<Pools, "names" | "missing">;
  pool(name: string): { look(): Promise<PoolStatus> };
}

/** A pool that does not answer, or fails, hides no other. */
const DEADLINE_MS = 5_000;
const MISSING_TOLD = 10;

export function poolCheck({ pools, pool }: PoolParts): Check {
  const lookAt = async (name: string): Promise<Finding[]> => {
    try {
      return poolFindings(name, await withinDeadline(pool(name).look(), DEADLINE_MS, "the pool"));
    } catch (error) {
      const what = error instanceof NoAnswer ? "does not answer" : `failed (${errorText(error)})`;
      return [fault(checkOf(name), `It ${what}, so its runs wait.`, "Try again soon; the log tells more.")];
    }
  };
  return {
    name: "pools",
    look: async () => {
      const [names, missing] = await Promise.all([pools.names(), pools.missing(MISSING_TOLD)]);
      const looked = await Promise.all([DEFAULT_POOL, ...names].map(lookAt));
      return [...looked.flat(), ...missing.map(missingFinding)];
    },
  };
}

/** A pool that nobody uses may be empty; the default one, or one whose runs wait, may not. */
export function poolFindings(name: string, status: PoolStatus): Finding[] {
  const { capacity, busy, runners, waiting } = status;
  const check = checkOf(name);
  const refused = runners
    .filter(({ state }) => state === "refused")
    .map(({ id, reason }) => warning(check, `${id} was refused: ${reason}.`, "Do what the reason says."));
  if (status.why?.reason === "runners_too_old")
    return [warning(check, status.why.message, status.why.hint), ...refused];
  if (capacity > 0) {
    return [well(check, `It has room for ${capacity} runs: ${busy} are on, and ${waiting} wait.`), ...refused];
  }
  const { message, hint } = whyWaiting({ name, containers: 0, obstacle: null, runners });
  const isNeeded = name === DEFAULT_POOL || waiting > 0;
  const told = waiting === 0 ? message : `${message} ${waiting} ${waiting === 1 ? "run waits" : "runs wait"}.`;
  return [isNeeded ? fault(check, told, hint) : warning(check, told, hint), ...refused];
}

/** A routine was saved while its pool was being deleted, or D1 is from before the pool was made. */
function missingFinding({ pool, routineId }: MissingPool): Finding {
  const message = `There is no such pool, and the routine ${routineId} names it: its runs fail with no_runner.`;
  return fault(checkOf(pool), message, `Make the pool again (POST /api/v1/pools), or set another runs_on.`);
}

function checkOf(name: string): string {
  return `pool:${name}`;
}
