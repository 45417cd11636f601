/** From what `reveille runner` was given, by options and environment, to the variables that a runner reads. Pure. */
import { join } from "node:path";
import type { Variables } from "../command.ts";
import { readDuration } from "./duration.ts";

export interface RunnerOptions {
  url?: string;
  token?: string;
  tokenFile?: string;
  capacity?: string;
  engine?: string;
  image?: string;
  state?: string;
  id?: string;
  drainTimeout?: string;
  json?: true;
}

/** The option for each variable that has one: what people are told when a value can't be. */
const OPTION_OF: Readonly<Record<string, string>> = {
  REVEILLE_URL: "--url",
  RUNNER_TOKEN: "--token-file",
  REVEILLE_STATE: "--state",
  REVEILLE_RUNNER_ID: "--id",
  REVEILLE_CAPACITY: "--capacity",
  REVEILLE_ENGINE: "--engine",
  REVEILLE_IMAGE: "--image",
  REVEILLE_DRAIN_SECONDS: "--drain-timeout",
};

/**
 * @param token what was read of a token file; null where none is named.
 * @param uid as whom the runner works.
 * @returns the variables; options go before the environment. Values are checked by whoever reads them.
 */
export function runnerVariables(
  options: RunnerOptions,
  environment: Variables,
  token: string | null,
  uid: number,
): Variables {
  const given = {
    REVEILLE_URL: options.url,
    RUNNER_TOKEN: options.token ?? token ?? undefined,
    REVEILLE_STATE: options.state ?? stateFolder(environment, uid),
    REVEILLE_RUNNER_ID: options.id,
    REVEILLE_CAPACITY: options.capacity,
    REVEILLE_ENGINE: options.engine,
    REVEILLE_IMAGE: options.image,
    REVEILLE_DRAIN_SECONDS: drainSeconds(options.drainTimeout, environment),
  };
  return { ...environment, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

/** Names the option beside the variable, for somebody who has typed the one or set the other. */
export function withOption(fault: string): string {
  const [name = ""] = fault.split(":", 1);
  const option = OPTION_OF[name];
  return option === undefined ? fault : `${option} (${fault.replace(":", "):")}`;
}

/** As long as a run may take when nobody says otherwise. */
const DRAIN_DEFAULT = "1h";

function drainSeconds(option: string | undefined, environment: Variables): string | undefined {
  if (option === undefined && set(environment["REVEILLE_DRAIN_SECONDS"]) !== null) return undefined;
  const text = option ?? DRAIN_DEFAULT;
  const seconds = readDuration(text);
  return seconds === null ? text : String(seconds);
}

/**
 * Where a runner keeps its id and its runs' folders. A service is told by systemd. What root's runs work in must be passable
 * for the user that they work as, and root's home is not.
 */
function stateFolder(environment: Variables, uid: number): string | undefined {
  if (set(environment["REVEILLE_STATE"]) !== null) return undefined;
  const service = set(environment["STATE_DIRECTORY"]);
  if (service !== null) return service.split(":")[0];
  if (uid === 0) return "/var/lib/reveille/runner";
  const home = set(environment["HOME"]);
  const states = set(environment["XDG_STATE_HOME"]) ?? (home === null ? null : join(home, ".local/state"));
  return states === null ? undefined : join(states, "reveille/runner");
}

function set(value: string | undefined): string | null {
  return value === undefined || value === "" ? null : value;
}
