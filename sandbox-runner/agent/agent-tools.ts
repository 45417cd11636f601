/** Which of Claude Code's own tools an agent does not have. */
import type { NetworkLevel } from "#protocol/environment.ts";
import type { ToolPolicy } from "#protocol/tools.ts";
import { toolsNeverLetThrough } from "#rules/tools/judge-call.ts";

/** Tools that need a person or a longer life than a run's. */
const WITHOUT_USE = [
  "AskUserQuestion",
  "CronCreate",
  "CronDelete",
  "CronList",
  "EnterPlanMode",
  "ExitPlanMode",
  "ScheduleWakeup",
];
/** Tools that ask any host of the internet, or have the model's service do so. */
const REACH_ALL = ["WebFetch", "WebSearch"];

/** @param level how much of the internet the run reaches; undefined where its order does not say it. */
export function toolsWithoutUse(level: NetworkLevel | undefined, policy: ToolPolicy): string[] {
  const without = [...WITHOUT_USE, ...(level === "full" ? [] : REACH_ALL), ...toolsNeverLetThrough(policy)];
  return [...new Set(without)];
}
