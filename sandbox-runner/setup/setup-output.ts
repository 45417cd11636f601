/** What a setup script says, as the transcript has it: its beginning as it comes, and the end of what is longer when it is over. */
import { StringDecoder } from "node:string_decoder";
import { byteLength, type RunnerEvent } from "#protocol/transcript.ts";
import { beginningOf, endOf } from "#protocol/well-formed.ts";
import type { RedactedStream, Redactor } from "#rules/secrets/redactor.ts";

export type OutputEvent = Extract<RunnerEvent, { type: "setup.output" }>;

/** In characters. */
export const BEGINNING = 131_072;
export const END = 32_768;
/** An event has at most so many characters. */
export const PIECE = 16_384;
/** What comes together within this time is one event. */
const GATHER_MS = 500;

export class SetupOutput {
  readonly #send: (event: OutputEvent) => void;
  readonly #scrubbed: RedactedStream;
  readonly #decoder = new StringDecoder("utf8");
  /** Of the beginning, not told yet. */
  #waiting = "";
  #room = BEGINNING;
  /** The end of all that was said. */
  #end = "";
  #beyondBytes = 0;
  #beyondCharacters = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param redactor knows the secrets that the script has: they are taken out before the text is cut into events. */
  constructor(send: (event: OutputEvent) => void, redactor: Redactor) {
    this.#send = send;
    this.#scrubbed = redactor.stream();
  }

  add(bytes: Buffer): void {
    this.#take(this.#scrubbed.push(this.#decoder.write(bytes)));
  }

  /** Tells what has not been told. @returns the end of all that was said. */
  close(): string {
    this.#take(this.#scrubbed.push(this.#decoder.end()) + this.#scrubbed.end());
    clearTimeout(this.#timer);
    this.#tell(this.#waiting.length);
    const last = this.#end.slice(Math.max(0, this.#end.length - this.#beyondCharacters));
    const leftOut = this.#beyondBytes - byteLength(last);
    if (leftOut > 0) this.#send({ type: "setup.output", text: last, left_out_bytes: leftOut });
    else if (last !== "") this.#send({ type: "setup.output", text: last });
    return this.#end;
  }

  #take(text: string): void {
    if (text === "") return;
    const beginning = beginningOf(text, this.#room);
    const beyond = text.slice(beginning.length);
    this.#room = beyond === "" ? this.#room - beginning.length : 0;
    this.#waiting += beginning;
    this.#beyondCharacters += beyond.length;
    this.#beyondBytes += byteLength(beyond);
    this.#end = endOf(this.#end + text, END);
    while (this.#waiting.length >= PIECE) this.#tell(beginningOf(this.#waiting, PIECE).length);
    this.#timer ??= setTimeout(() => this.#tellLines(), GATHER_MS);
  }

  /** Whole lines alone. */
  #tellLines(): void {
    this.#timer = undefined;
    this.#tell(this.#waiting.lastIndexOf("\n") + 1);
  }

  #tell(length: number): void {
    const text = this.#waiting.slice(0, length);
    this.#waiting = this.#waiting.slice(length);
    if (text !== "") this.#send({ type: "setup.output", text });
  }
}
