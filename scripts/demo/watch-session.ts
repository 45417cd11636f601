/** Follows a session's transcript over server-sent events, across broken connections, until a run has finished. */
import { setTimeout as delay } from "node:timers/promises";
import { type TranscriptEvent, transcriptEventSchema } from "#protocol/transcript.ts";
import { failed, messageOf, type Outcome, succeeded } from "#scripts/outcome.ts";
import { SseReader } from "./sse.ts";

const RECONNECT_PAUSE_MS = 250;

export interface WatchOptions {
  /** The instance's origin. */
  url: string;
  token: string;
  sessionId: string;
  runId: string;
  onEvent: (event: TranscriptEvent) => void;
  /** Ends the watching. */
  signal: AbortSignal;
}

/** Resolves when `run.finished` of the run has come; fails on a gap or a repeat, on a refusal, and at the signal. */
export async function watchSession(options: WatchOptions): Promise<Outcome<null>> {
  const progress = { seq: 0, isFinished: false };
  let trouble = "";
  while (!options.signal.aborted) {
    try {
      const fault = await followOnce(options, progress);
      if (fault !== null) return failed(fault);
      if (progress.isFinished) return succeeded(null);
    } catch (error) {
      trouble = messageOf(error);
    }
    await delay(RECONNECT_PAUSE_MS, undefined, { signal: options.signal }).catch(() => undefined);
  }
  return failed(`The transcript did not come to its end in time (at event ${progress.seq}). ${trouble}`.trim());
}

interface Progress {
  seq: number;
  isFinished: boolean;
}

/** One connection. @returns what is wrong for good; null when the stream has ended and may be opened again. */
async function followOnce(options: WatchOptions, progress: Progress): Promise<string | null> {
  const { url, token, sessionId, signal } = options;
  const response = await fetch(`${url}/api/v1/sessions/${sessionId}/events?after=${progress.seq}`, {
    headers: { authorization: `Bearer ${token}`, accept: "text/event-stream" },
    signal,
  });
  if (response.status >= 400 && response.status < 500) return `The transcript was refused: ${await response.text()}`;
  if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
  const reader = new SseReader();
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    for (const { data } of reader.push(text)) {
      const fault = take(data, options, progress);
      if (fault !== null || progress.isFinished) return fault;
    }
  }
  return null;
}

/** Live-only pieces of text have no number; the messages that follow hold them. */
function take(data: string, { runId, onEvent }: WatchOptions, progress: Progress): string | null {
  const parsed = transcriptEventSchema.safeParse(JSON.parse(data));
  if (!parsed.success) return null;
  const event = parsed.data;
  if (event.seq !== progress.seq + 1) return `The transcript jumped from event ${progress.seq} to ${event.seq}.`;
  progress.seq = event.seq;
  onEvent(event);
  progress.isFinished = event.type === "run.finished" && event.run_id === runId;
  return null;
}
