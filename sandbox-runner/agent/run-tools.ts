/** Which of the runner's tools a run's agent has, beside the one for its report. */
import type { Answer } from "#protocol/question.ts";
import type { InstanceCalls } from "../link/instance-calls.ts";
import { askTool } from "./ask-tool.ts";
import { noteTools } from "./note-tools.ts";
import type { RunnerTools } from "./report-tool.ts";
import { type ShowPlace, showTool } from "./show-tool.ts";
import { verdictTool } from "./verdict-tool.ts";

/** What that depends on. */
export interface ToolsDefinition {
  hasNotes: boolean;
  asks: boolean;
  /** Whether files can be shown to people. */
  shows: boolean;
  /** Whether a verdict can be given on the run that has woken this one. */
  reviews: boolean;
}

/** What the tools work with. */
export interface ToolsWays {
  calls: Pick<InstanceCalls, "call" | "send">;
  /** Takes secrets out of what the agent writes. */
  scrub(text: string): string;
  takeAnswer(): Answer | null;
  place: ShowPlace;
}

export function runTools(
  { hasNotes, asks, shows, reviews }: ToolsDefinition,
  { calls, scrub, takeAnswer, place }: ToolsWays,
): RunnerTools {
  return [
    ...(hasNotes ? noteTools(calls, scrub) : []),
    ...(reviews ? [verdictTool(calls, scrub)] : []),
    ...(asks ? [askTool(takeAnswer)] : []),
    ...(shows ? [showTool(place, calls, scrub)] : []),
  ];
}
