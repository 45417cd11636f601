/** Whether runs get their containers: only the last one that was to have one can tell, since a container costs. */
import type { Config } from "#instance/config.ts";
import type { RoutineIndex } from "#instance/d1/routine-index.ts";
import type { Finding } from "#protocol/diagnosis.ts";
import type { ListedRun } from "#protocol/run.ts";
import type { RunErrorCode } from "#protocol/run-errors.ts";
import { type Check, fault, unknown, well } from "./finding.ts";

const CHECK = "containers";
/** So many of the newest runs are looked through. */
const LOOKED_AT = 50;
/** A run that failed with one of these was to have a container, and had none that it could work in. */
const NO_CONTAINER: readonly string[] = [
  "container_start_failed",
  "container_image_missing",
  "containers_unavailable",
  "agent_privileged",
] satisfies RunErrorCode[];

export interface ContainerParts {
  config: Pick<Config, "containers">;
  index: Pick<RoutineIndex, "listRuns">;
}

export function containerCheck({ config, index }: ContainerParts): Check {
  const look = async () => {
    if (config.containers === 0) return [];
    const { data } = await index.listRuns({}, { limit: LOOKED_AT, cursor: null });
    return [containerFinding(data)];
  };
  return { name: CHECK, look };
}

/** @param newest runs, the newest first. */
export function containerFinding(newest: readonly ListedRun[]): Finding {
  const last = newest.find((run) => run.runner?.kind === "container" || failsWithout(run));
  if (last === undefined) {
    const message = `None of the last ${LOOKED_AT} runs has had a container: whether one starts is not known.`;
    return unknown(CHECK, message, "Run a routine of the default pool.");
  }
  if (last.error === null || !failsWithout(last)) return well(CHECK, `The run ${last.id} has had its container.`);
  return fault(CHECK, `The run ${last.id} failed: ${last.error.message}`, last.error.hint);
}

function failsWithout({ error }: ListedRun): boolean {
  return error !== null && NO_CONTAINER.includes(error.code);
}
