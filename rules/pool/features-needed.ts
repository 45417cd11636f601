/** Which options of the link a run can't do without. Pure. */
import type { Network } from "#protocol/environment.ts";
import type { RunnerFeature } from "#protocol/runner-features.ts";
import { isToolPolicy, type ToolPolicy } from "#protocol/tools.ts";

export interface WantedEnvironment {
  network: Network;
  variables: Readonly<Record<string, string>>;
  setup: unknown;
}

/**
 * A runner from before environments, or before tool policies, leaves out what they say, without a word. It may serve who has set
 * nothing, as it always has.
 * @param environment of the attempt; null for one that an earlier version began.
 */
export function featuresNeeded(environment: WantedEnvironment | null, tools: ToolPolicy): RunnerFeature[] {
  const needed: RunnerFeature[] = isToolPolicy(tools) ? ["tools"] : [];
  return environment !== null && isSet(environment) ? ["environment", ...needed] : needed;
}

function isSet(environment: WantedEnvironment): boolean {
  const { network, variables, setup } = environment;
  // Such a runner's runs reach their instance alone.
  const isNetworkSet = network.allow.length > 0 || network.level === "custom" || network.level === "full";
  return isNetworkSet || setup !== null || Object.keys(variables).length > 0;
}

/** Every set of options that a lease may need, the empty one first. */
export function setsOf(features: readonly RunnerFeature[]): RunnerFeature[][] {
  const sets: RunnerFeature[][] = [[]];
  for (const one of features) sets.push(...sets.map((set) => [...set, one]));
  return sets;
}
