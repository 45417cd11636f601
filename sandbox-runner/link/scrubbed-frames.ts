/** The last step before the link: what an attempt says is scrubbed, and cut to an event's size. */
import type { FrameBody } from "#protocol/runner-link.ts";
import { DELTA_LIMIT, type Delta, fitEvent, type RunnerEvent } from "#protocol/transcript.ts";
import type { RedactedStream, Redactor } from "#rules/secrets/redactor.ts";
import { piecesOf, scrubbedEntry } from "./scrubbed-entries.ts";

export interface FrameSink {
  send(body: FrameBody): void;
  sendDelta(delta: Delta): void;
}

/** Keys of frames whose values are words of the protocol: a secret may be the same word, and a frame without them says nothing. */
const WORDS: ReadonlySet<string> = new Set(["kind", "type", "level", "code", "phase", "status", "result", "sandbox"]);
/** Counted in characters, so that none is split; each takes two units at most. */
const PIECES = new RegExp(`[\\s\\S]{1,${DELTA_LIMIT / 2}}`, "gu");
/** So many messages may be written at once, by subagents side by side. */
const STREAMS_AT_ONCE = 64;

export class ScrubbedFrames implements FrameSink {
  readonly #redactor: Redactor;
  readonly #sink: FrameSink;
  /** By the messages that the pieces belong to, the latest last. */
  readonly #streams = new Map<string, RedactedStream>();

  constructor(redactor: Redactor, sink: FrameSink) {
    this.#redactor = redactor;
    this.#sink = sink;
  }

  send(body: FrameBody): void {
    this.#sink.send(body.kind === "event" ? { ...body, event: fitEvent(this.#clean(body.event)) } : this.#scrub(body));
  }

  /** More of the agent's conversation, as its program writes it: values of secrets are taken out of every entry. */
  sendEntries(file: string | null, sdkVersion: string, entries: readonly object[]): void {
    const lines = entries.flatMap((entry) => scrubbedEntry(entry, this.#redactor) ?? []);
    for (const text of piecesOf(lines.map((entry) => `${JSON.stringify(entry)}\n`).join(""))) {
      this.#sink.send({ kind: "conversation", sdk_version: sdkVersion, file, text });
    }
  }

  sendDelta(delta: Delta): void {
    const text = this.#streamOf(`${delta.kind} ${delta.message_id}`).push(delta.text);
    const message_id = this.#redactor.text(delta.message_id);
    // What was held back comes together with what is new.
    for (const part of text.match(PIECES) ?? []) this.#sink.sendDelta({ ...delta, message_id, text: part });
  }

  #clean(event: RunnerEvent): RunnerEvent {
    if (event.type !== "tool.call") return this.#scrub(event);
    const { input, ...rest } = event;
    return { ...this.#scrub(rest), input: this.#redactor.json(input) };
  }

  #scrub<Value>(value: Value): Value {
    return this.#redactor.value(value, (key) => WORDS.has(key));
  }

  #streamOf(key: string): RedactedStream {
    const stream = this.#streams.get(key) ?? this.#redactor.stream();
    this.#streams.delete(key);
    this.#streams.set(key, stream);
    const [oldest] = this.#streams.keys();
    if (this.#streams.size > STREAMS_AT_ONCE && oldest !== undefined) this.#streams.delete(oldest);
    return stream;
  }
}
