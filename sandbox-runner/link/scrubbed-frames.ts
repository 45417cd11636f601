/** The last step before the link: what an attempt says is scrubbed, and cut to an event's size. */
import type { FrameBody } from "#protocol/runner-link.ts";
import { type Delta, fitEvent } from "#protocol/transcript.ts";
import type { RedactedStream, Redactor } from "../process/redact.ts";

export interface FrameSink {
  send(body: FrameBody): void;
  sendDelta(delta: Delta): void;
}

export class ScrubbedFrames implements FrameSink {
  readonly #redactor: Redactor;
  readonly #sink: FrameSink;
  #stream: { key: string; text: RedactedStream } | null = null;

  constructor(redactor: Redactor, sink: FrameSink) {
    this.#redactor = redactor;
    this.#sink = sink;
  }

  send(body: FrameBody): void {
    const clean = this.#redactor.value(body);
    this.#sink.send(clean.kind === "event" ? { ...clean, event: fitEvent(clean.event) } : clean);
  }

  sendDelta(delta: Delta): void {
    const key = `${delta.kind} ${delta.message_id}`;
    if (this.#stream?.key !== key) this.#stream = { key, text: this.#redactor.stream() };
    const text = this.#stream.text.push(delta.text);
    if (text !== "") this.#sink.sendDelta({ ...delta, text });
  }
}
