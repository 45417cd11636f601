/** Events of a transcript, numbered as they are made. */
import { NO_EVIDENCE, NO_USAGE } from "#protocol/run.ts";
import type { EventBody, TranscriptEvent } from "#protocol/transcript.ts";

export const RUN = "run_00000000000000000000000001";
const SESSION = "session_00000000000000000000000001";
const START = Date.parse("2026-11-21T09:00:00.000Z");

/** The bodies as events from `from` on, a second apart. */
export function eventsOf(bodies: readonly EventBody[], from = 1, run = RUN): TranscriptEvent[] {
  return bodies.map((body, index) => eventOf(body, from + index, run));
}

export function eventOf(body: EventBody, seq: number, run = RUN): TranscriptEvent {
  return { seq, at: new Date(atMs(seq)).toISOString(), session_id: SESSION, run_id: run, ...body };
}

/** When the event with this seq happened. */
export function atMs(seq: number): number {
  return START + seq * 1_000;
}

/** As many events as are asked for, of which each is an item by itself. */
export function messages(from: number, count: number): TranscriptEvent[] {
  return eventsOf(
    Array.from({ length: count }, (_, index) => said(`m${from + index}`)),
    from,
  );
}

export function said(id: string, text = `message ${id}`): EventBody {
  return { type: "agent.message", message_id: id, text };
}

export function called(id: string, name = "Bash"): EventBody {
  return { type: "tool.call", tool_call_id: id, name, input: { command: `echo ${id}` } };
}

export function gave(id: string, isError = false): EventBody {
  return { type: "tool.result", tool_call_id: id, is_error: isError, text: `result of ${id}` };
}

export function stepped(message: string, phase: "provisioning" | "clone" | "agent" | "finish" = "clone"): EventBody {
  return { type: "run.step", phase, message };
}

export const queued: EventBody = { type: "run.queued", attempt: 1, summary: "Fired through the API" };
export const starting: EventBody = { type: "run.starting", attempt: 1 };
export const running: EventBody = {
  type: "run.running",
  attempt: 1,
  sandbox: "sandbox-runtime",
  model: "claude-sonnet-5",
};
export const finished: EventBody = {
  type: "run.finished",
  status: "succeeded",
  result: "done",
  summary: "All done.",
  error: null,
  cancel_reason: null,
  evidence: NO_EVIDENCE,
  usage: NO_USAGE,
};
