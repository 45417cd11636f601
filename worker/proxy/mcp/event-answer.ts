/** Answers as server-sent events, each message filtered on its way; while nothing comes, comments tell that it is still on. */
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { type Message, messageSchema } from "#rules/connectors/json-rpc.ts";
import { parseJson } from "#rules/json.ts";
import { isNestedDeeper } from "#worker/http/nesting.ts";
import { Stall } from "../stall.ts";
import { NESTING_LIMIT, type ServerAnswer } from "./ask-server.ts";

type Waiting = Message & { id: string | number };

export interface EventOptions {
  /** @returns what of a message, or a list of them, goes on. */
  filter(value: unknown): unknown[];
  /** Requests for whose answers the reader waits. */
  waiting: readonly Waiting[];
  /** What is said to those that get no answer. */
  inWords(words: string, waiting: readonly Waiting[]): unknown[];
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
  const open = new Map(options.waiting.map((message) => [message.id, message]));
  const pass = async (value: unknown, event: Partial<EventSourceMessage> = {}) => {
    for (const message of options.filter(value)) {
      const { data } = messageSchema.safeParse(message);
      if (data?.id != null && data.method === undefined) open.delete(data.id);
      await write(eventOf({ ...event, data: JSON.stringify(message) }));
    }
  };
  const tell = async (words: string) => {
    for (const message of options.inWords(words, [...open.values()]))
      await write(eventOf({ data: JSON.stringify(message) }));
  };
  let isUsed = false;
  try {
    const got = await answer;
    isUsed = got.kind !== "fault";
    if (got.kind === "events") {
      const lack = await passEvents(got.body, { pass, write }, options);
      // Whoever waits for an answer that does not come any more would wait for as long as its program lets it.
      if (lack !== null && open.size > 0) await tell(lack);
    } else if (got.kind === "fault") await tell(got.words);
    else if (got.kind === "messages") await pass(got.value);
    else await tell("answered nothing.");
    await last;
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
  } finally {
    clearInterval(comments);
    options.onEnd(isUsed);
  }
}

interface Out {
  pass(value: unknown, event: EventSourceMessage): Promise<void>;
  write(text: string): Promise<unknown>;
}

/**
 * @returns why no answer comes any more, in words that follow "its server"; null where the stream can be taken up again, by an id.
 * @throws where nobody reads any more.
 */
async function passEvents(
  source: ReadableStream<Uint8Array>,
  { pass, write }: Out,
  { signal, lastsMs, silentMs }: EventOptions,
): Promise<string | null> {
  const reader = source.getReader();
  const stall = new Stall(silentMs);
  const leave = () => void reader.cancel().catch(() => undefined);
  let isOver = false;
  const end = setTimeout(() => {
    isOver = true;
    leave();
  }, lastsMs);
  for (const one of [signal, stall.signal]) one.addEventListener("abort", leave, { once: true });
  const decoder = new TextDecoder();
  let [isTooLong, hasId] = [false, false];
  let ready: (() => Promise<unknown>)[] = [];
  const parser = createParser({
    maxBufferSize: EVENT_CHARACTERS,
    onEvent: (event) => {
      hasId ||= event.id !== undefined;
      ready.push(() => passEvent(event, { pass, write }));
    },
    onRetry: (ms) => ready.push(() => write(`retry: ${ms}\n\n`)),
    onError: ({ type }) => {
      isTooLong ||= type === "max-buffer-size-exceeded";
    },
  });
  try {
    for (let bytes = 0; ; ) {
      // What breaks off ends, as what is read to its end does.
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }) as const);
      if (done) break;
      stall.touch();
      bytes += value.byteLength;
      parser.feed(decoder.decode(value, { stream: true }));
      if (isTooLong || bytes > STREAM_BYTES) return "said more than an answer may have.";
      const events = ready;
      ready = [];
      for (const passOn of events) await passOn();
    }
    signal.throwIfAborted();
    if (stall.signal.aborted) return `was silent for ${Math.round(silentMs / 60_000)} minutes.`;
    if (isOver) return "did not answer in the time that a call may take.";
    return hasId ? null : "ended its answer before it was whole.";
  } finally {
    clearTimeout(end);
    stall.end();
    leave();
  }
}

/** An event without data has an id alone, by which the stream is taken up again. */
async function passEvent(event: EventSourceMessage, { pass, write }: Out): Promise<void> {
  if (event.data === "") {
    await write(eventOf(event));
    return;
  }
  const value = isNestedDeeper(event.data, NESTING_LIMIT) ? undefined : parseJson(event.data);
  if (value !== undefined) await pass(value, event);
}

function eventOf({ id, event, data }: { id?: string | undefined; event?: string | undefined; data: string }): string {
  const lines = [
    ...(id === undefined ? [] : [`id: ${id}`]),
    ...(event === undefined ? [] : [`event: ${event}`]),
    `data: ${data}`,
  ];
  return `${lines.join("\n")}\n\n`;
}
