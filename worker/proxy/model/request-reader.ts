/**
 * Reads a request of the Messages API as it passes by: judges it, passes its long fields on as they come, and holds back the
 * few short ones that depend on which model answers. Nothing of it is a whole JSON object before `rest` is there.
 */
import type { Refusal } from "#protocol/errors.ts";
import { JsonFault, type JsonKind, JsonScanner, type JsonVisitor } from "#worker/http/json-scanner.ts";
import { ContentRule } from "./content-rule.ts";
import { repeatedField, unknownField } from "./request-fields.ts";

/** What `forModel` changes, what says which model is asked for, and what the call's price depends on. */
const HELD_FIELDS: readonly string[] = [
  "model",
  "max_tokens",
  "thinking",
  "context_management",
  "output_config",
  "speed",
  "inference_geo",
];
const HELD_BYTES = 1_048_576;
/** Deeper requests are refused: none of the API's is nearly as deep. */
const NESTING_LIMIT = 1_000;
/** Longer keys, and longer types of tools and sources, are none that is known. */
const TEXT_BYTES = 1_024;

export interface RequestRules {
  /** Fields that a request may have. */
  known: ReadonlySet<string>;
  /** See `ContentRule`. */
  reachesAll: boolean;
}

/** Why a request is refused. */
export class RequestRefused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

/** Of `cache_control`, wherever it stands: the same words in a tool's input only make a call's reserve larger. */
const TTL_KEY = "ttl";
const HOUR_TTL = "1h";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

export class RequestReader implements JsonVisitor {
  readonly #known: ReadonlySet<string>;
  readonly #passOn: (piece: Uint8Array) => void;
  readonly #rule: ContentRule;
  readonly #scanner = new JsonScanner(this, { nesting: NESTING_LIMIT, text: TEXT_BYTES });
  readonly #seen = new Set<string>();
  /** As they are written in the request. */
  readonly #held = new Map<string, string>();
  #heldBytes = 0;
  /** The field that is being read, and of one that is held back the pieces so far. */
  #field = "";
  #pieces: Uint8Array[] | null = null;
  /** The chunk that is being read, and from where on it belongs to a field's value. */
  #chunk: Uint8Array = new Uint8Array();
  #from = 0;
  #isInField = false;
  /** Whether the key that was read last is one that tells how long a part is cached. */
  #isTtl = false;
  #cachesForHour = false;
  #isFirst = true;

  /** @param passOn takes what may go on; pieces of the chunks themselves. */
  constructor({ known, reachesAll }: RequestRules, passOn: (piece: Uint8Array) => void) {
    this.#known = known;
    this.#rule = new ContentRule(reachesAll);
    this.#passOn = passOn;
  }

  /** @throws RequestRefused */
  push(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#from = 0;
    this.#scan(() => this.#scanner.push(chunk));
    if (this.#isInField) this.#take(chunk.subarray(this.#from));
  }

  /** The request has ended. @returns the fields that were held back. @throws RequestRefused */
  finish(): ReadonlyMap<string, string> {
    this.#chunk = new Uint8Array();
    this.#from = 0;
    this.#scan(() => this.#scanner.finish());
    return this.#held;
  }

  /** What is to follow what was passed on: the fields in whatever form, up to the closing brace. */
  rest(fields: ReadonlyMap<string, string>): string {
    const members = [...fields].map(([name, json]) => `${JSON.stringify(name)}:${json}`);
    return `${this.#isFirst ? "{" : ","}${members.join(",")}`;
  }

  /** Whether some of the request that has been read is to be kept in the cache for an hour. */
  get cachesForHour(): boolean {
    return this.#cachesForHour;
  }

  key(): void {
    const { value, isWhole } = this.#scanner.scalar();
    const name = String(value);
    this.#isTtl = name === TTL_KEY;
    this.#rule.key(isWhole ? name : "");
    if (this.#scanner.depth !== 1) return;
    if (!isWhole || !this.#known.has(name)) throw new RequestRefused(unknownField(name, this.#known));
    if (this.#seen.has(name)) throw new RequestRefused(repeatedField(name));
    this.#seen.add(name);
    this.#field = name;
  }

  begin(kind: JsonKind, at: number): void {
    const { depth } = this.#scanner;
    if (kind !== "string") this.#isTtl = false;
    if (depth === 0 && kind !== "object") throw new RequestRefused(notAnObject());
    this.#judge(this.#rule.begin(kind));
    if (depth !== 1) return;
    this.#isInField = true;
    this.#from = at;
    this.#pieces = HELD_FIELDS.includes(this.#field) ? [] : null;
    if (this.#pieces !== null) return;
    this.#passOn(encoder.encode(`${this.#isFirst ? "{" : ","}${JSON.stringify(this.#field)}:`));
    this.#isFirst = false;
  }

  end(at: number): void {
    const { depth } = this.#scanner;
    this.#judge(this.#rule.end(() => this.#scanner.scalar().value));
    if (this.#isTtl && this.#scanner.scalar().value === HOUR_TTL) this.#cachesForHour = true;
    this.#isTtl = false;
    if (depth !== 1) return;
    this.#take(this.#chunk.subarray(this.#from, at));
    this.#isInField = false;
    if (this.#pieces === null) return;
    this.#held.set(this.#field, decoder.decode(joined(this.#pieces)));
    this.#pieces = null;
  }

  #take(piece: Uint8Array): void {
    if (piece.length === 0) return;
    if (this.#pieces === null) {
      this.#passOn(piece);
      return;
    }
    this.#heldBytes += piece.length;
    if (this.#heldBytes > HELD_BYTES) {
      throw new RequestRefused({ code: "body_too_large", limit_bytes: HELD_BYTES, field: this.#field });
    }
    this.#pieces.push(piece);
  }

  #judge(rule: string | null): void {
    if (rule !== null) throw new RequestRefused({ code: "proxy_refused", reason: rule });
  }

  #scan(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof JsonFault)) throw error;
      throw new RequestRefused({ code: "invalid_json", message: `The body ${error.message}.`, field: "body" });
    }
  }
}

function notAnObject(): Refusal {
  return { code: "invalid_request", field: "body", message: "body: must be a JSON object" };
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
