/** Which tools the session's last run has called, as its transcript tells. Pure. */
import { EARLIER_CALLS, type EarlierCall } from "#protocol/conversation.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";

const INPUT_LIMIT = 300;

/**
 * The latest ones, oldest first: an agent that was killed may have forgotten the last of them.
 * @param events the transcript's end. @param runId the run that goes on, whose own calls do not count.
 */
export function lastCalls(events: readonly TranscriptEvent[], runId: string): EarlierCall[] {
  const others = events.filter((event) => event.run_id !== runId);
  const last = others.at(-1)?.run_id;
  return others
    .flatMap((event) => (event.type === "tool.call" && event.run_id === last ? [event] : []))
    .slice(-EARLIER_CALLS)
    .map(({ tool_call_id, name, input }) => ({
      tool_call_id,
      name,
      input: JSON.stringify(input).slice(0, INPUT_LIMIT),
    }));
}

/** The calls of the last run in these events as they are sent, a line each, their inputs cut: what `lastCalls` reads of them later. */
export function lastCallLines(events: readonly TranscriptEvent[]): string[] {
  const last = events.at(-1)?.run_id;
  return events
    .flatMap((event) => (event.type === "tool.call" && event.run_id === last ? [event] : []))
    .slice(-EARLIER_CALLS)
    .map((event) => {
      const text = JSON.stringify(event.input);
      return JSON.stringify(text.length <= INPUT_LIMIT ? event : { ...event, input: text.slice(0, INPUT_LIMIT) });
    });
}
