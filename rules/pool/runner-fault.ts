/** Whether a runner that registers is of a version that this instance serves. Pure. */
import { OLDEST_RUNNER, RUNNER_PROTOCOLS_SERVED } from "#protocol/runner-link.ts";

/** What a runner tells of itself when it registers; runners of before versions were told tell none. */
export interface RunnerVersion {
  protocol: number;
  version?: string | undefined;
}

/**
 * @returns why the runner can't be served and what to do about it, short enough for the reason of a closing WebSocket (123
 * bytes); null when it can be.
 */
export function runnerFault({ protocol, version }: RunnerVersion): string | null {
  if (protocol > Math.max(...RUNNER_PROTOCOLS_SERVED)) {
    return `runner too new (${named(version)}speaks protocol ${protocol}): deploy the instance's newer version first`;
  }
  const isOld = version !== undefined && isBefore(version, OLDEST_RUNNER);
  if (!isOld && RUNNER_PROTOCOLS_SERVED.includes(protocol)) return null;
  return `runner too old (${named(version)}needs ${OLDEST_RUNNER} or later): update it, and start it again`;
}

function named(version: string | undefined): string {
  return version === undefined ? "" : `${version} `;
}

/** Compares major, minor and patch; what stands behind them plays no part. */
function isBefore(version: string, other: string): boolean {
  const [left, right] = [numbersOf(version), numbersOf(other)];
  const place = left.findIndex((number, index) => number !== right[index]);
  return place !== -1 && (left[place] ?? 0) < (right[place] ?? 0);
}

function numbersOf(version: string): number[] {
  const [, ...parts] = /^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? [];
  return parts.map(Number);
}
