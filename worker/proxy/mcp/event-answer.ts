/** Answers as server-sent events, each message filtered on its way; while nothing comes, comments tell that it is still on. */
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { parseJson } from "#rules/json.ts";
import { Stall } from "../stall.ts";
import type { ServerAnswer } from "./ask-server.ts";

export interface EventOptions {
  /** @returns what of a message, or a list of them, goes on. */
  filter(value: unknown): unknown[];
  /** What is said where there is no answer. */
  inWords(words: string): unknown[];
  /** Told once how it ended: whether the server could be used. */
  onEnd(isUsed: boolean): void;
  /** Given when whoever reads has gone away. */
  signal: AbortSignal;
  /** How long a stream may last, and how long it may be silent, in milliseconds. */
  lastsMs: number;
  silentMs: number;
}

/** Programs on the way cut what is silent for minutes. */
const COMMENT_MS = 15_000;
/** Of one event, and of all. */
const EVENT_CHARACTERS = 16_777_216;
const STREAM_BYTES = 268_435_456;
const encoder = new TextEncoder();

/** @param answer which may come late. @returns the stream, and a promise for `waitUntil` that never rejects. */
export function eventAnswer(
  answer: Promise<ServerAnswer>,
  options: EventOptions,
): { stream: ReadableStream<Uint8Array>; done: Promise<void> } {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  return { stream: readable, done: send(answer, writer, options) };
}

async function send(
  answer: Promise<ServerAnswer>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  options: EventOptions,
): Promise<void> {
  // Writes wait for a reader; one that has gone away is told by the signal.
  let last: Promise<unknown> = Promise.resolve();
  const write = (text: string) => {
    last = last.then(() => writer.write(encoder.encode(text)));
    last.catch(() => undefined);
    return last;
  };
  const comments = setInterval(() => void write(": still on\n\n"), COMMENT_MS);
  let isUsed = false;
  try {
    const got = await answer;
    isUsed = got.kind !== "fault";
    if (got.kind === "events") await passEvents(got.body, write, options);
    else if (got.kind === "fault")
      for (const message of options.inWords(got.words)) await write(eventOf({ data: JSON.stringify(message) }));
    else if (got.kind === "messages")
      for (const message of options.filter(got.value)) await write(eventOf({ data: JSON.stringify(message) }));
    else
      for (const message of options.inWords("answered nothing."))
        await write(eventOf({ data: JSON.stringify(message) }));
    await last;
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
  } finally {
    clearInterval(comments);
    options.onEnd(isUsed);
  }
}

/** @throws what ends the stream before its end: it breaks off for its reader too. */
async function passEvents(
  source: ReadableStream<Uint8Array>,
  write: (text: string) => Promise<unknown>,
  { filter, signal, lastsMs, silentMs }: EventOptions,
): Promise<void> {
  const reader = source.getReader();
  const stall = new Stall(silentMs);
  const leave = () => void reader.cancel().catch(() => undefined);
  const end = setTimeout(leave, lastsMs);
  for (const one of [signal, stall.signal]) one.addEventListener("abort", leave, { once: true });
  const decoder = new TextDecoder();
  let fault: unknown = null;
  let ready: EventSourceMessage[] = [];
  const parser = createParser({
    maxBufferSize: EVENT_CHARACTERS,
    onEvent: (event) => ready.push(event),
    onError: (error) => {
      if (error.type === "max-buffer-size-exceeded") fault = error;
    },
  });
  try {
    for (let bytes = 0; ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      stall.touch();
      bytes += value.byteLength;
      if (bytes > STREAM_BYTES) fault = new Error("the stream is too long");
      parser.feed(decoder.decode(value, { stream: true }));
      if (fault !== null) throw fault;
      const events = ready;
      ready = [];
      for (const event of events) for (const text of passed(event, filter)) await write(text);
    }
    if (stall.signal.aborted) throw stall.signal.reason;
  } finally {
    clearTimeout(end);
    stall.end();
    leave();
  }
}

/** An event without data has an id alone, by which the stream is taken up again. */
function passed(event: EventSourceMessage, filter: EventOptions["filter"]): string[] {
  if (event.data === "") return [eventOf(event)];
  const value = parseJson(event.data);
  if (value === undefined) return [];
  return filter(value).map((message) => eventOf({ ...event, data: JSON.stringify(message) }));
}

function eventOf({ id, event, data }: { id?: string | undefined; event?: string | undefined; data: string }): string {
  const lines = [
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...(event === undefined ? [] : [`event: ${event}`]),
    `data: ${data}`,
  ];
  return `${lines.join("\n")}\n\n`;
}
