/** Reads the payload of a body that is too long to be held: the beginnings of its parts, while it comes out of R2. */
import { toHex } from "#instance/attempt-token.ts";
import type { Json, JsonObject } from "#protocol/schema.ts";
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

interface Open {
  /** Null for what is left out. */
  value: Json[] | Map<string, Json> | null;
  key: string;
}

/** Puts a value together of the beginnings of its parts. */
class CutJson implements JsonVisitor {
  readonly scanner: JsonScanner;
  readonly #bounds: Bounds;
  readonly #open: Open[] = [];
  #key = "";
  /** Whether the innermost value is no list and no object. */
  #isScalar = false;
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
    this.#open.push({ value: isKept ? value : null, key: this.#key });
    this.#isScalar = kind !== "object" && kind !== "array";
  }

  end(): void {
    const { value, key } = this.#open.pop() ?? { value: null, key: "" };
    const isScalar = this.#isScalar;
    this.#isScalar = false;
    if (!this.#hasRoom() || (value === null && !isScalar)) return;
    const ended = value === null ? this.#scalar() : Array.isArray(value) ? value : Object.fromEntries(value);
    this.#left -= VALUE_COST + key.length + (typeof ended === "string" ? ended.length : 0);
    const parent = this.#open.at(-1)?.value;
    if (parent === undefined) this.value = ended;
    else if (Array.isArray(parent)) parent.push(ended);
    else parent?.set(key, ended);
  }

  /** Whether a value at this place is kept. */
  #hasRoom(): boolean {
    if (this.isTooLong) return false;
    const parent = this.#open.at(-1)?.value;
    if (parent === undefined) return true;
    if (parent === null) return false;
    return Array.isArray(parent) ? parent.length < this.#bounds.items : parent.size < this.#bounds.members;
  }

  #scalar(): Json {
    const { value } = this.scanner.scalar();
    return typeof value === "string" ? this.#text() : value;
  }

  #text(): string {
    return String(this.scanner.scalar().value).slice(0, this.#bounds.text).toWellFormed();
  }
}
