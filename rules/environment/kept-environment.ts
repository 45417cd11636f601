/** What an attempt gets: its environment as it is when the attempt starts, and what its routine adds. Pure. */
import { type Environment, type Network, VARIABLES_LIMIT_BYTES, variablesBytes } from "#protocol/environment.ts";

/** An attempt's environment as it is kept: secrets are still written as `{{NAME}}`. */
export interface KeptEnvironment
  extends Pick<Environment, "id" | "name" | "revision" | "network" | "variables" | "setup" | "instance"> {
  /** Addresses of the routine's connectors, by their names; absent where it has none, and from an earlier version. */
  connectors?: Readonly<Record<string, string>>;
}

/** What a routine adds to the environment that it names. */
export interface EnvironmentAdditions {
  variables: Readonly<Record<string, string>>;
  network: Pick<Network, "allow">;
}

/** A routine's variable takes the place of the environment's of that name; hosts are added to the environment's. */
export function keptEnvironment(environment: Environment, additions: EnvironmentAdditions): KeptEnvironment {
  const { id, name, revision, network, variables, setup, instance } = environment;
  return {
    id,
    name,
    revision,
    network: withHosts(network, additions.network.allow),
    variables: { ...variables, ...additions.variables },
    setup,
    instance,
  };
}

/** Whether what the environment and the routine set together is more than a sandbox takes. */
export function hasTooMuch({ variables }: Pick<KeptEnvironment, "variables">): boolean {
  return variablesBytes(variables) > VARIABLES_LIMIT_BYTES;
}

function withHosts({ level, allow }: Network, hosts: readonly string[]): Network {
  if (hosts.length === 0) return { level, allow };
  // Whoever reached nothing reaches from now on what the routine names, and nothing else.
  return { level: level === "none" ? "custom" : level, allow: [...new Set([...allow, ...hosts])] };
}

/** In a few words, for the transcript; nothing where there is nothing to tell. */
export function toldEnvironment({ name, revision, network, variables, setup, instance }: KeptEnvironment): string {
  const { level, allow } = network;
  const set = Object.keys(variables).length;
  const told = [
    `network ${level}${allow.length === 0 ? "" : ` and ${counted(allow.length, "host")}`}`,
    ...(set === 0 ? [] : [counted(set, "variable")]),
    ...(setup === null ? [] : ["a setup script"]),
    ...(instance === null ? [] : [instance]),
  ];
  const isPlain = revision === 0 && level === "trusted" && told.length === 1 && allow.length === 0;
  return isPlain ? "" : ` in the environment ${name} (revision ${revision}): ${told.join(", ")}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
