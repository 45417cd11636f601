/** Pure: questions and their answers, in words. */
import type { Answer, ShownQuestion } from "#protocol/question.ts";

/** "Ana answered: blue". */
export function answerWords({ choice, text, approve, by }: Answer): string {
  const who = by?.name ?? "Nobody in time";
  if (approve !== undefined) {
    const why = text === undefined ? "" : `: ${text}`;
    return by === null
      ? "Nobody has approved the call in time: it is refused"
      : `${who} ${approve ? "approved" : "refused"} the call${why}`;
  }
  return by === null
    ? `Nobody answered in time: ${choice ?? text ?? "there was no default"}`
    : `${who} answered: ${choice ?? text ?? ""}`;
}

/** What happens when nobody answers in time. */
export function afterwards({ call, default: byDefault }: ShownQuestion): string {
  if (call !== null) return "After that the call is refused.";
  return byDefault === null
    ? "After that the agent is told that nobody answered."
    : `After that this counts: ${byDefault}`;
}
