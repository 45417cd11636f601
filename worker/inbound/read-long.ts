/** Reads the payload of a body that is too long to be held: the beginnings of its parts, while it comes out of R2. */
import { toHex } from "#instance/attempt-token.ts";
import type { Json, JsonObject } from "#protocol/schema.ts";
import { noteLong, readNumber } from "../http/exact-json.ts";
import { JsonFault, type JsonKind, JsonScanner, type JsonVisitor } from "../http/json-scanner.ts";
import { isObject, NESTING_LIMIT } from "./sources/payload.ts";

/** About how long, in UTF-16 units, a payload may be that routines are given. */
const LEFT_LIMIT = 4_194_304;
/** How much of texts, lists and objects is kept: each in turn is tried, until what is kept is short enough. */
const BOUNDS = [
  { text: 65_536, items: 1_000, members: 1_000 },
  { text: 4_096, items: 100, members: 500 },
  { text: 256, items: 20, members: 200 },
] as const;
interface Bounds {
  text: number;
  items: number;
  members: number;
  /** Of all that is kept. */
  left: number;
}
/** What a value and its place in a list or an object cost, beside its text. */
const VALUE_COST = 8;
/** Bytes of one UTF-16 unit, at most. */
const UNIT_BYTES = 3;

export interface LongPayload {
  /** Null when the body is not a JSON object, is nested too deeply, or long all over. */
  payload: JsonObject | null;
  /** Whether it is long all over: the beginnings of all of its parts are too much. */
  isLongAllOver: boolean;
  /** SHA-256 of the body, in hex. */
  hash: string;
}

/**
 * @param open reads the body from its beginning, each time. @param leftLimit of the payload, in UTF-16 units.
 * @returns null when there is no body any more.
 */
export async function readLong(
  open: () => Promise<ReadableStream<Uint8Array> | null>,
  leftLimit = LEFT_LIMIT,
): Promise<LongPayload | null> {
  const digest = new crypto.DigestStream("SHA-256");
  let hash = "";
  for (const [place, bounds] of BOUNDS.entries()) {
    const body = await open();
    if (body === null) return null;
    const cut = await readCut(body, { ...bounds, left: leftLimit }, place === 0 ? digest.getWriter() : null);
    if (place === 0) hash = toHex(new Uint8Array(await digest.digest));
    if (!cut.isTooLong) return { payload: isObject(cut.value) ? cut.value : null, isLongAllOver: false, hash };
  }
  return { payload: null, isLongAllOver: true, hash };
}

/** Reads all of it: what is left out has to be JSON, too. */
async function readCut(
  body: ReadableStream<Uint8Array>,
  bounds: Bounds,
  digest: WritableStreamDefaultWriter<ArrayBuffer | ArrayBufferView> | null,
) {
  const cut = new CutJson(bounds);
  let isJson = true;
  const scan = (work: () => void) => {
    try {
      if (isJson) work();
    } catch (error) {
      if (!(error instanceof JsonFault)) throw error;
      isJson = false;
    }
  };
  for await (const chunk of body) {
    await digest?.write(chunk);
    scan(() => cut.scanner.push(chunk));
  }
  await digest?.close();
  scan(() => cut.scanner.finish());
  return isJson ? { value: cut.value, isTooLong: cut.isTooLong } : { value: null, isTooLong: false };
}

type ScalarKind = Exclude<JsonKind, "object" | "array">;

interface Open {
  /** Null for what is left out. */
  value: Json[] | Map<string, Json> | null;
  key: string;
  /** Where in it texts stand for numbers. */
  longNumbers: Set<string>;
}

/** Puts a value together of the beginnings of its parts. */
class CutJson implements JsonVisitor {
  readonly scanner: JsonScanner;
  readonly #bounds: Bounds;
  readonly #open: Open[] = [];
  #key = "";
  /** What the innermost value is; null for a list or an object. */
  #scalarKind: ScalarKind | null = null;
  #left: number;
  value: Json = null;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
    this.#left = bounds.left;
    this.scanner = new JsonScanner(this, { nesting: NESTING_LIMIT, text: bounds.text * UNIT_BYTES });
  }

  get isTooLong(): boolean {
    return this.#left < 0;
  }

  key(): void {
    if (this.#hasRoom()) this.#key = this.#text();
  }

  begin(kind: JsonKind): void {
    const isKept = this.#hasRoom() && (kind === "object" || kind === "array");
    const value = kind === "object" ? new Map<string, Json>() : [];
    this.#open.push({ value: isKept ? value : null, key: this.#key, longNumbers: new Set() });
    this.#scalarKind = kind === "object" || kind === "array" ? null : kind;
  }

  end(): void {
    const { value, key, longNumbers } = this.#open.pop() ?? { value: null, key: "", longNumbers: new Set() };
    const kind = this.#scalarKind;
    this.#scalarKind = null;
    if (!this.#hasRoom() || (value === null && kind === null)) return;
    const ended = value === null ? this.#scalar(kind) : holderOf(value, longNumbers);
    this.#left -= VALUE_COST + key.length + (typeof ended === "string" ? ended.length : 0);
    const parent = this.#open.at(-1);
    if (parent === undefined) this.value = ended;
    else addTo(parent, key, ended, kind === "number" && typeof ended === "string");
  }

  /** Whether a value at this place is kept. */
  #hasRoom(): boolean {
    if (this.isTooLong) return false;
    const parent = this.#open.at(-1)?.value;
    if (parent === undefined) return true;
    if (parent === null) return false;
    return Array.isArray(parent) ? parent.length < this.#bounds.items : parent.size < this.#bounds.members;
  }

  #scalar(kind: ScalarKind | null): Json {
    if (kind === "string") return this.#text();
    return kind === "number" ? readNumber(this.scanner.written) : this.scanner.scalar().value;
  }

  #text(): string {
    return String(this.scanner.scalar().value).slice(0, this.#bounds.text).toWellFormed();
  }
}

function addTo({ value, longNumbers }: Open, key: string, item: Json, isLongNumber: boolean): void {
  const place = Array.isArray(value) ? String(value.length) : key;
  // Of a key that is there twice the last one counts.
  if (isLongNumber) longNumbers.add(place);
  else longNumbers.delete(place);
  if (Array.isArray(value)) value.push(item);
  else value?.set(key, item);
}

function holderOf(value: Json[] | Map<string, Json>, longNumbers: ReadonlySet<string>): Json {
  const holder = Array.isArray(value) ? value : Object.fromEntries(value);
  for (const key of longNumbers) noteLong(holder, key);
  return holder;
}
