/** Pure: reads the tokens that a model call used out of its answer, while the answer passes by. */
import { z } from "zod";
import type { CallTokens } from "#protocol/model-usage.ts";
import { parseJson } from "#rules/json.ts";

export interface UsageMeter {
  /** Whether it is read event by event, as it comes. */
  readonly isStream: boolean;
  push(chunk: Uint8Array): void;
  /** Whether a stream's first event has been seen, which tells what the question took. */
  isBegun(): boolean;
  /** Whether a stream's last event has been seen: what is known of the usage stays as it is. */
  isComplete(): boolean;
  /** What has been seen so far; after an answer that was cut short, what it used up to there, by the length of what came. */
  tokens(): CallTokens;
  /** Whether that is all that the call used, now that nothing more comes. */
  isWhole(): boolean;
}

const count = z.int().min(0).nullish();
const usageSchema = z.object({
  input_tokens: count,
  output_tokens: count,
  cache_read_input_tokens: count,
  cache_creation_input_tokens: count,
  cache_creation: z.object({ ephemeral_1h_input_tokens: count }).nullish().catch(null),
});
const withUsage = z.object({ usage: usageSchema });
const streamEventSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("message_start"), message: withUsage }),
  z.object({ type: z.literal("message_delta"), usage: usageSchema }),
  z.object({ type: z.literal("message_stop") }),
  z.object({ type: z.literal("error") }),
]);
type StreamEvent = z.infer<typeof streamEventSchema>;
/** What a line has in it that tells of usage or ends the stream. Few others do, and those are read in vain. */
const IS_OF_USE = /"(?:usage|message_stop|error)"/;

/** An answer without streaming that is longer than this, in characters, is not metered. */
const WHOLE_LIMIT = 16_777_216;
/** So many characters of an answer are taken for a token where its count has not come: text has more of them. */
const CHARACTERS_OF_TOKEN = 3;
/** What a line of a stream has around the piece of the answer that it brings. */
const AROUND_PIECE = 'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}'.length;
/** A line of a stream that is longer is passed over: lines that tell of usage are short. */
const LINE_LIMIT = 1_048_576;

/** @param contentType of the answer: tells whether it is a stream of events or one JSON value. */
export function usageMeter(contentType: string | null): UsageMeter {
  const isStream = /^text\/event-stream\b/i.test(contentType ?? "");
  const decoder = new TextDecoder();
  const tokens: CallTokens = { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 };
  const held = new HeldText(isStream ? LINE_LIMIT : WHOLE_LIMIT);

  const seen = new Set<StreamEvent["type"]>();
  let shownTokens = 0;
  const readLine = (line: string | null) => {
    if (!line?.startsWith("data:")) return;
    if (line.includes('"content_block_delta"')) {
      shownTokens += Math.max(1, Math.ceil((line.length - AROUND_PIECE) / CHARACTERS_OF_TOKEN));
    }
    if (!IS_OF_USE.test(line)) return;
    const { data: event } = streamEventSchema.safeParse(parseJson(line.slice("data:".length)));
    if (event === undefined) return;
    seen.add(event.type);
    if (event.type === "message_start") take(tokens, event.message.usage);
    if (event.type === "message_delta") take(tokens, event.usage);
  };

  let isRead = false;
  const readAnswer = () => {
    const text = isStream ? null : held.take();
    if (text !== null && readWhole(tokens, text)) isRead = true;
  };

  return {
    isStream,
    isBegun: () => seen.has("message_start"),
    isComplete: () => seen.has("message_stop") || seen.has("error"),
    push: (chunk) => {
      const text = decoder.decode(chunk, { stream: true });
      if (!isStream) return held.add(text);
      // Only what has come is searched: a line that goes on for megabytes is looked at once.
      let start = 0;
      for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
        held.add(text.slice(start, end));
        readLine(held.take());
        start = end + 1;
      }
      held.add(text.slice(start));
    },
    tokens: () => {
      readAnswer();
      // The count comes with one of the last events: until then what was shown is all that is known.
      const output_tokens = seen.has("message_delta") ? tokens.output_tokens : tokens.output_tokens + shownTokens;
      return { ...tokens, output_tokens };
    },
    isWhole: () => {
      readAnswer();
      // An error before the first event is one of a question that was not worked on.
      return isRead || seen.has("message_delta") || (seen.has("error") && !seen.has("message_start"));
    },
  };
}

/** So many small pieces are joined into one: a list of single characters would take more room than they do. */
const PIECES_JOINED = 4_096;

/** Text in the pieces in which it came, joined when it is taken; nothing is held of one that is longer than its limit. */
class HeldText {
  readonly #limit: number;
  #joined: string[] = [];
  #pieces: string[] = [];
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(piece: string): void {
    if (piece === "") return;
    this.#length += piece.length;
    if (this.#length > this.#limit) this.#clear();
    else this.#pieces.push(piece);
    if (this.#pieces.length < PIECES_JOINED) return;
    this.#joined.push(this.#pieces.join(""));
    this.#pieces = [];
  }

  /** @returns the whole text, or null when it was too long; the next begins. */
  take(): string | null {
    const text = this.#length > this.#limit ? null : this.#joined.join("") + this.#pieces.join("");
    this.#clear();
    this.#length = 0;
    return text;
  }

  #clear(): void {
    this.#joined = [];
    this.#pieces = [];
  }
}

/** @returns whether it tells what the call used. */
function readWhole(tokens: CallTokens, json: string): boolean {
  const answer = withUsage.safeParse(parseJson(json));
  if (answer.success) take(tokens, answer.data.usage);
  return answer.success;
}

/** Counts in a stream are totals: a later one takes the place of an earlier one. */
function take(tokens: CallTokens, usage: z.infer<typeof usageSchema>): void {
  tokens.input_tokens = usage.input_tokens ?? tokens.input_tokens;
  tokens.output_tokens = usage.output_tokens ?? tokens.output_tokens;
  tokens.cache_read_tokens = usage.cache_read_input_tokens ?? tokens.cache_read_tokens;
  tokens.cache_write_tokens = usage.cache_creation_input_tokens ?? tokens.cache_write_tokens;
  const forHour = usage.cache_creation?.ephemeral_1h_input_tokens ?? 0;
  if (forHour > 0) tokens.cache_write_1h_tokens = forHour;
}
