/** What the agent is told of calls that are not made. No I/O. */
import type { Answer } from "#protocol/question.ts";
import type { CallVerdict } from "#rules/tools/judge-call.ts";

const REMEDY = "Do without it; if the task can't be done without, report that you are blocked.";

export const UNASKED = `People can't be asked in this run, so the call is not made. ${REMEDY}`;
export const SUBAGENT = "Subagents can't ask people. Leave this to the agent that you work for, and say what you need.";
export const ONE_AT_A_TIME = "Another question is open: one at a time. Make this call again when that is answered.";
export const TOO_LONG = "The call is too long to be shown to the person who would have to approve it. Make it shorter.";
export const CHANGED = "The call is not the one that was asked about, so it is not made.";
export const STALE =
  "This call is an earlier run's, which was ended before anybody had answered. It is not made; make it again if it is still needed.";
export const WITHDRAWN = "The question was withdrawn before anybody had answered it.";

/** Of a call that the routine's policy refuses. */
export function refusalWords({ rule, isClear }: Exclude<CallVerdict, { decision: "allow" }>): string {
  if (rule === null && isClear)
    return `This routine lets only listed calls through, and this is none of them. ${REMEDY}`;
  const which = rule === null ? "is listed" : `is what its rule ${rule} is for`;
  if (isClear) return `This routine's tool policy refuses the call: it ${which}. ${REMEDY}`;
  return `This routine's tool policy refuses the call: whether it ${which} can't be told from its text. Write plain commands, without eval, commands from variables or from another program's output. ${REMEDY}`;
}

/** Of a call that a person has refused, or nobody has approved. */
export function approvalWords({ by, text }: Answer): string {
  if (by === null) return `Nobody approved the call in time, so it is not made. ${REMEDY}`;
  return `${by.name} refused the call${text === undefined ? "." : `: ${text}`} ${REMEDY}`;
}
